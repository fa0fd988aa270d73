"""What takes more than a word to repair: a workflow that cannot be replayed, a register that was
restored to an earlier time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from activities import audit, deep_audit, judging
from activities.catching_up import CatchingUp
from domain.findings import FindingKind, Remedy
from domain.issue.actions import ActionName, Resume
from domain.vocabulary import Stage
from runtime import histories, postgres
from runtime.embedded.servers import EmbeddedPostgres
from store import issue_reader
from store.connection import Pool
from tests.histories.fingerprint import HISTORIES
from tests.support import harness
from tests.support.auditing import audited, kinds, repaired, to_the_end, why
from tests.support.builders import LINKS
from tests.support.changed import OneCommandMore
from tests.support.harness import (
    CUSTOMER,
    Handle,
    StoryDesk,
    early_server,
    engineer,
    eventually,
    story_desk,
)
from tests.support.registers import FORMS
from worker import WORKFLOWS, replays
from workflows.issue import IssueWorkflow

BEGINS = "2026-03-10 10:00"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SETTLING", timedelta(0))
    monkeypatch.setattr(deep_audit, "APART", timedelta(seconds=0.5))
    monkeypatch.setattr(judging, "MANY_TASKS", 2)


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[WorkflowEnvironment]:
    async with early_server(tmp_path) as environment:
        yield environment


@asynccontextmanager
async def desk_for_now(env: WorkflowEnvironment, pool: Pool) -> AsyncIterator[StoryDesk]:
    """A desk whose workers go, and whose issues stay."""
    async with story_desk(env, pool, BEGINS) as desk:
        yield desk
        desk.handles.clear()


# A workflow that cannot be replayed ---------------------------------------------------------------


def field_history() -> WorkflowHistory:
    text = (HISTORIES / "field" / "nondeterminism.json").read_text(encoding="utf-8")
    return WorkflowHistory.from_json("issue:portal:C11-121", text)


async def test_the_last_good_task_of_a_history_from_the_field_is_one_it_replays_up_to() -> None:
    history = field_history()
    assert not await replays(history)
    event_id = await histories.last_good_task(history, replays)
    assert event_id == 47
    before = [event for event in history.events if event.event_id < event_id]
    assert await replays(WorkflowHistory(history.workflow_id, before))


async def test_a_history_none_of_which_replays_names_no_task() -> None:
    async def never(_: WorkflowHistory) -> bool:
        return False

    assert await histories.last_good_task(field_history(), never) is None


async def test_a_wedged_workflow_goes_on_from_its_last_good_task_and_nothing_is_done_twice(
    env: WorkflowEnvironment, database: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tuple(OneCommandMore if w is IssueWorkflow else w for w in WORKFLOWS)
    monkeypatch.setattr(harness, "WORKFLOWS", changed)
    async with desk_for_now(env, database) as desk:
        handle, view = await desk.open()
        await desk.accept(handle, view)
        run = (await handle.describe()).run_id
        arrived = list(desk.mailbox.arrived)
    monkeypatch.setattr(harness, "WORKFLOWS", WORKFLOWS)
    async with story_desk(env, database, BEGINS) as desk:
        desk.handles.append(handle)
        await handle.signal("complete", harness.result(view))

        async def wedged() -> bool:
            return FindingKind.WEDGED in await kinds(desk)

        await eventually(wedged)
        planned = await repaired(desk, dry_run=True)
        assert [each.outcome for each in planned.repaired if each.remedy is Remedy.RESET] != []
        assert (await handle.describe()).run_id == run
        report = await repaired(desk)
        assert report.whole, report
        again = await env.client.get_workflow_handle(handle.id).describe()
        assert again.run_id != run
        assert again.raw_info.first_run_id == await issue_reader.run_of(database, handle.id)
        assert "reset to event" in " ".join(await why(desk, handle))
        await to_the_end(desk, handle)
        steps = await desk.steps(handle)
        assert Counter(steps)["accept"] == Counter(steps)["resolve"] == 1
        assert max(Counter([*arrived, *desk.mailbox.arrived]).values()) == 1


# A register that was restored ---------------------------------------------------------------------

_SAME = {
    "issues": "id, run, number, stage, outcome, seq, engineer, lead, generation, answered, "
    "closed_at, updated_at, title, phone, centre, calendar, department, arises_from",
    "issue_events": "issue_id, seq, key, action, actor, at, recorded_at, stage, content, recorded",
    "promises": "issue_id, kind, generation, attempt, made_at, due_at, marks, reached, outcome,"
    " ended_at, paused_at, pauses, stops, consumed",
    "outbox": "key, issue_id, seq, template, audience, recipient, channel, address, subject,"
    " created_at, not_before, status",
    "serials": "day, agent, last",
    "known_cases": "number, question, solution",
} | dict.fromkeys(FORMS, "*")


async def stands(pool: Pool) -> dict[str, list[tuple[Any, ...]]]:
    """Read all that is to be the same in a register that has caught up."""
    found = {}
    for table, columns in _SAME.items():
        rows = await pool.fetch(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3")  # noqa: S608
        found[table] = [tuple(row) for row in rows]
    return found


async def all_said(desk: StoryDesk) -> bool:
    left = "SELECT count(*) FROM outbox WHERE settled_at IS NULL AND not_before IS NULL"
    return not await desk.pool.fetchval(left)


async def led_on(desk: StoryDesk, worked: Handle, closed: Handle) -> None:
    """What happens after the backup: issues go on, one to its end, one long enough for a new run
    of its workflow; others are new, and of one a complaint arises.
    """
    view = await desk.view(worked)
    await desk.do(worked, ActionName.CONSULT, engineer(view), question="why?", experts=("yu.bo",))
    for note in range(4):
        await desk.do(worked, ActionName.REPORT_PROGRESS, engineer(view), note=f"part {note}")
    await desk.wait(worked, view)
    await desk.withdraw(closed)
    await closed.result()
    await desk.open(kind="paid_service", customer={"name": "New", "email": "new@example.org"})
    complained, view = await desk.open(kind="consultation", title="born after the backup")
    await desk.accept(complained, view)
    await desk.do(
        complained, ActionName.RESOLVE, engineer(view), result="press reset", known_solution=True
    )

    async def replied() -> bool:
        return (await desk.view(complained)).stage is Stage.REPLIED

    await eventually(replied)
    bad = {"item": "after_sales", "technical": -50, "attitude": -50, "comment": "never again"}
    await desk.do(complained, ActionName.EVALUATE, CUSTOMER, **bad)

    async def complaint_stands() -> bool:
        return "complaint_raised" in await desk.steps(complained)

    await eventually(complaint_stands)
    await desk.do(complained, ActionName.REPORT_TEST, CUSTOMER, worked=False, words="not at all")
    ended, view = await desk.open(title="born and ended")
    await desk.withdraw(ended)
    await ended.result()


async def test_a_register_restored_from_a_backup_is_caught_up_out_of_the_histories(
    env: WorkflowEnvironment, postgres_server: EmbeddedPostgres, postgres_url: str
) -> None:
    administration = await asyncpg.connect(postgres_server.url_of("postgres"))
    arrived: list[Any] = []
    async with postgres.pool(postgres_url, size=10) as pool, desk_for_now(env, pool) as desk:
        worked, view = await desk.open()
        await desk.accept(worked, view)
        closed, _ = await desk.open()
        await eventually(lambda: all_said(desk))
        arrived += desk.mailbox.arrived
        original = await pool.fetchval("SELECT current_database()")
    for copy in ("written", "restored"):
        await administration.execute(f"CREATE DATABASE {copy} TEMPLATE {original}")
    async with postgres.pool(postgres_url, size=10) as pool:
        async with desk_for_now(env, pool) as desk:
            await led_on(desk, worked, closed)
            await eventually(lambda: all_said(desk))
            arrived += desk.mailbox.arrived
        before = await stands(pool)
    async with postgres.pool(postgres_server.url_of("written"), size=2) as pool:
        await assert_written_as_it_was(env, pool, before)
    async with (
        postgres.pool(postgres_server.url_of("restored"), size=10) as pool,
        story_desk(env, pool, BEGINS) as desk,
    ):
        desk.handles.append(worked)
        found = (await audited(desk)).findings
        behind = [f.issue_id for f in found if f.kind is FindingKind.REGISTER_BEHIND]
        assert len(behind) == 5  # not the complaint, whose workflow was terminated
        assert {f.kind for f in found} == {FindingKind.REGISTER_BEHIND, FindingKind.SERIALS_BEHIND}
        planned = await repaired(desk, dry_run=True)
        assert {each.finding.same for each in planned.repaired} == {f.same for f in found}
        report = await repaired(desk)
        assert report.whole, report
        reasons = "SELECT DISTINCT issue_id FROM issue_events WHERE action = 'repair'"
        assert {row["issue_id"] for row in await pool.fetch(reasons)} == set(behind)
        assert await kinds(desk) == []
        _, view = await desk.open()
        assert view.number not in {row[2] for row in before["issues"]}
        await desk.act(worked, ActionName.RESUME, Resume(by=engineer(await desk.view(worked))))
        await to_the_end(desk, worked)
        assert max(Counter([*arrived, *desk.mailbox.arrived]).values()) == 1
    for copy in ("written", "restored"):
        await administration.execute(f"DROP DATABASE {copy} WITH (FORCE)")
    await administration.close()


async def assert_written_as_it_was(
    env: WorkflowEnvironment, pool: Pool, before: dict[str, list[tuple[Any, ...]]]
) -> None:
    """Every row of every register comes back, to the instant; and done twice it is done once."""
    catching_up = CatchingUp(pool, LINKS)
    for id_ in [row[0] for row in sorted(before["issues"], key=lambda row: row[2])]:
        await catching_up.catch_up(env.client, id_)
        assert "nothing" in await catching_up.catch_up(env.client, id_)
    assert await stands(pool) == before

"""Each thing that can be wrong, made on purpose: found, repaired, and the issue led to its end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio import activity
from temporalio.service import RPCError

from activities import audit, deep_audit, judging
from activities.recording import Recording
from domain import contract as names
from domain.findings import ADVICE, FindingKind
from domain.issue import lifecycle
from domain.issue.actions import Accept, Act, ActionName, ReportProgress, Withdraw
from domain.issue.intake import Intake
from domain.issue.step import Recorded, Step
from domain.vocabulary import Outcome, Verdict
from runtime.starting import arguments
from store import issue_reader
from store.connection import Pool
from tests.support import harness
from tests.support.auditing import audited, kinds, lost, mends, repaired, to_the_end, why
from tests.support.builders import LINKS
from tests.support.harness import (
    Handle,
    StoryDesk,
    begun_before,
    early_server,
    engineer,
    eventually,
    has_ended,
    result,
    story_desk,
)
from tests.workflows.test_audit import run_audit


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a while to be sure of, is told at once."""
    monkeypatch.setattr(audit, "SETTLING", timedelta(0))
    monkeypatch.setattr(deep_audit, "APART", timedelta(seconds=0.5))
    monkeypatch.setattr(judging, "OPERATORS_CLOSED", timedelta(0))
    monkeypatch.setattr(judging, "STARTING", timedelta(0))


@pytest.fixture
async def desk(tmp_path: Path, database: Pool) -> AsyncIterator[StoryDesk]:
    """A desk with a Temporal of its own: an audit sees every workflow that there is."""
    async with early_server(tmp_path) as env, story_desk(env, database, "2026-03-10 10:00") as desk:
        yield desk


async def test_a_sound_desk_is_found_sound(desk: StoryDesk) -> None:
    new, _ = await desk.open()
    worked, view = await desk.open()
    await desk.accept(worked, view)
    await desk.wait(worked, view)
    closed, _ = await desk.open()
    await desk.withdraw(closed)
    await closed.result()
    report = await audited(desk)
    assert report.findings == ()
    assert report.issues >= 2
    assert report.workflows >= 3
    assert (await repaired(desk)).whole
    assert await desk.steps(new) == ["registered"]


async def test_a_desk_in_the_middle_of_a_busy_time_is_found_sound(
    desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However impatient the audit is: what is under way is never the same fault twice."""
    monkeypatch.setattr(deep_audit, "APART", timedelta(seconds=3))
    monkeypatch.setattr(deep_audit, "ALARM_LATE", timedelta(seconds=2))
    monkeypatch.setattr(deep_audit, "UNSAID_FOR", timedelta(seconds=2))
    busy = asyncio.create_task(_busy_time(desk))
    seen = 0
    while not busy.done():
        report = await audited(desk)
        assert report.findings == ()
        seen = max(seen, report.workflows)
    await busy
    assert seen
    assert (await audited(desk)).findings == ()


async def _busy_time(desk: StoryDesk) -> None:
    async def lives(late: bool) -> None:  # noqa: FBT001
        hours = {"reported_at": desk.real("2026-03-09 10:00")} if late else {}
        handle, view = await desk.open(**hours)
        view = await desk.act(handle, ActionName.ACCEPT, Accept(by=engineer(view)))
        for note in range(3):
            act = ReportProgress(by=engineer(view), note=f"part {note}")
            await desk.act(handle, ActionName.REPORT_PROGRESS, act)
        await desk.act(handle, ActionName.RESOLVE, result(view))

    for _ in range(4):
        await asyncio.gather(*(lives(late=place % 3 == 0) for place in range(8)))


async def test_an_issue_whose_workflow_is_gone_is_found_and_begun_anew(desk: StoryDesk) -> None:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    await lost(desk, handle)
    assert await kinds(desk) == [FindingKind.NO_WORKFLOW]
    planned = await repaired(desk, view.number, dry_run=True)
    assert [each.finding.kind for each in planned.repaired] == [FindingKind.NO_WORKFLOW]
    assert await desk.steps(handle) == ["registered", "accept"]
    await mends(desk)
    assert "没有流程在办理" in (await why(desk, handle))[-1]
    await to_the_end(desk, handle)


async def test_an_issue_whose_workflow_an_operator_ended_is_closed_and_the_lead_told(
    desk: StoryDesk,
) -> None:
    handle, _ = await desk.open()
    await handle.terminate("by an operator")
    assert await kinds(desk) == [FindingKind.NO_WORKFLOW]
    await mends(desk)
    found = await issue_reader.issue(desk.pool, handle.id)
    assert found is not None
    assert found.outcome is Outcome.TERMINATED
    assert await issue_reader.unsettled(desk.pool, handle.id) == []
    assert await desk.steps(handle) == ["registered", "cancel", "repair"]


async def test_a_workflow_that_lacks_the_registers_last_step_is_found_and_takes_it(
    desk: StoryDesk,
) -> None:
    handle, view = await desk.open()
    view = await desk.accept(handle, view)
    act = ReportProgress(by=engineer(view), note="waiting for a part")
    await in_the_register_alone(desk, handle, ActionName.REPORT_PROGRESS, act)
    assert await kinds(desk) == [FindingKind.WORKFLOW_BEHIND]
    await mends(desk)
    assert await desk.steps(handle) == [
        *("registered", "accept", "report_progress", "repair", "repair"),
    ]
    await to_the_end(desk, handle)


@pytest.mark.parametrize("by", [run_audit, mends])
async def test_a_workflow_that_does_not_know_that_its_issue_is_over_is_told_and_ends(
    desk: StoryDesk, by: Callable[[StoryDesk], Awaitable[None]]
) -> None:
    handle, view = await desk.open()
    await desk.accept(handle, view)
    withdraw = Withdraw(by=harness.LEAD, reason="it works again")
    await in_the_register_alone(desk, handle, ActionName.WITHDRAW, withdraw)
    assert await kinds(desk) == [FindingKind.WORKFLOW_BEHIND]
    await by(desk)
    await eventually(partial(has_ended, handle))
    assert (await desk.steps(handle))[:4] == ["registered", "accept", "withdraw", "repair"]
    assert await kinds(desk) == []


async def test_an_empty_workflow_of_an_issue_that_is_over_ends(desk: StoryDesk) -> None:
    """By a version before: its registration is in the register, and so is all that followed."""
    intake = await desk.intake()
    handle, _ = await desk.register(intake)
    await desk.withdraw(handle)
    await handle.result()
    await lost(desk, handle)
    empty = await desk.start(intake)
    assert await kinds(desk) == [FindingKind.WORKFLOW_BEHIND]
    await run_audit(desk)
    await eventually(partial(has_ended, empty))
    assert await desk.steps(handle) == ["registered", "withdraw"]
    assert await kinds(desk) == []


async def in_the_register_alone(
    desk: StoryDesk, handle: Handle, name: ActionName, act: Act
) -> None:
    """Let the register have a step that the workflow lost."""
    issue = await issue_reader.state(desk.pool, handle.id)
    assert issue is not None
    step = lifecycle.decide(issue, name, act, issue.steps[-1].at, "lost")
    run = await issue_reader.run_of(desk.pool, handle.id)
    recording = Recording(desk.pool, LINKS)
    await recording.record_step(step.model_copy(update={"run": run}))


class Broken(Recording):
    """Cannot write what it is told not to."""

    refuses: set[ActionName]

    @activity.defn(name=names.RECORD)
    async def record_step(self, step: Step) -> Recorded:
        if step.action in self.refuses:
            raise RuntimeError("a defect of ours")
        return await super().record_step(step)


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    Broken.refuses = set()
    monkeypatch.setattr(harness, "Recording", Broken)


async def test_messages_that_nobody_brings_out_are_found_and_brought_out(
    desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_audit, "UNSAID_FOR", timedelta(0))
    handle, _ = await desk.open()

    async def said() -> bool:
        return await issue_reader.unsettled(desk.pool, handle.id) == []

    await eventually(said)
    arrived = len(desk.mailbox.arrived)
    await desk.pool.execute(
        "UPDATE outbox SET status = 'pending', settled_at = NULL"
        " WHERE key = (SELECT min(key) FROM outbox WHERE issue_id = $1)",
        handle.id,
    )
    assert await kinds(desk) == [FindingKind.UNSAID]
    await mends(desk)
    await eventually(said)
    assert len(desk.mailbox.arrived) == arrived + 1
    await to_the_end(desk, handle)


async def test_messages_of_an_issue_that_has_ended_are_brought_out_or_handed_to_a_person(
    desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_audit, "UNSAID_FOR", timedelta(0))
    handle, _ = await desk.open()
    await desk.withdraw(handle)
    await handle.result()
    keys = await desk.pool.fetch(
        "SELECT key FROM outbox WHERE issue_id = $1 ORDER BY key LIMIT 2", handle.id
    )
    for (key,), status in zip(keys, ("pending", "unknown"), strict=True):
        await desk.pool.execute(
            "UPDATE outbox SET status = $2, settled_at = NULL WHERE key = $1", key, status
        )
    assert await kinds(desk) == [FindingKind.UNSAID]
    await mends(desk)
    told = dict(
        await desk.pool.fetch("SELECT key, status FROM outbox WHERE issue_id = $1", handle.id)
    )
    assert [told[key] for (key,) in keys] == ["delivered", "handed_over"]
    assert await desk.steps(handle) == ["registered", "withdraw", "hand_over", "repair"]


async def test_forms_and_ledger_that_differ_from_the_events_are_written_again(
    desk: StoryDesk, owner: "asyncpg.Connection[Any]"
) -> None:
    handle, view = await desk.open(kind="complaint")
    view = await desk.accept(handle, view)
    before = await issue_reader.issue(desk.pool, handle.id)
    await owner.execute("DELETE FROM complaint_forms WHERE issue_id = $1", handle.id)
    await owner.execute("DELETE FROM handling_forms WHERE issue_id = $1", handle.id)
    assert await kinds(desk) == [FindingKind.FORMS_DIFFER]
    await owner.execute(
        "DELETE FROM promises WHERE issue_id = $1 AND kind = 'resolution'", handle.id
    )
    await desk.pool.execute(
        "UPDATE issues SET stage = 'assigned', engineer = 'nobody' WHERE id = $1", handle.id
    )
    assert await kinds(desk) == [FindingKind.FORMS_DIFFER, FindingKind.LEDGER_DIFFERS]
    await mends(desk)
    after = await issue_reader.issue(desk.pool, handle.id)
    assert before is not None
    assert after is not None
    assert after.promises == before.promises
    assert (after.stage, after.engineer) == (before.stage, before.engineer)
    assert await desk.pool.fetchval(
        "SELECT count(*) FROM complaint_forms WHERE issue_id = $1", handle.id
    )
    assert await desk.steps(handle) == ["registered", "accept", "repair"]
    verify = {"verdict": Verdict.GENERAL, "findings": "the part came late"}
    await desk.do(handle, ActionName.VERIFY, engineer(view), **verify)
    await to_the_end(desk, handle)


@pytest.mark.parametrize("begun", [arguments, begun_before])
async def test_an_event_that_is_missing_is_filled_in_out_of_the_history(
    desk: StoryDesk,
    owner: "asyncpg.Connection[Any]",
    begun: Callable[[Intake], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "arguments", begun)  # by whichever names its steps go
    handle, view = await desk.open()
    view = await desk.accept(handle, view)
    await desk.wait(handle, view)
    event = await desk.pool.fetchrow(
        "SELECT * FROM issue_events WHERE issue_id = $1 AND seq = 2", handle.id
    )
    await owner.execute("ALTER TABLE issue_events DISABLE TRIGGER issue_events_append_only")
    await owner.execute("DELETE FROM issue_events WHERE issue_id = $1 AND seq = 2", handle.id)
    await owner.execute("ALTER TABLE issue_events ENABLE TRIGGER issue_events_append_only")
    assert await kinds(desk) == [FindingKind.EVENTS_BROKEN]
    await mends(desk)
    again = await desk.pool.fetchrow(
        "SELECT * FROM issue_events WHERE issue_id = $1 AND seq = 2", handle.id
    )
    assert event
    assert again
    of_its_row = {"turn", "written_at"}
    assert {**again, **dict.fromkeys(of_its_row)} == {**event, **dict.fromkeys(of_its_row)}
    assert again["turn"] > event["turn"], "whoever reads events on is told of it once more"
    view = await desk.resume(handle, await desk.view(handle))
    await to_the_end(desk, handle)


async def test_a_number_given_to_two_issues_is_told_until_one_of_them_is_registered_anew(
    desk: StoryDesk, owner: "asyncpg.Connection[Any]"
) -> None:
    """A register that lost an issue and its count, and was never compared with Temporal, as by a
    version before: it gives the number to the next one.
    """
    lost_intake = await desk.intake(title="known to Temporal alone")
    first, view = await desk.register(lost_intake)
    await desk.accept(first, view)
    await eventually(partial(all_said, desk))  # nobody else is to look into the register meanwhile
    async with owner.transaction():
        await owner.execute("TRUNCATE issues CASCADE")
        await owner.execute("DELETE FROM serials")
        await owner.execute("UPDATE standing SET proof = this_server()")
    second, other = await desk.open()
    assert other.number == view.number
    both = [FindingKind.NUMBER_TWICE, FindingKind.REGISTER_BEHIND]
    assert await kinds(desk) == both
    report = await repaired(desk)
    assert not report.whole
    outcomes = {each.finding.kind: each.outcome for each in report.repaired}
    assert outcomes[FindingKind.REGISTER_BEHIND] == "its number is another issue's by now"
    assert outcomes[FindingKind.NUMBER_TWICE] == ADVICE[FindingKind.NUMBER_TWICE].to_do
    (twice,) = [f for f in report.repaired if f.finding.kind is FindingKind.NUMBER_TWICE]
    assert twice.finding.seen == (
        f"{view.number} is {second.id} in the register, and was given to {first.id}"
    )
    assert await desk.steps(second) == ["registered"]
    assert await kinds(desk) == both
    await first.terminate("two customers had one number: registered anew")
    again, anew = await desk.register(lost_intake)
    assert (again.id, anew.number) != (first.id, view.number)
    assert await kinds(desk) == []
    await to_the_end(desk, second)
    await to_the_end(desk, again)


async def all_said(desk: StoryDesk) -> bool:
    return not await desk.pool.fetchval("SELECT count(*) FROM outbox WHERE settled_at IS NULL")


async def test_numbers_about_to_be_given_out_again_go_on_above_the_highest(
    desk: StoryDesk,
) -> None:
    _, first = await desk.open()
    await desk.open()
    await desk.pool.execute("UPDATE serials SET last = 1")
    assert await kinds(desk) == [FindingKind.SERIALS_BEHIND]
    await mends(desk)
    handle, third = await desk.open()
    assert int(third.number[-4:]) == int(first.number[-4:]) + 2
    await to_the_end(desk, handle)


async def test_an_issue_that_is_neither_here_nor_there_is_named(desk: StoryDesk) -> None:
    report = await repaired(desk, "20200101-07-0001")
    assert report.unknown == ("20200101-07-0001",)
    assert not report.whole


@pytest.mark.usefixtures("_broken")
class TestOfARegisterThatRefuses:
    async def test_an_issue_that_cannot_be_registered_is_found_and_registers_when_it_can(
        self, desk: StoryDesk
    ) -> None:
        Broken.refuses = {ActionName.REGISTERED}
        intake = await desk.intake()
        opening = asyncio.create_task(desk.register(intake))
        handle = desk.env.client.get_workflow_handle(intake.issue_id)

        async def there() -> bool:
            try:
                await handle.describe()
            except RPCError:
                return False
            return True

        await eventually(there)
        assert FindingKind.NOT_REGISTERED in await kinds(desk)
        Broken.refuses = set()
        report = await repaired(desk)
        assert report.whole, report
        await opening
        await to_the_end(desk, handle)

    async def test_a_step_that_fails_again_and_again_and_an_alarm_nobody_heard_are_found(
        self, desk: StoryDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(judging, "MANY_ATTEMPTS", 4)
        monkeypatch.setattr(deep_audit, "ALARM_LATE", timedelta(0))
        Broken.refuses = {ActionName.THRESHOLD}
        # Three quarters of the three days are over, and nothing else was promised that is ahead.
        handle, _ = await desk.open(reported_at=desk.real("2026-03-05 14:00"))
        found: list[Any] = []

        async def failing() -> bool:
            found[:] = (await audited(desk)).findings
            return FindingKind.RETRYING in {finding.kind for finding in found}

        await eventually(failing)
        assert {f.kind for f in found} >= {FindingKind.RETRYING, FindingKind.ALARM_MISSED}
        retrying = next(f for f in found if f.kind is FindingKind.RETRYING)
        assert "a defect of ours" in retrying.seen
        Broken.refuses = set()
        report = await repaired(desk)
        assert report.whole, report
        assert "threshold" in await desk.steps(handle)
        await to_the_end(desk, handle)

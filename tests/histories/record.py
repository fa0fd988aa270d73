"""Record histories: ``python -m tests.histories.record path …``, of new paths; without a path, all.

All only while no workflow of the older code runs in production; otherwise keep the histories, and
guard the change with ``workflow.patched()``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import FailureError
from temporalio.testing import WorkflowEnvironment

from activities import audit, deep_audit, judging
from domain import contract as names
from domain.findings import RepairOrder
from domain.issue.actions import ActionName, ReportProgress, Withdraw
from runtime import aio, postgres
from runtime.embedded.servers import EmbeddedPostgres
from runtime.migrate import migrate
from store import issue_reader
from store.connection import Pool
from tests.histories import fingerprint
from tests.histories.fingerprint import HISTORIES
from tests.histories.paths import BEGINS, PATHS, WHOLE, grown
from tests.support.harness import AGENT, Handle, early_server, engineer, story_desk
from tests.support.reporting import WORKDAY, reporting
from tests.support.skipping import skipping_server
from workflows.repair import DeepAuditWorkflow, RepairWorkflow

REPAIR, REPORTS = "repair", "reports"


async def record(wanted: list[str]) -> None:
    """Play the stories and write what Temporal kept of them."""
    with tempfile.TemporaryDirectory() as home:
        async with EmbeddedPostgres(Path(home)) as server:
            await migrate(server.owner_url, server.url)
            async with postgres.pool(server.url, size=10) as pool, skipping_server() as clock:
                for name in [name for name in wanted or PATHS if name in PATHS]:
                    async with story_desk(clock, pool, BEGINS, whole=name in WHOLE) as desk:
                        handle = await PATHS[name](desk)
                        try:
                            await desk.ended(handle)
                        except WorkflowFailureError as ended:
                            if not isinstance(ended.cause, FailureError):
                                raise
                        await write(handle, name)
                        for carried_through in desk.replans:
                            await write(carried_through, "replan")
                if not wanted:
                    await record_continued(Path(home), pool)
                if not wanted or REPORTS in wanted:
                    await record_reports(clock, pool)
                if not wanted or REPAIR in wanted:
                    await record_repair(Path(home) / REPAIR, pool)
    fingerprint.write()


async def record_continued(home: Path, pool: Pool) -> None:
    """Record the two runs of a long issue; only a real server asks for the second."""
    async with early_server(home) as env, story_desk(env, pool, BEGINS) as desk:
        handle = await grown(desk)
        stored = await issue_reader.living(pool)
        first = next(issue.run for issue in stored if issue.id == handle.id)
        await write(env.client.get_workflow_handle(handle.id, run_id=first), "continued_first_run")
        progress = ReportProgress(by=engineer(await desk.view(handle)), note="done tomorrow")
        await desk.act(handle, ActionName.REPORT_PROGRESS, progress)
        withdraw = Withdraw(by=AGENT, reason="it works again")
        await desk.act(handle, ActionName.WITHDRAW, withdraw)
        await handle.result()
        last = env.client.get_workflow_handle(handle.id)
        await write(last, "continued_second_run")


async def record_repair(home: Path, pool: Pool) -> None:
    """Record an audit and a repair that finds messages to bring out; only a real server lists what
    runs.
    """
    audit.SETTLING = judging.OPERATORS_CLOSED = deep_audit.APART = timedelta(0)
    home.mkdir()
    async with early_server(home) as env, story_desk(env, pool, BEGINS) as desk:
        handle, _ = await desk.open()
        await handle.terminate("by an operator")
        for run, arguments, name in (
            (DeepAuditWorkflow.run, [], "deep_audit"),
            (RepairWorkflow.run, [RepairOrder()], REPAIR),
        ):
            done = await env.client.start_workflow(
                run, args=arguments, id=name, task_queue=names.ISSUES
            )
            await done.result()
            await write(done, name)


async def record_reports(clock: WorkflowEnvironment, pool: Pool) -> None:
    """Record a look at what is due, and a report that is issued."""
    async with reporting(clock, pool, WORKDAY, "2026-09", "2026-Q3") as desk:
        first, *_ = await desk.look()
        issued = clock.client.get_workflow_handle(f"report:{first}")
        description = await issued.describe()
        looked = description.parent_id or ""
        await write(clock.client.get_workflow_handle(looked), REPORTS)
        await write(issued, "report")


async def write(handle: Handle, name: str) -> None:
    """Write one history, without what only says where and when it was recorded."""
    history = json.loads((await handle.fetch_history()).to_json())
    text = json.dumps(_slim(history), ensure_ascii=False, separators=(",", ":"))
    (HISTORIES / f"{name}.json").write_text(text + "\n", encoding="utf-8")


_DROPPED = {"identity", "meteringMetadata", "stackTrace"}


def _slim(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _slim(item) for key, item in value.items() if key not in _DROPPED}
    return [_slim(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    aio.run(record(sys.argv[1:]))

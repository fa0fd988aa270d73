"""A desk that only reports, under a clock that skips: what its activities hold for the time is set
by hand, as the calendar of a story is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.notification import Notification
from activities.recording import Recording
from activities.reports import Reports
from activities.sending import About, DeliveryRefused
from domain import contract as names
from domain.issue.lifecycle import register
from domain.reports.definitions import REPORTS
from domain.reports.editions import Issued, Order
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import roster, rulebooks
from store.connection import Pool
from tests.support.builders import LINKS, an_intake
from tests.support.harness import KeepsDeadlines, Mailbox, has_ended
from workflows.reports import ReportsWorkflow, ReportWorkflow

BEFORE = datetime(2026, 9, 22, 2, tzinfo=UTC)
WORKDAY = datetime(2026, 10, 8, 0, 30, tzinfo=UTC)
"""08:30 in Shanghai, of the first working day after National Day."""


@dataclass
class Post(Mailbox):
    """Every channel, which may say no for good."""

    refuses: bool = False

    async def send(
        self, url: str, to: str, subject: str, body: str, about: About | None = None
    ) -> None:
        if self.refuses:
            raise DeliveryRefused("it was switched off")
        await super().send(url, to, subject, body, about)


@dataclass
class ReportingDesk:
    """A desk that only reports; ``now`` is what its activities hold for the time."""

    env: WorkflowEnvironment
    pool: Pool
    now: datetime
    mailbox: Post = field(default_factory=Post)
    dies: bool = False
    """The worker dies after its next edition is written, before Temporal hears of it."""

    async def look(self) -> list[str]:
        """Let the schedule come once; return what was begun, when all of that has ended."""
        with self.env.auto_time_skipping_disabled():
            begun: list[str] = await self.env.client.execute_workflow(
                ReportsWorkflow.run, id=f"reports-{uuid4()}", task_queue=names.ISSUES
            )
        for id_ in begun:
            await self.ended(id_)
        return [id_.removeprefix("report:") for id_ in begun]

    async def ended(self, id_: str) -> Issued:
        """Let the clock run until a workflow ends."""
        handle = self.env.client.get_workflow_handle(id_, result_type=Issued)
        step = timedelta(seconds=10)
        while not await has_ended(handle):
            assert step < timedelta(days=60), f"{id_} does not end"
            with suppress(RPCError):  # the clock stands still while an activity runs
                await self.env.sleep(step)
            step *= 2
        issued: Issued = await handle.result()
        return issued

    async def editions(self) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT report, period, edition FROM report_editions ORDER BY issued_at, 1, 2"
        )
        return [f"{row['report']}:{row['period']}:{row['edition']}" for row in rows]

    @activity.defn(name=names.ISSUE_REPORT)
    async def issue_report(self, order: Order) -> Issued:
        issued = await self.reports.issue_report(order)
        if self.dies:
            self.dies = False
            raise ApplicationError("the worker died here")
        return issued

    @cached_property
    def reports(self) -> Reports:
        return Reports(self.pool, "https://desk.example", lambda: self.now)


@asynccontextmanager
async def reporting(
    env: WorkflowEnvironment, pool: Pool, now: datetime, *issued: str
) -> AsyncIterator[ReportingDesk]:
    """Bring up a desk to which one issue came two weeks before the holidays, and that has
    ``issued`` all its reports of these periods.
    """
    async with pool.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        standard = rulebook.load(ROOT / "policies" / "standard.toml")
        await rulebooks.adopt(connection, standard, by="test", note="")
    intake = an_intake(region="广东", reported_at=BEFORE, occurred_at=None)
    step = register(intake, BEFORE).model_copy(update={"run": "1"})
    await Recording(pool, LINKS).record_step(step)
    await pool.execute("UPDATE outbox SET status = 'delivered', settled_at = now()")
    await pool.execute(
        """
        INSERT INTO report_editions
            (report, period, edition, counted, rulebook, counted_at, issued_at)
        SELECT report, period, 1, '{}', '', now(), now()
        FROM unnest($1::text[]) report, unnest($2::text[]) period ON CONFLICT DO NOTHING
        """,
        *(list(REPORTS), list(issued)),
    )
    desk = ReportingDesk(env, pool, now)
    activities: list[Any] = [
        desk.reports.reports_due,
        desk.issue_report,
        desk.reports.reports_by_hand,
    ]
    # By the server's clock: channels have slots, for which somebody waits.
    delivering = Notification(
        pool, desk.mailbox, lambda: activity.info().current_attempt_scheduled_time
    )
    async with (
        Worker(
            env.client,
            task_queue=names.ISSUES,
            workflows=[ReportsWorkflow, ReportWorkflow],
            activities=activities,
        ),
        Worker(
            env.client,
            task_queue=names.NOTIFICATIONS,
            activities=[delivering.deliver_messages],
            interceptors=[KeepsDeadlines()],
        ),
    ):
        yield desk

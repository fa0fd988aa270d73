"""A whole desk under a clock that skips: real workflows, real registers, a channel that remembers.

The calendars are consulted in a story's time (see ``Rehearsal``), so that a test written today
plays over the National Day week of 2025; ``story`` and ``real`` translate.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
)

from activities.audit import Audit
from activities.catching_up import CatchingUp
from activities.complaints import Complaints
from activities.deep_audit import DeepAudit
from activities.merging import Merging
from activities.notification import Notification
from activities.recording import Recording
from activities.remedies import Remedies
from activities.repairing import Repairing
from activities.replanning import Replanning
from activities.sending import About, DeliveryFailed
from domain import contract as names
from domain.issue.actions import (
    PUBLIC_ACTIONS,
    Accept,
    Act,
    ActionName,
    Reassign,
    RecordCallback,
    Resolve,
    Resume,
    WaitForCustomer,
    Withdraw,
)
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.sla.clock import Rehearsal
from domain.sla.promise import CALLS, OVERSIGHT, PromiseKind
from domain.sla.replanning import Order, Report
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Actor, Role
from inbound.files.roster import first_of, read_roster
from runtime import rulebook as rulebooks_on_disk
from runtime.embedded.ports import free_ports
from runtime.embedded.servers import EmbeddedTemporal
from runtime.settings import ROOT
from runtime.starting import arguments
from runtime.temporal import plugin, register_search_attributes
from store import roster, rulebooks
from store.connection import Pool
from tests.support.builders import LINKS
from tests.support.patience import PATIENCE
from worker import WORKFLOWS, replays
from workflows.issue import IssueWorkflow
from workflows.replan import ReplanWorkflow
from workflows.search_attributes import SEARCH_ATTRIBUTES

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLERK = Actor(id="fan.meiling", role=Role.CLERK)
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)
AGENT = Actor(id="agent", role=Role.AGENT)
MANAGER = Actor(id="sun.li", role=Role.MANAGER)
CUSTOMER = Actor(id="chen.hong", role=Role.CUSTOMER)
STANDARD = ROOT / "policies" / "standard.toml"
LEFT_OUT = OVERSIGHT | CALLS | {PromiseKind.WAITING}
"""What a story about something else does without."""
LIFETIME = timedelta(days=1000)
"""No test may run for ever; longer than any story."""

Handle = WorkflowHandle[Any, Any]


def at(text: str) -> datetime:
    """Read ``2026-09-30 16:00`` as Shanghai time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def begun_before(intake: Intake) -> list[Any]:
    """What an issue was started with before steps had names: instead of ``arguments``."""
    return [None, intake]


@dataclass
class Mailbox:
    """Stands in for every channel: remembers what arrived, fails for the dead ones."""

    arrived: list[tuple[str, str, str]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)

    async def send(
        self, url: str, to: str, subject: str, body: str, _: About | None = None
    ) -> None:
        if any(f"/{name}/" in url for name in self.dead):
            raise DeliveryFailed("nobody there")
        self.arrived.append((to, subject, body))


@dataclass
class StoryDesk:
    """A desk whose story begins at a chosen instant."""

    env: WorkflowEnvironment
    pool: Pool
    rulebook: Rulebook
    mailbox: Mailbox
    handles: list[Handle] = field(default_factory=list)
    replans: list[Handle] = field(default_factory=list)

    # The clock --------------------------------------------------------------------------------

    def story(self, instant: datetime | None) -> str:
        """Show a real instant in the story's local time, to the minute."""
        assert instant is not None
        rehearsal = self.rulebook.policy.rehearsal
        assert rehearsal is not None
        return f"{rehearsal.to_story(instant).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"

    def real(self, text: str) -> datetime:
        """Turn the story's local time into the real instant."""
        rehearsal = self.rulebook.policy.rehearsal
        assert rehearsal is not None
        return rehearsal.to_reality(at(text))

    async def until(self, text: str) -> None:
        """Let the clock run to that minute of the story (a second into it: nothing is on the edge).

        It stands still while an activity runs, so whatever was due by then has been delivered.
        """
        left = self.real(text) - await self.env.get_current_time()
        assert left > timedelta(0), f"it is past {text} already"
        await self.passes(left + timedelta(seconds=1))

    async def passes(self, time: timedelta) -> None:
        """Let that much time go by, however long the activities in it hold the clock.

        The SDK gives up after half a minute of ours; the server sleeps on, and is watched.
        """
        end = await self.env.get_current_time() + time
        try:
            await self.env.sleep(time)
        except RPCError as error:
            if error.status is not RPCStatusCode.CANCELLED:
                raise
            async with asyncio.timeout(PATIENCE):
                while await self.env.get_current_time() < end:
                    await asyncio.sleep(0.1)

    async def settle(self) -> None:
        """Let what is under way come to an end."""
        await self.passes(timedelta(seconds=1))

    async def minute(self) -> datetime:
        """Return the whole minute of the story that it is now, as a real instant."""
        return self.real(self.story(await self.env.get_current_time()))

    # What intake systems and people do --------------------------------------------------------

    async def intake(self, **changes: Any) -> Intake:
        """Make an intake that came in now."""
        facts: dict[str, Any] = {
            "source": "hotline",
            "reference": uuid4().hex[:12],
            "channel": "telephone",
            "kind": "fault",
            "category": "technical",
            "product_line": "ATM",
            "region": "广东",
            "agent": "07",
            "customer": {"name": "Chen Hong", "phone": "+86 138 0000 0001"},
            "title": "ATM does not dispense",
            "reported_at": await self.minute(),
        }
        return Intake.model_validate(facts | changes)

    async def open(self, **changes: Any) -> tuple[Handle, IssueView]:
        """Register an issue the way intake systems do."""
        return await self.register(await self.intake(**changes))

    async def register(
        self, intake: Intake, *, id_: str | None = None, update_id: str | None = None
    ) -> tuple[Handle, IssueView]:
        """Hand in an intake, under its own workflow id if no other is given."""
        start = WithStartWorkflowOperation(
            IssueWorkflow.run,
            args=arguments(intake),
            id=id_ or intake.issue_id,
            task_queue=names.ISSUES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            execution_timeout=LIFETIME,
        )
        try:
            view = await self.env.client.execute_update_with_start_workflow(
                "registered",
                intake,
                start_workflow_operation=start,
                id=update_id,
                result_type=IssueView,
            )
        finally:
            handle = await start.workflow_handle()
            self.handles.append(handle)
        return handle, view

    async def begin(self, intake: Intake) -> Handle:
        """Start the workflow of that intake, and hear nothing of it."""
        handle = await self.env.client.start_workflow(
            IssueWorkflow.run,
            args=arguments(intake),
            id=intake.issue_id,
            task_queue=names.ISSUES,
            execution_timeout=LIFETIME,
        )
        self.handles.append(handle)
        return handle

    async def start(self, intake: Intake) -> Handle:
        """Start the workflow of that intake as the first version did, and tell it nothing."""
        handle = await self.env.client.start_workflow(
            IssueWorkflow.run,
            id=intake.issue_id,
            task_queue=names.ISSUES,
            execution_timeout=LIFETIME,
        )
        self.handles.append(handle)
        return handle

    async def act(
        self, handle: Handle, name: ActionName, act: Act, update_id: str | None = None
    ) -> IssueView:
        view: IssueView = await handle.execute_update(
            name.value, act, id=update_id, result_type=IssueView
        )
        return view

    async def do(self, handle: Handle, name: ActionName, by: Actor, **said: Any) -> IssueView:
        """Take any action, now."""
        act = PUBLIC_ACTIONS[name].model_validate({"by": by, "at": await self.minute()} | said)
        return await self.act(handle, name, act)

    async def accept(self, handle: Handle, view: IssueView) -> IssueView:
        act = Accept(by=engineer(view), at=await self.minute())
        return await self.act(handle, ActionName.ACCEPT, act)

    async def resolve(self, handle: Handle, view: IssueView) -> IssueView:
        act = result(view).model_copy(update={"at": await self.minute()})
        return await self.act(handle, ActionName.RESOLVE, act)

    async def wait(self, handle: Handle, view: IssueView) -> IssueView:
        act = WaitForCustomer(
            by=engineer(view), at=await self.minute(), reason="the branch has to open the vault"
        )
        return await self.act(handle, ActionName.WAIT_FOR_CUSTOMER, act)

    async def resume(self, handle: Handle, view: IssueView) -> IssueView:
        act = Resume(by=engineer(view), at=await self.minute())
        return await self.act(handle, ActionName.RESUME, act)

    async def reassign(self, handle: Handle, to: str | None) -> IssueView:
        act = Reassign(by=LEAD, at=await self.minute(), to=to, reason="nearer to the site")
        return await self.act(handle, ActionName.REASSIGN, act)

    async def withdraw(self, handle: Handle) -> IssueView:
        act = Withdraw(by=AGENT, at=await self.minute(), reason="it works again")
        return await self.act(handle, ActionName.WITHDRAW, act)

    async def callback(self, handle: Handle, *, running: bool | None) -> IssueView:
        """Record a callback; ``running`` None means not reached."""
        act = RecordCallback(
            by=CLERK, at=await self.minute(), reached=running is not None, running=running
        )
        return await self.act(handle, ActionName.RECORD_CALLBACK, act)

    async def ended(self, handle: Handle) -> IssueView:
        """Let the clock run on until the workflow ends; raises what its result does.

        The clock goes in steps: left to itself it would run as far as the execution timeout.
        """
        step = timedelta(seconds=1)
        while not await has_ended(handle):
            assert step < timedelta(days=60), f"{handle.id} does not end"
            await self.passes(step)
            step *= 2
        view: IssueView = await handle.result()
        return view

    async def cancel(self, handle: Handle) -> None:
        """Cancel the workflow as an operator does, and see it answer."""
        await handle.cancel()
        await self._seen(handle)

    async def complete(self, handle: Handle, act: Resolve) -> None:
        """Signal completion, and see it arrive."""
        await handle.signal("complete", act)
        await self._seen(handle)

    async def _seen(self, handle: Handle) -> None:
        # Time would be skipped over the workflow task; a query is answered after it.
        await handle.query("view")

    # What managers do -------------------------------------------------------------------------

    async def load(self, rulebook: Rulebook) -> Report:
        """Load a rulebook, and see the open issues planned again by it."""
        adoption = await self.adopt(rulebook)
        return await self.replan(adoption)

    async def adopt(self, rulebook: Rulebook) -> int:
        """Load a rulebook; the issues hear of it later."""
        async with self.pool.acquire() as connection, connection.transaction():
            adoption = await rulebooks.adopt(connection, rulebook, by="test", note="")
        assert adoption is not None, "it counts already"
        return adoption.id

    async def replan(self, adoption: int) -> Report:
        """Have the open issues planned again."""
        handle = await self.env.client.start_workflow(
            ReplanWorkflow.run,
            Order(adoption=adoption, per_second=1000),
            id=f"replan-{uuid4().hex}",
            task_queue=names.ISSUES,
        )
        self.replans.append(handle)
        step = timedelta(seconds=1)
        while not await has_ended(handle):  # the clock skips over the wait for the next round
            await self.passes(step)
            step = min(2 * step, timedelta(minutes=1))
        with self.env.auto_time_skipping_disabled():  # or asking alone would let years go by
            return await handle.result()

    # What can be seen -------------------------------------------------------------------------

    async def view(self, handle: Handle) -> IssueView:
        view: IssueView = await handle.query("view", result_type=IssueView)
        return view

    async def told(self, handle: Handle, *after: str) -> list[tuple[str, str, str]]:
        """List when (in the story), whom and in which wording somebody was told, in order;
        ``after`` leaves out what was written up to that time.
        """
        since = self.real(after[0]) if after else None
        rows = await self.pool.fetch(
            """
            SELECT created_at, recipient, template FROM outbox
            WHERE issue_id = $1 AND ($2::timestamptz IS NULL OR created_at > $2)
            ORDER BY created_at, seq, template, recipient
            """,
            handle.id,
            since,
        )
        return [(self.story(r["created_at"]), r["recipient"], r["template"]) for r in rows]

    async def ledger(self, handle: Handle) -> dict[str, tuple[str, str]]:
        """Show the ledger's promises of the issue: due (in the story) and how they stand."""
        rows = await self.pool.fetch(
            "SELECT * FROM promises WHERE issue_id = $1 ORDER BY generation, made_at, attempt",
            handle.id,
        )
        return {
            f"{r['kind']}.{r['generation']}" + (f".{r['attempt']}" if r["attempt"] > 1 else ""): (
                self.story(r["due_at"]),
                str(r["outcome"]),
            )
            for r in rows
        }

    async def steps(self, handle: Handle) -> list[str]:
        """List the actions the register has of the issue."""
        rows = await self.pool.fetch(
            "SELECT action FROM issue_events WHERE issue_id = $1 ORDER BY seq", handle.id
        )
        return [row["action"] for row in rows]


def engineer(view: IssueView) -> Actor:
    assert view.engineer is not None, f"{view.number} is with nobody"
    return Actor(id=view.engineer.id, role=Role.ENGINEER)


def result(view: IssueView) -> Resolve:
    return Resolve(by=engineer(view), result="card reader replaced", cause="worn out")


def refusal(error: WorkflowUpdateFailedError) -> ApplicationError:
    """Return what the desk said."""
    assert isinstance(error.cause, ApplicationError)
    return error.cause


def stand(view: IssueView) -> dict[str, str]:
    """Show how the promises stand, by their key."""
    return {promise.key: promise.end.value for promise in view.promises}


async def status(handle: Handle) -> str:
    """Say how the workflow stands. Not by ``describe``: the test server keeps labels that were
    unset as null, which the SDK cannot read; a real server forgets them.
    """
    last = (await handle.fetch_history()).events[-1].event_type
    return EventType.Name(last).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_").lower()


async def eventually(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait on a real server, whose time nobody can skip, until something is true."""
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.05)


async def has_ended(handle: Handle) -> bool:
    return await status(handle) in {"completed", "canceled", "terminated", "timed_out", "failed"}


async def history_length(handle: Handle) -> int:
    return len((await handle.fetch_history()).events)


async def traces(handle: Handle) -> list[str]:
    """List what happened in the history. Workflow tasks are left out: this server keeps the task of
    a refused update, a real one does not.
    """
    names_of = (EventType.Name(event.event_type) for event in (await handle.fetch_history()).events)
    return [name for name in names_of if "WORKFLOW_TASK" not in name]


@asynccontextmanager
async def early_server(home: Path, after: int = 40) -> AsyncIterator[WorkflowEnvironment]:
    """Start a real server, on real time, that asks early for a new run: after so many events."""
    port, ui_port = free_ports(2)
    early = {"limit.historyCount.suggestContinueAsNew": str(after)}
    async with EmbeddedTemporal(home, port, ui_port, early, durable=False) as server:
        client = await Client.connect(server.address, plugins=[plugin()], identity="desk")
        await register_search_attributes(client, SEARCH_ATTRIBUTES)
        yield WorkflowEnvironment.from_client(client)


@asynccontextmanager
async def story_desk(
    env: WorkflowEnvironment,
    pool: Pool,
    begins: str,
    policy_file: Path = STANDARD,
    *,
    whole: bool = False,
) -> AsyncIterator[StoryDesk]:
    """Bring up a desk with a policy and its roster, or else that of the examples, at ``begins``.

    Unless it is the ``whole`` policy, nobody is relieved at the end of a shift, nobody is reminded
    that they wait, no agent is to call, and an issue is over when it is closed: nobody scores or
    rates it.
    What still runs in the end is terminated: the server's next desk has other registers.
    """
    standard = rulebooks_on_disk.load(policy_file)
    rehearsal = Rehearsal(
        story_begins=at(begins), really_begins=await env.get_current_time(), speed=1
    )
    promises = tuple(
        rule for rule in standard.policy.promises if whole or rule.promise not in LEFT_OUT
    )
    reliefs = standard.policy.reliefs if whole else ()
    changes = {"rehearsal": rehearsal, "promises": promises, "reliefs": reliefs}
    current = standard.with_policy(standard.policy.model_copy(update=changes))
    async with pool.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(first_of(policy_file)))
        await rulebooks.adopt(connection, current, by="test", note="")
    mailbox = Mailbox()
    desk = StoryDesk(env, pool, current, mailbox)
    recording = Recording(pool, LINKS)
    deep = DeepAudit(pool)
    remedies = Remedies(pool, recording, CatchingUp(pool, LINKS), replays)
    async with (
        Worker(
            env.client,
            task_queue=names.ISSUES,
            workflows=[*WORKFLOWS],
            activities=[
                *recording.activities(),
                Audit(pool, recording).audit_register,
                deep.deep_audit,
                Repairing(pool, deep, remedies).repair_issues,
                Replanning(pool, _server_time).replan_issues,
                Complaints(pool).raise_complaint,
                Merging(pool).ask_survivor,
            ],
        ),
        Worker(
            env.client,
            task_queue=names.NOTIFICATIONS,
            activities=[Notification(pool, mailbox, _server_time).deliver_messages],
            interceptors=[KeepsDeadlines()],
        ),
    ):
        try:
            yield desk
        finally:
            # The server's clock would stand still for ever over an activity cut off here.
            if env.supports_time_skipping:
                await desk.settle()
            born = await pool.fetch("SELECT id FROM issues WHERE arises_from IS NOT NULL")
            others = (env.client.get_workflow_handle(row["id"]) for row in born)
            for handle in (*desk.handles, *others):
                with suppress(RPCError):  # it has ended
                    await handle.terminate("the test is over")


class KeepsDeadlines(Interceptor):
    """Ends an activity that is past its schedule-to-close: the skipping server, unlike a real one,
    was once seen to try one again for days after that.
    """

    def intercept_activity(
        self,
        next: ActivityInboundInterceptor,  # noqa: A002  the name in the SDK
    ) -> ActivityInboundInterceptor:
        return _KeepsDeadline(next)


class _KeepsDeadline(ActivityInboundInterceptor):
    async def execute_activity(
        self,
        input: ExecuteActivityInput,  # noqa: A002  the name in the SDK
    ) -> Any:
        info = activity.info()
        limit = info.schedule_to_close_timeout
        if limit and info.current_attempt_scheduled_time > info.scheduled_time + limit:
            raise ApplicationError("past its schedule-to-close", non_retryable=True)
        return await super().execute_activity(input)


def _server_time() -> datetime:
    """Return the skipping clock's time, which only an activity is told without asking."""
    return activity.info().current_attempt_scheduled_time

"""The desk's client: what intake systems and people's tools call.

Every call is safe to repeat. Refusals come as ``Refused`` with a stable type and a sentence a
person can act on.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.actions import Act, ActionName, Reassign, Resolve
from domain.duty import Duty
from domain.intake import Intake
from domain.staffing import Stranded, stranded
from domain.view import IssueView
from domain.vocabulary import Actor, Role
from store import AWAY, reading, roster, rulebooks
from store.reading import Filter, Unsettled
from workflows.issue import IssueWorkflow

TASK_QUEUE = "issues"
ANSWER_WITHIN = timedelta(seconds=30)
"""How long a call waits. What was accepted by then is done all the same: ask again, or look."""
_REGIONS_KEPT = 30.0
_AWAY: tuple[type[Exception], ...] = (
    RPCError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    *AWAY,
)


class Refused(Exception):  # noqa: N818  a refusal is an answer
    """The desk says no, and why."""

    def __init__(self, type_: str, message: str) -> None:
        super().__init__(message)
        self.type = type_
        self.message = message


class Unavailable(Exception):  # noqa: N818  reads as what happened
    """The desk cannot answer now. Nothing is lost or half-done: send the same again."""


class Register:
    """Whoever only looks: needs PostgreSQL alone, also while Temporal is away. ``pool`` stays the
    caller's to close.
    """

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def show(self, number: str) -> IssueView:
        """Show an issue by its number (or workflow id), open or closed.

        Raises:
            Refused: ``NotFound``.
        """
        async with _answering():
            found = await reading.issue(self._pool, number)
        if found is None:
            raise Refused("NotFound", f"there is no issue {number}")
        return found

    async def issues(self, wanted: Filter) -> list[IssueView]:
        """List issues, nearest due first."""
        async with _answering():
            return await reading.issues(self._pool, wanted)

    async def undelivered(self) -> list[Unsettled]:
        """List messages that did not reach their recipient by their channel."""
        async with _answering():
            return await reading.undelivered(self._pool)

    async def actor(self, id_: str) -> Actor:
        """Say who somebody is by the roster.

        Raises:
            Refused: ``NotFound``.
        """
        async with _answering(), self._pool.acquire() as connection:
            member = await roster.member(connection, id_)
        if member is None:
            raise Refused("NotFound", f"{id_} is not on the roster")
        return Actor(id=member.id, role=member.role)


class Desk(Register):
    """Whoever acts. One per process; ``client`` and ``pool`` stay the caller's to close."""

    def __init__(self, client: Client, pool: asyncpg.Pool[Any]) -> None:
        super().__init__(pool)
        self._client = client
        self._regions: tuple[float, frozenset[str]] = (0.0, frozenset())

    async def open(self, intake: Intake) -> IssueView:
        """Register an issue, or find the one this intake became before (R1, R2).

        Raises:
            Refused: ``Invalid``; nothing was started.
            Unavailable: no answer in time.
        """
        start = WithStartWorkflowOperation(
            IssueWorkflow.run,
            id=intake.issue_id,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=_fit(f"{intake.kind} · {intake.product_line} · {intake.title}", 200),
            static_details=_static_details(intake),
        )
        async with _answering():
            await self.check(intake)
            try:
                answer: IssueView = await self._client.execute_update_with_start_workflow(
                    ActionName.REGISTERED.value,
                    intake,
                    start_workflow_operation=start,
                    # The same intake is the same update: a hundred at once are one.
                    id=f"registered-{_digest(intake)}",
                    result_type=IssueView,
                )
            except WorkflowAlreadyStartedError:
                return await self._ended(intake)
            except WorkflowUpdateFailedError as error:
                if (known := await self._known(intake)) is not None:
                    return known
                raise _refused(error) from error
            finally:
                _look_at(start)
        with suppress(*AWAY):
            # A repeated update is answered as it was the first time; much may have happened since.
            return await self._known(intake) or answer
        return answer

    async def check(self, intake: Intake) -> None:
        """Refuse what only the clock and the roster can tell, before anything is started.

        Raises:
            Refused: ``Invalid``.
        """
        if wrong := intake.impossible_date(datetime.now(UTC)):
            raise Refused("Invalid", wrong)
        if intake.region in self._regions[1]:
            return
        if time.monotonic() - self._regions[0] > _REGIONS_KEPT or not self._regions[1]:
            async with self._pool.acquire() as connection:
                found = frozenset(await roster.regions(connection))
            self._regions = (time.monotonic(), found)
        if intake.region not in self._regions[1]:
            known = ", ".join(sorted(self._regions[1])) or "none: import a roster first"
            raise Refused(
                "Invalid", f"region: no service centre serves {intake.region}; known: {known}"
            )

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        """Take an action of the contract; ``key`` makes a repeated call the same one.

        Raises:
            Refused: what the stage or the person does not allow, or there is no such issue.
            Unavailable: no answer in time.
        """
        async with _answering():
            handle = self._client.get_workflow_handle(await self._find(number))
            try:
                answer: IssueView = await handle.execute_update(
                    name.value, act, id=key or uuid4().hex, result_type=IssueView
                )
            except WorkflowUpdateFailedError as error:
                raise _refused(error) from error
            except RPCError as error:
                await self._refuse_if_ended(number, name, error)
                raise
        return answer

    async def complete(self, number: str, act: Resolve) -> None:
        """Signal completion, fire and forget (R12)."""
        async with _answering():
            handle = self._client.get_workflow_handle(await self._find(number))
            try:
                await handle.signal(IssueWorkflow.complete, act)
            except RPCError as error:
                await self._refuse_if_ended(number, ActionName.RESOLVE, error)
                raise

    async def _refuse_if_ended(self, number: str, name: ActionName, error: RPCError) -> None:
        """Say what Temporal's "not found" means here: the workflow is over."""
        if error.status is RPCStatusCode.NOT_FOUND:
            seen = await self.show(number)
            ended = f"{seen.number} is {seen.stage} ({seen.outcome})"
            raise Refused("NotAllowed", f"{ended}: {name} comes too late") from error

    async def hand_over_stranded(self, at: datetime | None = None) -> list[Stranded]:
        """Let the desk choose again for every issue that nobody has, or that whoever has it cannot
        go on with: they left, are off for longer than today, or are not certified any more (R16).
        ``at`` is real time, now if left out. Asking twice at once is asking once.

        Returns what the desk was asked about. Raises as ``act`` does: what was not asked about by
        then is found the next time.
        """
        async with _answering(), self._pool.acquire() as connection:
            current = await rulebooks.current(connection)
            issues = await roster.open_issues(connection)
        found = stranded(issues, Duty(current), at or datetime.now(UTC)) if current else []
        asked = []
        for each in found:
            act = Reassign(by=Actor(id="roster", role=Role.SYSTEM), reason=each.reason)
            with suppress(Refused):  # it went on meanwhile: resolved, or given to another
                await self.act(each.id, ActionName.REASSIGN, act, key=each.update_id)
                asked.append(each)
        return asked

    async def _known(self, intake: Intake) -> IssueView | None:
        return await reading.by_reference(self._pool, intake.source, intake.reference)

    async def _ended(self, intake: Intake) -> IssueView:
        """The issue this intake became has ended: it is still the same issue."""
        known = await self._known(intake)
        if known is None:
            raise Refused(
                "NotAllowed",
                f"{intake.source} {intake.reference} was never registered with a valid intake and "
                "its time is over: send it under a new reference",
            )
        return known

    async def _find(self, number: str) -> str:
        id_ = await reading.workflow_id(self._pool, number)
        if id_ is None:
            raise Refused("NotFound", f"there is no issue {number}")
        return id_


def _static_details(intake: Intake) -> str:
    """What is known from the start, for the Web UI. No customer data (R30)."""
    return "\n".join(
        (
            f"**{intake.title}**",
            "",
            f"- 来源 Source: {intake.source} {intake.reference} ({intake.channel})",
            f"- 类别 Kind: {intake.kind}, {intake.category}, {intake.severity}",
            f"- 产品 Product: {intake.product_line} {intake.model or ''}",
            f"- 地区 Region: {intake.region}",
        )
    )


def _fit(text: str, size: int) -> str:
    """Cut to ``size`` bytes of UTF-8, which is how Temporal counts."""
    return text.encode()[:size].decode(errors="ignore")


def _digest(intake: Intake) -> str:
    return hashlib.sha256(intake.model_dump_json().encode()).hexdigest()[:16]


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return Refused(cause.type or "Invalid", cause.message)
    return Unavailable(f"the desk could not carry it out: {cause}")


def _look_at(start: WithStartWorkflowOperation[Any, Any]) -> None:
    """The SDK leaves a failed start in the operation too: asyncio complains if nobody looks."""
    handle = start._workflow_handle  # noqa: SLF001 - the public way waits for it
    if handle.done() and not handle.cancelled():
        handle.exception()


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Bound a call in time, and say plainly when a server that it needs is away.

    Raises:
        Unavailable: no answer, or none in time.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            yield
    except _AWAY as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # the SDK makes an error of its own of that
            raise asyncio.CancelledError from error
        reason = str(error) or f"no answer within {ANSWER_WITHIN.total_seconds():g} s"
        raise Unavailable(
            f"the desk does not answer now ({reason}): send the same again"
        ) from error

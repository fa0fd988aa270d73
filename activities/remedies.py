"""What is done about each kind of finding; then the issue takes a step that says why."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.audit import Audit
from activities.catching_up import CatchingUp, Gone, rewritten
from activities.recording import Recording
from domain.findings import Finding, Remedy
from domain.issue import lifecycle
from domain.issue.actions import Act, ActionName, BringByHand, Repair
from domain.vocabulary import DESK, Actor, Role
from runtime import histories
from runtime.histories import Replays
from runtime.lives import described
from runtime.starting import update_of
from store import AWAY, auditing, issue_reader, outbox, serials
from store.connection import Pool

TELLS_WHY = frozenset(Remedy) - {Remedy.RAISE_SERIALS, Remedy.BY_HAND}
"""After these the issue takes a step with the reason."""
FAILED: tuple[type[Exception], ...] = (
    *(Gone, RPCError, ApplicationError, LookupError, asyncpg.PostgresError, *AWAY),
    *(WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError),
)
"""What a remedy may fall over without the others being given up."""

_BY = Actor(id="repair", role=Role.SYSTEM)
_PATIENCE = timedelta(seconds=15)
"""How long an issue may take to answer; what it was asked it does all the same."""
_GIVEN_UP = timedelta(days=1)
_log = structlog.get_logger(__name__)


class Remedies:
    """``replays`` says whether today's workflows can replay a history."""

    def __init__(
        self,
        pool: Pool,
        recording: Recording,
        catching_up: CatchingUp,
        replays: Replays,
    ) -> None:
        self._pool = pool
        self._recording = recording
        self._audit = Audit(pool, recording)
        self._catching_up = catching_up
        self._replays = replays
        self._remedies: Mapping[Remedy, Callable[[Client, Finding], Awaitable[str]]] = {
            Remedy.CATCH_UP: self._catch_up,
            Remedy.RAISE_SERIALS: self._raise_serials,
            Remedy.REWRITE: self._rewrite,
            Remedy.RESET: self._reset,
            Remedy.ROUND: self._round,
            Remedy.REGISTER: self._register,
            Remedy.REMIND: self._ask_to_go_on,
            Remedy.DELIVER: self._hand_over,
            Remedy.BY_HAND: self._leave,
        }

    async def plan(self, client: Client, finding: Finding) -> str:
        """Say what would be done; nothing is. Raises what ``FAILED`` lists."""
        match finding.advice.remedy:
            case Remedy.CATCH_UP:
                lacking = await self._catching_up.lacking(client, finding.issue_id)
                return f"would write steps {', '.join(map(str, lacking)) or 'none'}"
            case Remedy.RESET:
                _, event = await self._good_task(client, finding.issue_id)
                return f"would reset it to event {event}"
        return finding.advice.to_do

    async def apply(self, client: Client, finding: Finding) -> str:
        """Do something about a finding, and say what. Raises what ``FAILED`` lists."""
        _log.warning("repairing", kind=finding.kind, issue_id=finding.issue_id, seen=finding.seen)
        return await self._remedies[finding.advice.remedy](client, finding)

    async def tell_why(self, client: Client, id_: str, reasons: str, once: str) -> Sequence[str]:
        """Let an issue take a step that says why it was repaired, ``once`` a repair; of one that
        no workflow lives any more, return the messages to be brought out.
        """
        key = f"repair:{hashlib.sha256(f'{once}:{reasons}'.encode()).hexdigest()[:16]}"
        act = Repair(by=_BY, reason=reasons)
        if not await _lives(client, id_):
            return await self._record(id_, ActionName.REPAIR, act, key)
        handle = client.get_workflow_handle(id_)
        await handle.execute_update(ActionName.REPAIR.value, act, id=key, rpc_timeout=_PATIENCE)
        return ()

    async def _record(self, id_: str, name: ActionName, act: Act, key: str) -> Sequence[str]:
        """Take a step of an issue that no workflow lives any more; return its messages."""
        issue = await issue_reader.state(self._pool, id_)
        run = await issue_reader.run_of(self._pool, id_)
        if issue is None or run is None:
            return ()
        step = lifecycle.decide(issue, name, act, datetime.now(UTC), key=key)
        recorded = await self._recording.record_step(step.model_copy(update={"run": run}))
        return [key for batch in recorded.batches for key in batch.keys]

    # One for each remedy ----------------------------------------------------------------------

    async def _catch_up(self, client: Client, finding: Finding) -> str:
        return f"written: {await self._catching_up.catch_up(client, finding.issue_id)}"

    async def _raise_serials(self, _: Client, __: Finding) -> str:
        async with self._pool.acquire() as connection, connection.transaction():
            await serials.go_on_above_all(connection)
        return "numbers go on above the highest"

    async def _rewrite(self, _: Client, finding: Finding) -> str:
        async with self._pool.acquire() as connection, connection.transaction():
            await auditing.lock(connection, finding.issue_id)
            await rewritten(connection, finding.issue_id)
        return "written again out of the events"

    async def _reset(self, client: Client, finding: Finding) -> str:
        found, event = await self._good_task(client, finding.issue_id)
        reason = f"{finding.advice.zh} {finding.seen}"
        await histories.reset(client, finding.issue_id, found.run_id, event, reason)
        return f"reset to event {event}"

    async def _good_task(
        self, client: Client, id_: str
    ) -> tuple[WorkflowExecutionDescription, int]:
        found = await described(client, id_)
        if found is None:
            raise Gone("Temporal has no such workflow")
        handle = client.get_workflow_handle(id_, run_id=found.run_id)
        event = await histories.last_good_task(await handle.fetch_history(), self._replays)
        if event is None:
            raise Gone("no part of its history can be replayed")
        return found, event

    async def _round(self, client: Client, finding: Finding) -> str:
        issue = (await issue_reader.lived(self._pool, [finding.issue_id])).get(finding.issue_id)
        if issue is None:
            raise Gone("the register does not have it any more")
        await self._audit.look_into(client, issue, datetime.now(UTC))
        return "seen to by the audit"

    async def _register(self, client: Client, finding: Finding) -> str:
        found = await described(client, finding.issue_id)
        if found is None:
            raise Gone("Temporal has no such workflow")
        intake = await histories.offered(client, finding.issue_id, found.run_id)
        if intake is None:
            raise Gone("nobody knows its intake")
        handle = client.get_workflow_handle(finding.issue_id)
        await handle.execute_update(
            ActionName.REGISTERED.value, intake, id=update_of(intake), rpc_timeout=_PATIENCE
        )
        return "registered"

    async def _ask_to_go_on(self, _: Client, __: Finding) -> str:
        return "asked to go on"

    async def _hand_over(self, client: Client, finding: Finding) -> str:
        """What no workflow brings out any more is brought out by the repair; what nobody can send,
        or could not for a day, is handed to a person.
        """
        if await _lives(client, finding.issue_id):
            return "asked to go on"
        async with self._pool.acquire() as connection:
            given_up = await outbox.given_up(
                connection, finding.issue_id, datetime.now(UTC) - _GIVEN_UP
            )
        if given_up:
            act = BringByHand(by=DESK, messages=tuple(given_up))
            await self._record(
                finding.issue_id, ActionName.HAND_OVER, act, f"hand_over:{given_up[0]}"
            )
        return f"{len(given_up)} handed to a person, the others are brought out"

    async def _leave(self, _: Client, finding: Finding) -> str:
        return finding.advice.to_do


async def _lives(client: Client, id_: str) -> bool:
    found = await described(client, id_)
    return found is not None and found.status is WorkflowExecutionStatus.RUNNING


def said(error: Exception) -> str:
    """Put into one line why a remedy failed."""
    cause = error.__cause__ if isinstance(error, WorkflowUpdateFailedError) else None
    if isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError):
        return "its workflow does not answer"
    if isinstance(error, asyncpg.UniqueViolationError):
        return "its number is another issue's by now"
    return " ".join(f"{type(error).__name__}: {cause or error}".split())[:300]

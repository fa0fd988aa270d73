"""The desk's client: what intake systems and people's tools call.

Every call is safe to repeat. Refusals come as ``Refused`` with a stable type and a sentence a
person can act on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.contract import DEFECT
from domain.errors import Refused
from domain.issue.actions import Act, ActionName, AddNote, CustomerWrote, Reassign, Resolve
from domain.issue.intake import SAID, Intake, differing
from domain.issue.thread import door_of
from domain.issue.view import IssueView
from domain.staff.duty import Duty
from domain.staff.known import Known
from domain.staff.staffing import Stranded, stranded
from domain.terms import Terms
from domain.texts import unseen
from domain.vocabulary import DESK, Actor, Role, Stage
from runtime.aio import within
from runtime.lives import Lives, catch_up, described
from runtime.starting import accepted, looked_at, registered, update_of
from starter.answering import ANSWER_WITHIN, Busy, Unavailable, answering
from starter.queueing import Queues
from starter.register import Register
from starter.repeats import OtherContent, Repeats
from store import AWAY, issue_reader, kept_words, roster, rulebooks, standing
from store.behind import Checking
from store.connection import Pool
from store.kept_words import Kept, Why
from store.rulebooks import Rulebooks
from store.standing import Unproved
from workflows.issue import IssueWorkflow

__all__ = [
    "ANSWER_WITHIN",
    "Busy",
    "Desk",
    "Kept",
    "Opened",
    "OtherContent",
    "Register",
    "Unavailable",
    "Why",
]

Answered = TypeVar("Answered")

_NUMBER_WITHIN = 15.0
"""Seconds a registration waits for its number, before it is content with being accepted."""
_PATIENCE = 2.0
"""Seconds without an answer after which Temporal is asked whether it is there."""
_GLANCE = 3.0
"""Seconds within which the register answers a small question, or counts as away."""
_AT_ONCE = 0.5
"""Seconds within which an issue that knows its number tells it."""
_NAMES_KEPT = 30.0
"""Seconds for which it is remembered which regions and product lines there are."""
_ASKED_AGAIN = 5.0
"""Seconds after which that is asked again, if there was no answer."""
_NOT_CONNECTED = "Failed client connect"
"""How the SDK begins to say that a connection to be made at the first call was not made."""


@dataclass(frozen=True)
class Opened:
    """What became of an intake; ``view`` is None while the number is still to come."""

    view: IssueView | None
    new: bool


class _UnderWay(NamedTuple):
    intake: Intake
    asking: asyncio.Task[Opened]


class Desk(Register):
    """Whoever acts. One per process; ``client`` and ``pool`` stay the caller's to close."""

    def __init__(self, client: Client, pool: Pool) -> None:
        super().__init__(pool)
        self._client = client
        self._checking = Checking(pool)
        self._known_names: tuple[float, Known] = (0.0, Known())
        self._rulebooks = Rulebooks()
        self._under_way: dict[str, _UnderWay] = {}
        self._queues = Queues()
        self._repeats = Repeats(client, pool)

    @property
    def client(self) -> Client:
        """The connection to Temporal."""
        return self._client

    async def open(self, intake: Intake) -> IssueView:
        """Register an issue, or find the one this intake became before (R1, R2).

        Raises:
            Refused: ``Invalid``, ``OtherContent``; nothing was started.
            Unavailable: no answer in time, or the number is still to come.
        """
        opened = await self.register(intake)
        if opened.view is None:
            raise Unavailable(
                f"{intake.source} {intake.reference} is accepted, its number follows: "
                "send the same again to hear it"
            )
        return opened.view

    async def register(self, intake: Intake, said: AbstractSet[str] = SAID) -> Opened:
        """Register an issue as ``open`` does, also while PostgreSQL is away: what Temporal accepted
        will be done. Those who ask for the same issue at once are one question.

        A repeat is told from another message under the same reference by the fields that somebody
        ``said``; others, which a door filled in, may differ.

        Raises:
            OtherContent: the reference is that of an issue of which something else was told.
            Refused: ``Invalid``; nothing was started.
            Unavailable: no answer in time.
        """
        intake = intake.as_heard(datetime.now(UTC))
        id_ = intake.issue_id
        if (under_way := self._under_way.get(id_)) is None:
            asking = asyncio.create_task(self._register(intake, said))
            self._under_way[id_] = _UnderWay(intake, asking)
            asking.add_done_callback(lambda _: self._under_way.pop(id_))
            asking.add_done_callback(looked_at)  # whoever asked may not wait for it
            # Whoever asked first may hang up: the others still wait.
            return await asyncio.shield(asking)
        with suppress(Refused):  # theirs may have been wrong where this one is not
            opened = await asyncio.shield(under_way.asking)
            if not differing(under_way.intake, intake):
                return replace(opened, new=False)
        return await self._register(intake, said)

    async def _register(self, intake: Intake, said: AbstractSet[str]) -> Opened:
        async with answering():
            away = False
            try:
                await self._open_for_work()
                intake = await self._in_our_words(intake)
                if known := await within(_GLANCE, self._known(intake)):
                    await self._repeats.require_same(intake, said, known)
                    return Opened(await self._asked_again(intake, known), new=False)
            except AWAY as error:
                away = True
                intake = self._known_names[1].in_our_words(intake)
                if any(self._known_names[1].unknown(intake)):
                    raise Unavailable("whether the desk takes it cannot be told now") from error
            await self.check(intake)
            opened = await self._taken_on(intake, away=away)
            await self._repeats.require_same(intake, said, opened.view)
            return opened

    async def _taken_on(self, intake: Intake, *, away: bool) -> Opened:
        if not away:
            with suppress(TimeoutError):
                async with asyncio.timeout(_NUMBER_WITHIN):
                    return await self._numbered(intake)
        return await self._accepted(intake)

    async def compare(self, intake: Intake) -> None:
        """See whether an intake may come in under its reference, before anything is started.

        Raises:
            OtherContent: as ``register``.
            Unavailable: no answer in time.
        """
        async with answering():
            if await issue_reader.run_of(self._pool, intake.issue_id) is not None:
                ours = await self._in_our_words(intake.as_heard(datetime.now(UTC)))
                await self._repeats.require_same(ours, SAID, await self._known(intake))

    async def _asked_again(self, intake: Intake, known: IssueView) -> IssueView:
        """Ask the issue itself, as long as it is open: what the register has may be all that was
        left of it when Temporal lost its last moments, and then it is taken on by this.
        """
        if known.stage is Stage.CLOSED:
            return known
        handle = self._client.get_workflow_handle(known.id)
        try:
            await self._taken(handle, ActionName.REGISTERED, intake, update_of(intake))
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            # Unless an operator ended it, which the audit writes into the register.
            if await self._is_lost(known.id):
                await self._numbered(intake)
        else:
            await self._caught_up(handle)
        return await self._known(intake) or known

    async def _is_lost(self, id_: str) -> bool:
        """Say whether Temporal knows nothing of the workflow that has an issue."""
        found = await described(self._client, id_)
        run = await issue_reader.run_of(self._pool, id_)
        return found is None or found.raw_info.first_run_id != run

    async def _numbered(self, intake: Intake) -> Opened:
        try:
            view = await self._asked(registered(self._client, intake, self._known_names[1].terms))
        except (WorkflowAlreadyStartedError, WorkflowUpdateFailedError) as error:
            return Opened(await self._registered_before(intake, error), new=False)
        return Opened(view, new=True)

    async def _accepted(self, intake: Intake) -> Opened:
        """Let Temporal take the intake on. The issue itself may know its number, and is asked."""
        began = datetime.now(UTC)
        try:
            handle = await self._asked(accepted(self._client, intake, self._known_names[1].terms))
            with suppress(TimeoutError):
                async with asyncio.timeout(_AT_ONCE):
                    view = await self._asked(handle.result())
                    return Opened(view, new=view.registered_at >= began)
        except (WorkflowAlreadyStartedError, WorkflowUpdateFailedError) as error:
            return Opened(await self._registered_before(intake, error), new=False)
        return Opened(None, new=True)

    async def _registered_before(self, intake: Intake, error: Exception) -> IssueView:
        """Find what a refused registration stands for: an issue that has ended is still the same
        issue.
        """
        if (known := await self._known(intake)) is not None:
            return known
        if isinstance(error, WorkflowUpdateFailedError):
            raise _refused(error) from error
        raise Refused(
            "NotAllowed",
            f"{intake.source} {intake.reference} was never registered with a valid intake and "
            "its time is over: send it under a new reference",
        ) from error

    async def check(self, intake: Intake) -> None:
        """Refuse what is missing though it is written, and what only the clock and the roster can
        tell, before anything is started. What the roster had lately counts as known, also while
        PostgreSQL is away.

        Raises:
            Refused: ``Invalid``.
        """
        wrong = [*unseen(intake)]
        if impossible := intake.impossible_date(datetime.now(UTC)):
            wrong.append(impossible)
        ours = self._known_names[1].in_our_words(intake)
        if any(self._known_names[1].unknown(ours)):
            ours = await self._in_our_words(intake)  # they may be new on the roster
            wrong += self._known_names[1].unknown(ours)
        if wrong:
            raise Refused("Invalid", "\n".join(wrong))

    async def _in_our_words(self, intake: Intake) -> Intake:
        """Write region and product line as the roster does, by what is remembered of it; asked anew
        after a while, and for what it does not have.
        """
        since, known = self._known_names
        ours = known.in_our_words(intake)
        if time.monotonic() - since > _NAMES_KEPT or any(known.unknown(ours)):
            known = await within(_GLANCE, self._names())
            self._known_names = (time.monotonic(), known)
        return known.in_our_words(intake)

    async def terms(self) -> Terms:
        """Say what the policy calls its own: kinds, categories and departments (R37). What it had
        lately counts, also while PostgreSQL is away.
        """
        since, known = self._known_names
        if time.monotonic() - since > _NAMES_KEPT:
            try:
                self._known_names = (time.monotonic(), await within(_GLANCE, self._names()))
            except AWAY:  # whoever asks next is not to wait, too
                self._known_names = (time.monotonic() - _NAMES_KEPT + _ASKED_AGAIN, known)
        return self._known_names[1].terms

    async def _names(self) -> Known:
        async with self._pool.acquire() as connection:
            known, rulebook = (
                await roster.known(connection),
                await self._rulebooks.newest(connection),
            )
            return known.model_copy(update={"terms": rulebook.policy.terms}) if rulebook else known

    async def act(
        self, number: str, name: ActionName, act: Act, *, key: str | None = None
    ) -> IssueView:
        """Take an action of the contract; ``key`` makes a repeated call the same one. A note for
        colleagues about an issue that is over is kept with it, as other words are; what the
        customer of a merged one writes is brought to the one that speaks for it.

        Raises:
            OtherContent: something else was done under that key.
            Refused: what the stage or the person does not allow, or there is no such issue.
            Busy: too many act on this issue at once; it was not begun.
            Unavailable: no answer in time, or the register is held.
        """
        async with answering():
            await self._open_for_work()
            handle = self._client.get_workflow_handle(await self._find(number))
            once = key or uuid4().hex
            try:
                view = await self._acted(handle, number, name, act, once)
            except Refused as refused:
                if not isinstance(act, CustomerWrote) or refused.type != "NotAllowed":
                    raise
                if passed_on := await self._pass_on(handle.id, act, once):
                    return passed_on
                raise
            if key:
                await self._repeats.require_same_act(handle.id, name, act, key)
            return view

    async def compare_act(self, number: str, name: ActionName, act: Act, key: str) -> None:
        """See whether what was done under a key, if anything was, is what this says.

        Raises:
            OtherContent: as ``act``.
            Refused: there is no such issue.
            Unavailable: no answer in time.
        """
        async with answering():
            await self._repeats.require_same_act(await self._find(number), name, act, key)

    async def _acted(
        self,
        handle: WorkflowHandle[Any, Any],
        number: str,
        name: ActionName,
        act: Act,
        key: str,
    ) -> IssueView:
        try:
            return await self._taken(handle, name, act, key)
        except WorkflowUpdateFailedError as error:
            if not await self._caught_up(handle):
                raise _refused(error) from error
        except RPCError as error:
            if not await self._begun_anew(handle, error):
                if isinstance(act, AddNote) and error.status is RPCStatusCode.NOT_FOUND:
                    return await self._note_late(handle.id, act, key)
                await self._refuse_if_ended(number, name, error)
                raise
        try:
            return await self._taken(handle, name, act, key)
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error

    async def _note_late(self, id_: str, note: AddNote, key: str) -> IssueView:
        """Keep what somebody notes of an issue that no workflow lives any more."""
        seen = await self.show(id_)
        if note.for_customer:
            raise Refused(
                "NotAllowed",
                f"{seen.number} is over, nothing is sent about it any more: register what the "
                f"customer is to hear as an issue that arises from it (arises_from: {id_}), or "
                "note for colleagues what was said (without for_customer)",
            )
        at = note.at or datetime.now(UTC)
        said = sha256(note.words.encode(errors="surrogatepass")).hexdigest()[:32]
        kept = Kept(
            key=f"note:{id_}:{key}:{said}",
            issue_id=id_,
            at=at,
            door="note",
            sender=note.by.id,
            body=note.words,
            why=Why.NOTE,
        )
        await kept_words.keep(self._pool, kept)
        return seen

    async def _pass_on(self, id_: str, wrote: CustomerWrote, key: str) -> IssueView | None:
        """Bring what the customer of a merged issue wrote to the one that speaks for it (R6); it
        stands with theirs as well, where they read it. None: it was not merged.
        """
        seen = await self.show(id_)
        if not seen.merged_into:
            return None
        passed_on = wrote.model_copy(update={"of": seen.number})
        await self.act(seen.merged_into, ActionName.CUSTOMER_WROTE, passed_on, key=key)
        if wrote.known and wrote.of is None:
            kept = Kept(
                key=f"passed on:{id_}:{key}",
                issue_id=id_,
                at=wrote.at or datetime.now(UTC),
                door=door_of(key, wrote.by.role) or "",
                sender=wrote.sender or "",
                body=wrote.words,
                why=Why.PASSED_ON,
            )
            await kept_words.keep(self._pool, kept)
        return seen

    async def _taken(
        self, handle: WorkflowHandle[Any, Any], name: ActionName, act: Act | Intake, key: str
    ) -> IssueView:
        def ask() -> Coroutine[Any, Any, IssueView]:
            call = handle.execute_update(name.value, act, id=key, result_type=IssueView)
            return self._asked(call)

        return await self._queues.ask(handle.id, ask)

    async def _caught_up(self, handle: WorkflowHandle[Any, Any]) -> bool:
        """Let an issue catch up with its register, if Temporal lost its last steps: then it does
        not know what it is asked about.
        """
        recorded = await issue_reader.steps_of(self._pool, handle.id)
        intake = partial(self._registered_with, handle.id)
        ask = partial(self._taken, handle)
        return await catch_up(self._client, handle.id, recorded, intake, by=DESK, ask=ask)

    async def _registered_with(self, id_: str) -> Intake | None:
        async with self._pool.acquire() as connection:
            return await issue_reader.intake(connection, id_)

    async def _begun_anew(self, handle: WorkflowHandle[Any, Any], error: RPCError) -> bool:
        """Begin an open issue anew whose workflow Temporal lost, and let it catch up."""
        if error.status is not RPCStatusCode.NOT_FOUND or not await self._is_lost(handle.id):
            return False
        known, intake = await self.show(handle.id), await self._registered_with(handle.id)
        if known.stage is Stage.CLOSED or intake is None:
            return False
        await self._numbered(intake)
        await self._caught_up(handle)
        return True

    async def complete(self, number: str, act: Resolve) -> None:
        """Signal completion, fire and forget (R12). Signalled twice it is done once.

        Raises:
            OtherContent: with another result than they signalled before.
            Refused: there is no such issue, it has ended, or the result shows nothing.
            Unavailable: no answer in time, or the register is held.
        """
        if wrong := "\n".join(unseen(act)):
            raise Refused("Invalid", wrong)
        async with answering():
            await self._open_for_work()
            seen = await self.show(number)
            key = f"complete:{act.by.id}:{seen.reopen_count + 1}"
            await self._repeats.require_same_act(seen.id, ActionName.RESOLVE, act, key)
            handle = self._client.get_workflow_handle(seen.id)
            try:
                await self._asked(handle.signal(IssueWorkflow.complete, act))
            except RPCError as error:
                await self._refuse_if_ended(number, ActionName.RESOLVE, error)
                raise

    async def _refuse_if_ended(self, number: str, name: ActionName, error: RPCError) -> None:
        """Say what Temporal's "not found" means here: the workflow is over."""
        if error.status is RPCStatusCode.NOT_FOUND:
            seen = await self.show(number)
            ended = f"{seen.number} is {seen.stage} ({seen.outcome})"
            raise Refused("NotAllowed", f"{ended}: {name} comes too late") from error

    async def keep(self, words: Kept) -> bool:
        """Keep words with the issue they belong to; False if these were kept before.

        Raises:
            Unavailable: no answer in time, or the register is held.
        """
        async with answering():
            await self._open_for_work()
            return await kept_words.keep(self._pool, words)

    async def hand_over_stranded(self, at: datetime | None = None) -> list[Stranded]:
        """Let the desk choose again for every issue that nobody has, or that whoever has it cannot
        go on with: they left, are off for longer than today, or are not certified any more (R16).
        ``at`` is real time, now if left out. Asking twice at once is asking once.

        Returns what the desk was asked about. Raises as ``act`` does: what was not asked about by
        then is found the next time.
        """
        async with answering(), self._pool.acquire() as connection:
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

    async def _open_for_work(self) -> None:
        """Nothing is done with a register that is older than Temporal; looking is allowed.

        Raises:
            Held, Unproved: so it is, or somebody is just finding out.
        """
        try:
            await within(_GLANCE, standing.require(self._pool))
        except Unproved:
            await self._checking.prove(Lives(self._client))
            await standing.require(self._pool)

    async def _known(self, intake: Intake) -> IssueView | None:
        return await issue_reader.by_reference(self._pool, intake.source, intake.reference)

    async def _find(self, number: str) -> str:
        id_ = await issue_reader.workflow_id(self._pool, number)
        if id_ is None:
            raise Refused("NotFound", f"there is no issue {number}")
        return id_

    async def _asked(self, call: Coroutine[Any, Any, Answered]) -> Answered:
        """Wait for Temporal as long as it is there at all: left alone, the SDK knocks for long."""
        asking = asyncio.create_task(call)
        asking.add_done_callback(looked_at)
        try:
            await asyncio.wait({asking}, timeout=_PATIENCE)
            if not asking.done():
                async with asyncio.timeout(_PATIENCE):
                    await self._client.service_client.check_health()
                await asyncio.wait({asking})
            return asking.result()
        except RuntimeError as error:
            if str(error).startswith(_NOT_CONNECTED):
                raise Unavailable("the desk does not answer now: send the same again") from error
            raise
        finally:
            asking.cancel()


def _refused(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type != DEFECT:
        return Refused.told(cause.type or "Invalid", cause.message)
    return Unavailable(f"the desk could not carry it out: {cause}")

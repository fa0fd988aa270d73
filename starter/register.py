"""The register of issues for whoever only looks: it needs PostgreSQL alone, also while Temporal is
away. Who may see what is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.callbacks import Called
from domain.errors import Refused
from domain.issue.state import Issue
from domain.issue.thread import Entry
from domain.issue.view import IssueView
from domain.sla.why import Why, why
from domain.vocabulary import Actor
from starter.answering import OnRegisters, answered, answering
from store import (
    approvals,
    callbacks,
    duplicates,
    hand_overs,
    issue_reader,
    kept_words,
    ledger,
    roster,
)
from store import thread as threads
from store.approvals import MOST, Papers, Undecided
from store.connection import Connection, Pool
from store.duplicates import Related
from store.hand_overs import HandOver
from store.issue_list import Filter, Narrowed, Place
from store.issue_reader import Outlook, Unsettled
from store.kept_words import Kept
from store.roster import KnownStaff
from store.rulebooks import Rulebooks
from store.thread import Place as PlaceInThread

__all__ = [
    "MOST",
    "Called",
    "Filter",
    "Kept",
    "Narrowed",
    "Outlook",
    "Papers",
    "Place",
    "PlaceInThread",
    "Register",
    "Related",
    "Thread",
    "Undecided",
    "Unsettled",
]


class Thread(NamedTuple):
    """Entries of an issue's thread, oldest first; from where it goes on, None: no more of it. What
    the customer said since somebody last acted on their words is in ``open_words``.
    """

    entries: Sequence[Entry]
    next: PlaceInThread | None
    open_words: Sequence[Entry]


class Register(OnRegisters):
    """Issues, open and closed. Everything here raises ``Unavailable`` when there is no answer."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self._roster = KnownStaff()
        self._rulebooks = Rulebooks()

    async def show(self, number: str) -> IssueView:
        """Show an issue by its number (or workflow id), open or closed.

        Raises:
            Refused: ``NotFound``.
        """
        found = await answered(issue_reader.issue(self._pool, number))
        if found is None:
            raise Refused("NotFound", f"there is no issue {number}")
        return found

    async def record(self, number: str) -> Issue | None:
        """Return all that is kept of an issue, its customer included: a look to be written down
        before it is shown (R30).
        """
        async with answering():
            id_ = await issue_reader.workflow_id(self._pool, number)
            return await issue_reader.state(self._pool, id_) if id_ else None

    async def why(self, number: str, promise: str | None = None) -> Sequence[Why]:
        """Explain when the promises of an issue are due, and why: all of them, or those of a kind
        or key, ``resolution`` or ``resolution.1``.

        Raises:
            Refused: ``NotFound``: there is no such issue, or it has no such promise.
        """
        async with self._connected() as connection:
            found = await ledger.of_issue(connection, number)
            if found is None:
                raise Refused("NotFound", f"there is no issue {number}")
            wanted = [
                each
                for each in found.promises
                if promise is None or promise in {each.promise.key, each.promise.kind}
            ]
            if promise is not None and not wanted:
                there_are = ", ".join(each.promise.key for each in found.promises) or "none"
                raise Refused(
                    "NotFound", f"{found.number} has no promise {promise}; it has: {there_are}"
                )
            return [
                why(
                    await self._rulebooks.get(connection, each.rulebook),
                    each.rulebook,
                    found.number,
                    each.promise,
                    found.facts,
                )
                for each in wanted
            ]

    async def related(self, id_: str) -> Related:
        """Say which issues are about the same as this one."""
        return await answered(duplicates.related(self._pool, id_))

    async def kept_words(self, id_: str) -> list[Kept]:
        """Return what else was written about an issue, oldest first: a look to be written down
        before it is shown (R30).
        """
        return await answered(kept_words.of_issue(self._pool, id_))

    async def thread(
        self,
        id_: str,
        place: PlaceInThread | None = None,
        *,
        limit: int = threads.MOST,
        newest: bool = False,
    ) -> Thread:
        """Return an issue's thread from its beginning, or from behind a place on; or its
        ``newest`` entries, or those before a place. Who reads it is the caller's to know, and a
        look at a customer's words to be written down before they are shown (R30).
        """
        read = threads.before if newest else threads.after
        async with self._connected() as connection:
            people = await self._people(connection)
            found = await read(connection, id_, people, place, limit)
            waiting = await threads.waiting(connection, [id_], people)
        return Thread(found.entries, found.next, waiting[id_])

    async def threads(self, numbers: Sequence[str], limit: int) -> Mapping[str, Sequence[Entry]]:
        """Return the newest entries of several issues, by their numbers."""
        async with self._connected() as connection:
            people = await self._people(connection)
            return await threads.ends(connection, numbers, people, limit)

    async def _people(self, connection: Connection) -> Mapping[str, str]:
        members = (await self._roster.now(connection)).members
        return {id_: member.name for id_, member in members.items()}

    async def issues(self, wanted: Filter) -> list[IssueView]:
        """List issues, nearest due first."""
        return await answered(issue_reader.issues(self._pool, wanted))

    async def numbered(self, numbers: Sequence[str]) -> list[IssueView]:
        """Show these issues, as far as there are any, in that order."""
        return await answered(issue_reader.numbered(self._pool, numbers))

    async def page(
        self, wanted: Filter, after: Place | None = None
    ) -> tuple[list[IssueView], Place | None]:
        """List issues from a place on, and say where the next page begins; None: no more."""
        return await answered(issue_reader.page(self._pool, wanted, after))

    async def told(self, id_: str, generation: int) -> Outlook:
        """Return what a customer was told of the work, in one generation of an issue."""
        return await answered(issue_reader.outlook(self._pool, id_, generation))

    async def handed_over(self, id_: str, generation: int) -> HandOver | None:
        """Say who handed an issue over last, and when (R39); None: nobody has it yet."""
        return await answered(hand_overs.last(self._pool, id_, generation))

    async def papers(self, id_: str, generation: int) -> Papers:
        """Return what one generation of an issue has of a price, and of a panel: for the staff."""
        return await answered(approvals.papers(self._pool, id_, generation))

    async def undecided(self, department: str | None) -> list[Undecided]:
        """List what waits for a yes or a rating, with its customers: a look to be written down
        before it is shown (R30).
        """
        return await answered(approvals.undecided(self._pool, department))

    async def taken_at(self, id_: str, key: str) -> datetime | None:
        """Say when an issue took the step that was asked for under a key."""
        return await answered(issue_reader.taken_at(self._pool, id_, key))

    async def called(self, numbers: Sequence[str], call: str) -> dict[str, Called]:
        """Say of issues whose they are, and who recorded this call in them already."""
        return await answered(callbacks.called(self._pool, numbers, call))

    async def undelivered(self) -> list[Unsettled]:
        """List messages that did not reach their recipient by their channel."""
        return await answered(issue_reader.undelivered(self._pool))

    async def actor(self, id_: str) -> Actor:
        """Say who somebody is by the roster.

        Raises:
            Refused: ``NotFound``.
        """
        async with self._connected() as connection:
            member = await roster.member(connection, id_)
        if member is None:
            raise Refused("NotFound", f"{id_} is not on the roster")
        return Actor(id=member.id, role=member.role)

"""The register of issues for whoever only looks: it needs PostgreSQL alone, also while Temporal is
away. Who may see what is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.callbacks import Called
from domain.errors import Refused
from domain.issue.state import Issue
from domain.issue.view import IssueView
from domain.vocabulary import Actor
from starter.answering import OnRegisters, answered, answering
from store import approvals, callbacks, duplicates, issue_reader, kept_words, roster
from store.approvals import MOST, Papers, Undecided
from store.duplicates import Related
from store.issue_list import Filter, Narrowed, Place
from store.issue_reader import Outlook, Unsettled
from store.kept_words import Kept

__all__ = [
    "MOST",
    "Called",
    "Filter",
    "Kept",
    "Narrowed",
    "Outlook",
    "Papers",
    "Place",
    "Register",
    "Related",
    "Undecided",
    "Unsettled",
]


class Register(OnRegisters):
    """Issues, open and closed. Everything here raises ``Unavailable`` when there is no answer."""

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

    async def related(self, id_: str) -> Related:
        """Say which issues are about the same as this one."""
        return await answered(duplicates.related(self._pool, id_))

    async def kept_words(self, id_: str) -> list[Kept]:
        """Return what else was written about an issue, oldest first: a look to be written down
        before it is shown (R30).
        """
        return await answered(kept_words.of_issue(self._pool, id_))

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

"""An issue's thread for whoever is at a door: what is theirs to read, and no look at a customer's
words that is not written down before (R30).
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.issue.thread import Entry, is_confidential, read_by
from domain.issue.view import IssueView
from domain.staff.access import Right, may, reader_of
from starter.register import PlaceInThread, Thread
from web.auth.identity import Visitor, saw
from web.context import Doors
from web.problems import none_of_ours

AT_ONCE = 30
"""Entries on a page for people, the newest."""


async def read(
    here: Doors,
    who: Visitor,
    issue: IssueView,
    place: str | None = None,
    *,
    limit: int = AT_ONCE,
    newest: bool = True,
    written_down: bool = False,
) -> Thread:
    """Read a thread as somebody may, who may see the issue: its ``newest`` entries, or those before
    a place; else from its beginning, or from behind one. The look is written down, unless the
    caller did so already.

    Raises:
        Problem: 422, the place is none of ours.
    """
    reader = reader_of(who.caller, issue)
    found = await here.desk.thread(issue.id, _place(place), limit=limit, newest=newest)
    entries = read_by(reader, found.entries)
    waiting = [
        entry
        for one in (issue, *await _spoken_for(here, who, issue, found.open_words))
        for entry in read_by(reader_of(who.caller, one), found.open_words)
        if entry.number == one.number
    ]
    if not written_down and is_confidential((*entries, *waiting)):
        await saw(here, who, Right.READ_CONVERSATION, issue.number)
    return Thread(entries, found.next, waiting)


async def _spoken_for(
    here: Doors, who: Visitor, issue: IssueView, waiting: Sequence[Entry]
) -> list[IssueView]:
    """Return the issues merged into this one of which words wait here, as far as they may be seen:
    whose words these are, their own access says (R30).
    """
    others = {entry.number for entry in waiting} - {issue.number}
    found = await here.desk.numbered(sorted(others)) if others else []
    return [each for each in found if may(who.caller, Right.SEE, each)]


def _place(text: str | None) -> PlaceInThread | None:
    if not text:
        return None
    try:
        return PlaceInThread.read(text)
    except ValueError:
        raise none_of_ours("after", "send `next` of the page before, or leave it out") from None

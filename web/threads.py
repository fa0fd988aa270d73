"""An issue's thread for whoever is at a door: what is theirs to read, and no look at a customer's
words that is not written down before (R30).
"""

from __future__ import annotations

from http import HTTPStatus

from domain.issue.thread import is_confidential, read_by
from domain.issue.view import IssueView
from domain.staff.access import Right, reader_of
from starter.register import PlaceInThread, Thread
from web.auth.identity import Visitor, saw
from web.context import Doors
from web.problems import Problem

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
    entries, waiting = read_by(reader, found.entries), read_by(reader, found.open_words)
    if not written_down and is_confidential((*entries, *waiting)):
        await saw(here, who, Right.READ_CONVERSATION, issue.number)
    return Thread(entries, found.next, waiting)


def _place(text: str | None) -> PlaceInThread | None:
    if not text:
        return None
    try:
        return PlaceInThread.read(text)
    except ValueError:
        reason = "is none of ours: send `next` of the page before, or leave it out"
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"after: {reason}",
            type_="urn:yinuo:Invalid",
            errors=[{"field": "after", "reason": reason}],
        ) from None

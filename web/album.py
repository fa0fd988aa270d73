"""Photographs and files on pages: how those of an issue are shown, and how more of them come in.

What is shown in place is drawn anew (``runtime/pictures.py``); whatever came in is only ever handed
out as a file to be kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from domain import words
from domain.attachments import Attachment, Limits, NotTaken, ShownTo, Standing
from domain.files.kinds import PICTURES, FileKind
from domain.issue.state import Issue
from domain.issue.view import IssueView
from domain.staff.access import Right, may
from runtime.aio import within
from starter.client import Unavailable
from web import attached, audit
from web.auth.identity import SignedIn, Visitor
from web.context import Doors, Here
from web.forms.wording import AWAY
from web.middleware.bodies import let_in
from web.rendering import Form, Reason, render

FILES = "files"
"""The field that files come in."""
_PIECE = 256 * 1024
_GLANCE = 3.0
"""Seconds within which the policy is known, or the usual one counts."""
_WITH_IT = 64 * 1024
"""Bytes of a form besides its files."""


class Shown(NamedTuple):
    """An attachment as a page shows it: where it can be had, and where seen, for some minutes."""

    one: Attachment
    address: str
    small: str | None = None
    large: str | None = None

    @property
    def waits(self) -> bool:
        """Whether the scanner has not looked at it yet."""
        return self.one.standing is Standing.WAITING

    @property
    def is_gone(self) -> bool:
        """Whether its content is kept no longer."""
        return self.one.standing is Standing.REMOVED

    @property
    def kind(self) -> Reason:
        """What it is, in words."""
        return words.FILES[self.one.kind]


class Album(NamedTuple):
    """What is attached to an issue. ``to`` is where more can be sent; None: not by this reader."""

    pictures: Sequence[Shown]
    files: Sequence[Shown]
    to: str | None
    back: str
    limits: Limits

    @property
    def shows(self) -> bool:
        """Whether anything is there to be seen."""
        return bool(self.pictures or self.files)

    @property
    def accept(self) -> str:
        """Which files a browser offers to choose from. Not HEIC, though it may be taken: telephones
        that take photographs in it then send them as JPEG, which everybody can see.
        """
        kinds = [each for each in FileKind if each in self.limits.kinds and each != FileKind.HEIC]
        return ",".join((*kinds, *(ending for kind in kinds for ending in kind.endings)))


class Left(NamedTuple):
    """A file that was not taken, and why."""

    name: str
    why: Reason


async def album(here: Doors, who: Visitor, issue: IssueView, back: str) -> Album | None:
    """Return what is attached to an issue, for a member of staff; None: it is not theirs to see.
    Whoever shows it has written down the look.
    """
    if not may(who.caller, Right.SEE_CUSTOMER, issue):
        return None
    found = await here.attachments.of(issue.id)
    return Album(
        *_sorted(here, found, who),
        to=f"/attach/{issue.number}" if may(who.caller, Right.ATTACH, issue) else None,
        back=f"{back}/{issue.number}",
        limits=await here.attachments.limits(),
    )


async def blank(here: Doors) -> Album:
    """Return an empty one, of an issue that is still to be registered."""
    return Album((), (), None, "", await _limits(here))


async def customers_album(here: Doors, who: Visitor, issue: Issue, signed: str) -> Album:
    """Return what of it is for the customer, at the page that their link opens; more can come in
    until the issue is closed.
    """
    found = await here.attachments.of(issue.id)
    theirs = [each for each in found if each.shown_to is ShownTo.CUSTOMER]
    back = f"/l/{signed}"
    to = None if issue.closed else f"{back}/files"
    return Album(*_sorted(here, theirs, who), to, back, await _limits(here))


def _sorted(
    here: Doors, found: Sequence[Attachment], who: Visitor
) -> tuple[list[Shown], list[Shown]]:
    shown = [_shown(here, each, who) for each in found]
    return [each for each in shown if each.small], [each for each in shown if not each.small]


def _shown(here: Doors, one: Attachment, who: Visitor) -> Shown:
    address = attached.address(here, one, who.caller.id, who.caller.role)
    if one.standing is not Standing.SERVED or one.kind not in PICTURES:
        return Shown(one, address)
    return Shown(one, address, *(attached.drawn(address, size) for size in ("small", "large")))


# Files that a page sends --------------------------------------------------------------------------


async def let_files_in(request: Request, here: Doors) -> None:
    """Let files in with a form, from somebody who is known to be allowed to send some."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        let_in(request, (await _limits(here)).together.bytes + _WITH_IT)


async def _let_in(request: Request, here: Here, _: SignedIn) -> AsyncIterator[None]:
    await let_files_in(request, here)
    try:
        yield
    finally:
        await request.close()


async def sent_files(_: Annotated[None, Depends(_let_in)], form: Form) -> FormData:
    """Return a form of one of our pages that may have files in it, as many as an issue may have,
    from somebody who is signed in: nobody else's are taken in.

    Raises:
        Problem: 403, 413.
    """
    return form


async def _limits(here: Doors) -> Limits:
    """Return what may be attached; while nobody knows, what usually may be."""
    try:
        return await within(_GLANCE, here.attachments.limits())
    except (Unavailable, TimeoutError):
        return Limits()


FilesForm = Annotated[FormData, Depends(sent_files)]


class Taken(NamedTuple):
    """What became of the files of a form."""

    attached: list[Attachment]
    left: list[Left]


async def take(
    here: Doors, who: Visitor, issue: IssueView, sent: FormData, door: str, shown_to: ShownTo
) -> Taken:
    """Attach the files of a form to an issue, each by itself. The same form sent twice attaches
    each once. Every file is in the audit trail.
    """
    files = [each for each in sent.getlist(FILES) if isinstance(each, UploadFile)]
    taken = Taken([], [])
    for each in files:
        if not each.filename:  # a field that nobody put a file in
            continue
        try:
            async with audit.written(here, who, Right.ATTACH, issue.number):
                one = await here.attachments.add(
                    *(issue.id, each.filename, _pieces(each)),
                    *(who.caller.by, door, shown_to),
                )
                taken.attached.append(one)
        except NotTaken as error:
            limits = await here.attachments.limits()
            taken.left.append(Left(each.filename, words.not_taken(error.why, limits)))
        except Unavailable:
            taken.left.append(Left(each.filename, AWAY))
        finally:
            await each.close()
    return taken


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_PIECE):
        yield piece


def answered(request: Request, shown: Album, left: Sequence[Left], **facts: object) -> Response:
    """Answer whoever sent files: with the page they came from, or with what was not taken and why.
    Our script gets the part of the page that changes.
    """
    status = HTTPStatus.UNPROCESSABLE_ENTITY if left else HTTPStatus.OK
    facts = {"album": shown, "left": left} | facts
    if "hx-request" in request.headers:
        page = render(request, "attached_part.html", status.value, **facts)
        page.headers["X-Part"] = "album"
        return page
    if not left:
        return RedirectResponse(f"{shown.back}#attachments", HTTPStatus.SEE_OTHER)
    return render(request, "attached.html", status.value, **facts)

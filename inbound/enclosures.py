"""The files of letters become attachments of the letter's issue.

The original is kept first, then its files: only then is the letter acknowledged. Whatever comes in
between, the letter comes again, and what is attached already is attached once. For no file is a
letter refused: what is not taken is named beside the issue, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import structlog

from domain import words
from domain.attachments import Limits, NotTaken, ShownTo
from domain.vocabulary import LONGEST_TEXT, Actor
from inbound.letters.apart import Reader
from inbound.letters.enclosed import Enclosed
from runtime.apart import TooMuch
from starter.attachments import Attachments
from starter.registers import Correspondents, Kept, Why

NOT_TAKEN = "未收下的附件（原信已保存）Attachments that were not taken (the letter itself is kept)"
_UNREADABLE = (
    "附件无法取出，请看原信。 Attachments that could not be taken out: see the letter itself."
)
_AND_MORE = "……"
log = structlog.get_logger("inbound.mail")


class Brought(NamedTuple):
    """A letter that belongs to an issue: who wrote it, as it came, and by which door. ``known``: it
    is the issue's own customer, who may see what they sent.
    """

    issue_id: str
    raw: bytes
    sender: str
    door: str
    known: bool = True


@dataclass(frozen=True)
class Enclosures:
    """Attaches what letters brought; ``source`` is who does."""

    attachments: Attachments
    known: Correspondents
    reader: Reader
    by: Actor

    async def attach(self, letter: Brought) -> None:
        """Attach the files of a letter, in its order.

        Raises:
            Unavailable: some may not be attached: the letter is to come again.
        """
        try:
            files = await asyncio.to_thread(self.reader.files, letter.raw)
        except TooMuch:
            log.warning("the files of a letter could not be taken out")
            await self._say(letter, [_UNREADABLE])
            return
        if not files:
            return
        limits = await self.attachments.limits()
        left = [said for file in files if (said := await self._left(letter, file, limits))]
        if left:
            await self._say(letter, left)

    async def _left(self, letter: Brought, file: Enclosed, limits: Limits) -> str:
        """Attach one, or say why not. What was read as words is not missed as a file."""
        why = await self._not_taken(letter, file)
        if why is None or (file.read and why in ("kind", "empty")):
            return ""
        zh, en = words.not_taken(why, limits)
        return f"{file.name}：{zh}。 {en}."

    async def _not_taken(self, letter: Brought, file: Enclosed) -> str | None:
        if file.content is None:
            return "too_many"
        shown_to = ShownTo.CUSTOMER if letter.known else ShownTo.STAFF
        try:
            await self.attachments.add(
                *(letter.issue_id, file.name, file.content, self.by, letter.door, shown_to)
            )
        except NotTaken as error:
            return error.why
        return None

    async def _say(self, letter: Brought, left: Sequence[str]) -> None:
        said = "\n".join(left)
        if len(said) > LONGEST_TEXT:
            said = f"{said[: LONGEST_TEXT - len(_AND_MORE)]}{_AND_MORE}"
        await self.known.keep(
            Kept(
                key=f"not attached:{letter.issue_id}:{sha256(letter.raw).hexdigest()}",
                issue_id=letter.issue_id,
                at=datetime.now(UTC),
                door=letter.door,
                sender=letter.sender,
                subject=NOT_TAKEN,
                body=said,
                why=Why.NOT_ATTACHED,
            )
        )

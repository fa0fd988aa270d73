"""Photographs and files of issues, for whoever is at a door: taken in, listed, given out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from secrets import token_hex
from typing import Self

from domain.attachments import Attachment, Limits, NotTaken, ShownTo
from domain.errors import Refused
from domain.files.names import name_of
from domain.vocabulary import Actor
from runtime.contents.content import ContentGone, Contents, NoRoom, Staged, TooLarge, take_in
from runtime.contents.opening import contents
from runtime.pictures import shared
from runtime.scanner import scanner_at
from runtime.settings import Settings
from starter.answering import OnRegisters, Unavailable, answered
from starter.examining import Examiner
from store import attachments
from store.connection import Pool
from store.rulebooks import Rulebooks

TAKES = 300.0
"""Seconds within which a content has come in."""
_TRIES = 5


class Attachments(OnRegisters):
    """What is attached to issues (R30: every look is to be written down). Who may see what is the
    caller's to know. Everything here raises ``Unavailable`` when a server, or where contents are
    kept, does not answer.
    """

    def __init__(self, pool: Pool, contents: Contents, examiner: Examiner | None = None) -> None:
        super().__init__(pool)
        self._contents = contents
        self._examiner = examiner or Examiner(shared())
        self._rulebooks = Rulebooks()

    @classmethod
    def on(cls, pool: Pool, settings: Settings) -> Self:
        """Attach to the issues of a desk, as its settings say."""
        return cls(pool, contents(settings), Examiner(shared(), scanner_at(settings.scanner)))

    async def limits(self) -> Limits:
        """Return what may be attached by the policy that counts now."""
        async with self._connected() as connection:
            current = await self._rulebooks.newest(connection)
        return current.policy.attachments if current else Limits()

    async def add(
        self,
        issue_id: str,
        name: str,
        content: bytes | AsyncIterable[bytes],
        by: Actor,
        door: str,
        shown_to: ShownTo = ShownTo.STAFF,
    ) -> Attachment:
        """Attach a file to an issue, which need not be in the register yet. The same content under
        the same name is attached once: what stands is returned. It is kept when this returns.

        Raises:
            NotTaken: it is empty, too large, of a kind that is not wanted, broken, one too many, or
                malware.
            Unavailable: it is not known whether it is kept: send the same again.
        """
        limits = await self.limits()
        with await self._taken_in(content, limits) as came:
            kind = await self._examiner.kind(came.file, limits)
            new = Attachment(
                id=token_hex(16),
                issue_id=issue_id,
                at=datetime.now(UTC),
                actor=by.id,
                role=by.role,
                door=door,
                name=name_of(name, kind),
                kind=kind,
                size=came.size,
                digest=came.digest,
                shown_to=shown_to,
                standing=await self._examiner.standing(came.file),
            )
            return await self._kept(came, new, limits)

    async def _taken_in(self, content: bytes | AsyncIterable[bytes], limits: Limits) -> Staged:
        pieces = _whole(content) if isinstance(content, bytes) else content
        try:
            async with asyncio.timeout(TAKES):
                came = await take_in(self._contents.room, pieces, limits.largest.bytes)
        except TooLarge:
            raise limits.too_large() from None
        except TimeoutError:
            raise Unavailable(
                f"the file did not come in within {TAKES:g} s: send it again"
            ) from None
        except NoRoom as error:
            raise Unavailable(f"there is no room for the file ({error}): send it again") from error
        if not came.size:
            came.file.close()
            raise NotTaken("empty", "content: the file is empty: send the file itself")
        return came

    async def _kept(self, came: Staged, new: Attachment, limits: Limits) -> Attachment:
        """Keep the content, then the row. An audit may come to remove the content in between, if
        nothing spoke of it before: so it is looked for once more, when nobody can remove it.
        """
        for _ in range(_TRIES):
            await answered(self._contents.keep(came))
            async with self._connected() as connection, connection.transaction():
                await attachments.hold(connection, new.digest)
                if await self._is_there(new):
                    return await attachments.add(connection, new, limits)
        raise Unavailable("the content does not stay where contents are kept: send it again")

    async def _is_there(self, new: Attachment) -> bool:
        return await self._contents.size(new.digest) == new.size

    async def of(self, issue_id: str) -> list[Attachment]:
        """List what is attached to an issue, oldest first."""
        return await answered(attachments.of_issue(self._pool, issue_id))

    async def find(self, id_: str) -> Attachment:
        """Find one by its id.

        Raises:
            Refused: ``NotFound``.
        """
        found = await answered(attachments.find(self._pool, id_))
        if found is None:
            raise Refused("NotFound", f"there is no attachment {id_}: it is not kept (any more)")
        return found

    async def content(self, one: Attachment) -> AsyncIterator[bytes]:
        """Give what is in an attachment, piece by piece.

        Raises:
            Refused: ``NotAllowed``, it waits for the scanner; ``NotFound``, it is not kept.
        """
        one.require_served()
        try:
            return await answered(self._contents.read(one.digest))
        except ContentGone:
            raise Refused(
                "NotFound", f"the content of {one.name} is lost: it has to be attached again"
            ) from None


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content

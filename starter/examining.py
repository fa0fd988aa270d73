"""What is looked at in a file before it is kept: what it is, whether a picture can be opened, and
what a malware scanner says of it.
"""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import structlog

from domain.attachments import Limits, NotTaken, Standing
from domain.files.kinds import FileKind, kind_of
from runtime.contents.content import CHUNK
from runtime.pictures import Darkroom, NotShown
from runtime.scanner import NotScanned, Scanner

_GLANCE = 320
"""Points of the side to which a picture is drawn, to see that it can be."""
log = structlog.get_logger("attachments")


@dataclass(frozen=True)
class Examiner:
    """Looks into files; without a ``scanner`` nobody looks for malware."""

    darkroom: Darkroom
    scanner: Scanner | None = None

    async def kind(self, file: BinaryIO, limits: Limits) -> FileKind:
        """Say what a file is, if it is wanted and, being a picture, can be opened.

        Raises:
            NotTaken: it is not wanted, or broken.
        """
        kind = await asyncio.to_thread(_kind, file)
        limits.require_kind(kind)
        if kind.is_picture:
            try:
                await self.darkroom.in_turn(partial(_whole, file), kind, _GLANCE)
            except NotShown as error:
                raise NotTaken("broken", f"content: {error}: send it again") from None
        return kind

    async def standing(self, file: BinaryIO) -> Standing:
        """Have the scanner look: what it finds is not kept, what it does not get to see waits.

        Raises:
            NotTaken: malware is in it.
        """
        if self.scanner is None:
            return Standing.SERVED
        try:
            found = await self.scanner.found_in(_pieces(file))
        except NotScanned as error:
            log.warning("an attachment waits for the scanner", reason=str(error))
            return Standing.WAITING
        if found:
            log.warning("malware was sent, and is not kept", found=found)
            raise NotTaken("malware", "content: malware was found in the file: it is not kept")
        return Standing.SERVED


def _kind(file: BinaryIO) -> FileKind:
    file.flush()
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return kind_of(content)


def _whole(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, 0)
    while piece := await asyncio.to_thread(file.read, CHUNK):
        yield piece

"""A content that comes in, and what whoever keeps contents has to do."""

from __future__ import annotations

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, ParamSpec, Protocol, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 256 * 1024
"""Bytes that are in memory of a content at a time."""
SHARDS: Sequence[str] = tuple(f"{each:02x}" for each in range(256))
"""Contents are kept, and looked through, by how their digests begin."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ContentGone(LookupError):
    """A content that should be there is not."""


class NoRoom(OSError):
    """What comes in cannot be taken down."""


class TooLarge(Exception):
    """More came than may; nothing of it is kept."""


@dataclass(frozen=True)
class Staged:
    """A content that came in, in a file without a name: it is gone with whoever holds it, killed or
    not. ``digest`` is its SHA-256 in hex.
    """

    file: BinaryIO
    size: int
    digest: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


class Lying(NamedTuple):
    """What lies where contents are kept: a content, or what a crash left of one."""

    name: str
    size: int
    changed_at: datetime

    @property
    def digest(self) -> str | None:
        """Of the content; None: it is none."""
        digest = self.name.replace("/", "", 1)
        return digest if _DIGEST.fullmatch(digest) else None


class Contents(Protocol):
    """Where contents are kept. Everything here raises ``OSError`` when it cannot be reached."""

    @property
    def room(self) -> Path:
        """A folder for what is on its way in."""

    async def keep(self, staged: Staged) -> None:
        """Keep a content for good; one that is there is written anew: it may have been damaged."""

    async def size(self, digest: str) -> int | None:
        """Say how many bytes a content has; None: it is not there."""

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        """Give a content, piece by piece.

        Raises:
            ContentGone: it is not there.
        """

    async def lying(self, shard: str) -> list[Lying]:
        """List what lies in a shard."""

    async def remove(self, name: str) -> None:
        """Remove what lies under a name, if it does."""


async def take_in(room: Path, content: AsyncIterable[bytes], largest: int) -> Staged:
    """Take a content in, up to ``largest`` bytes, hashed while it comes. The caller closes it.

    Raises:
        TooLarge: more came.
        NoRoom: it cannot be taken down.
    """
    digest, size = hashlib.sha256(), 0

    def write(piece: bytes) -> None:
        digest.update(piece)
        file.write(piece)

    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(await _taken_down(_nameless, room))
        async for piece in _gathered(content):
            size += len(piece)
            if size > largest:
                raise TooLarge
            await _taken_down(write, piece)
        await _taken_down(file.flush)
        unless_whole.pop_all()
    return Staged(file, size, digest.hexdigest())


async def _taken_down(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(work, *given, **named)
    except OSError as error:
        raise NoRoom(str(error)) from error


def _nameless(room: Path) -> BinaryIO:
    room.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=room)


async def _gathered(content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Make fewer pieces of many: each is handed to a thread."""
    gathered = bytearray()
    async for piece in content:
        gathered += piece
        if len(gathered) >= CHUNK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def place_of(digest: str) -> str:
    """Return the name that a content is kept under.

    Raises:
        ValueError: it is no digest.
    """
    if not _DIGEST.fullmatch(digest):
        raise ValueError("no SHA-256 in hex")
    return f"{digest[:2]}/{digest[2:]}"

"""Contents in a folder of the desk's home."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runtime.contents.content import CHUNK, ContentGone, Lying, Staged, place_of
from runtime.home import to_disk


@dataclass(frozen=True)
class Folder:
    """Contents in a folder: ``ab/cdef…``, for their owner alone."""

    path: Path

    @property
    def room(self) -> Path:
        """The same file system: what is too much for it is noticed while it comes in."""
        return self.path

    async def keep(self, staged: Staged) -> None:
        """Write it beside its place, to the disk, and give it its name by one rename."""
        await asyncio.to_thread(self._keep, staged)

    def _keep(self, staged: Staged) -> None:
        place = self.path / place_of(staged.digest)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = place.with_name(f"{secrets.token_hex(8)}.part")
        staged.file.seek(0)
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(staged.file, file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
        for directory in (place.parent, self.path, self.path.parent):
            to_disk(directory)

    async def size(self, digest: str) -> int | None:
        """Look at the file."""
        try:
            return (await asyncio.to_thread((self.path / place_of(digest)).stat)).st_size
        except FileNotFoundError:
            return None

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        """Read the file, which is opened when the first piece is asked for."""
        if await self.size(digest) is None:
            raise ContentGone(digest)
        return _read(self.path / place_of(digest))

    async def lying(self, shard: str) -> list[Lying]:
        """Look through the folder of a shard."""
        return await asyncio.to_thread(lambda: list(self._lying(shard)))

    def _lying(self, shard: str) -> Iterator[Lying]:
        try:
            entries = [*os.scandir(self.path / shard)]
        except FileNotFoundError:
            return
        for entry in entries:
            try:
                found = entry.stat()
            except FileNotFoundError:
                continue
            changed_at = datetime.fromtimestamp(found.st_mtime, UTC)
            yield Lying(f"{shard}/{entry.name}", found.st_size, changed_at)

    async def remove(self, name: str) -> None:
        """Unlink the file."""
        await asyncio.to_thread((self.path / name).unlink, missing_ok=True)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK):
            yield piece

"""Contents in a bucket of any S3: which one and with what key is what the ``AWS_*`` variables say,
as they do to every tool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from runtime.contents.content import CHUNK, ContentGone, Lying, Staged, place_of

if TYPE_CHECKING:  # only there, as the library has it
    from obstore.store import ClientConfig, RetryConfig

_CLIENT: ClientConfig = {
    "allow_http": True,  # for whoever names such an endpoint: one on this machine
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=15),
    # Whoever downloads slowly is read for slowly.
    "timeout": timedelta(minutes=10),
}
_RETRIES: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_AT_ONCE = 2
"""Parts of one content, of 5 MB each, that are in memory and under way."""
_PAGE = 1000
_LONGEST = 300
"""Characters of a reason."""


@dataclass(frozen=True)
class Bucket:
    """Contents as objects, ``ab/cdef…`` below the folder of the address. ``room`` is on this
    machine.
    """

    store: S3Store
    room: Path

    @classmethod
    def at(cls, address: str, room: Path) -> Bucket:
        """Name a bucket, or a folder of one: ``s3://bucket/folder``. Nobody is asked yet."""
        return cls(S3Store.from_url(address, client_options=_CLIENT, retry_config=_RETRIES), room)

    async def keep(self, staged: Staged) -> None:
        """Put the object, whole or not at all, as every S3 does."""
        staged.file.seek(0)
        with _explained():
            await obstore.put_async(
                self.store, place_of(staged.digest), staged.file, max_concurrency=_AT_ONCE
            )

    async def size(self, digest: str) -> int | None:
        """Ask for the object's head."""
        try:
            with _explained():
                return (await obstore.head_async(self.store, place_of(digest)))["size"]
        except FileNotFoundError:
            return None

    async def read(self, digest: str) -> AsyncIterator[bytes]:
        """Get the object."""
        try:
            with _explained():
                found = await obstore.get_async(self.store, place_of(digest))
        except FileNotFoundError:
            raise ContentGone(digest) from None
        return _read(found)

    async def lying(self, shard: str) -> list[Lying]:
        """List the objects of a shard."""
        found = []
        with _explained():
            async for page in obstore.list(self.store, prefix=f"{shard}/", chunk_size=_PAGE):
                found += [Lying(o["path"], o["size"], o["last_modified"]) for o in page]
        return found

    async def remove(self, name: str) -> None:
        """Delete the object."""
        with _explained():
            await obstore.delete_async(self.store, name)


async def _read(found: obstore.GetResult) -> AsyncIterator[bytes]:
    with _explained():
        async for piece in found.stream(min_chunk_size=CHUNK):
            yield bytes(piece)


@contextmanager
def _explained() -> Iterator[None]:
    """Say why the S3 does not answer, or says no, as whatever cannot be reached."""
    try:
        yield
    except BaseError as error:
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise OSError(f"the bucket of YINUO_ATTACHMENTS: {said[:_LONGEST]}") from error

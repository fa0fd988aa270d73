"""Attachments against their contents: whether what a row speaks of is there and is what it was. And
the other way round: what no row speaks of is removed.

A content is there before its row, and goes after it. So rows are read first, and what is missed is
looked for once more. All digests cannot be computed every time: one part of 256 is, another each
time, so that in two months everything was read; somebody may ask for all of it at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from domain.attachments import Attachment
from domain.findings import EVERY, Finding, FindingKind
from runtime.contents.content import SHARDS, ContentGone, Contents, Lying, place_of
from store import attachments
from store.connection import Pool

GRACE = timedelta(hours=6)
"""What lies that long with no row that speaks of it was left by a crash, or is kept no longer."""
log = structlog.get_logger()


class ContentAudit:
    """Looks at all contents, or at those of some issues."""

    def __init__(self, pool: Pool, contents: Contents) -> None:
        self._pool = pool
        self._contents = contents

    async def look(
        self, now: datetime, ids: Collection[str] | None = None, *, everything: bool = False
    ) -> list[Finding]:
        """Say which attachments have not the content that they had; of these issues, or of any.
        ``everything``: read all of them.
        """
        try:
            if ids is not None:
                some = await attachments.of_issues(self._pool, ids)
                return [f for one in some if (f := await self._judged(one, read=True))]
            return [f async for f in self._all(_turn(now), everything=everything)]
        except OSError as error:
            return [_away(error)]

    async def _all(self, turn: str, *, everything: bool) -> AsyncIterator[Finding]:
        for shard in SHARDS:
            some = await attachments.in_shard(self._pool, shard)
            sizes = {each.digest: each.size for each in await self._contents.lying(shard)}
            for one in some:
                read = everything or shard == turn
                if (read or sizes.get(one.digest) != one.size) and (
                    found := await self._judged(one, read=read)
                ):
                    yield found

    async def _judged(self, one: Attachment, *, read: bool) -> Finding | None:
        """Say what is wrong with an attachment's content, if anything is."""
        wrong = await self._wrong(one, read=read)
        # Its row may have gone meanwhile, and the content with it.
        if wrong is None or await attachments.find(self._pool, one.id) is None:
            return None
        return Finding(
            kind=FindingKind.CONTENT_BROKEN,
            issue_id=one.issue_id,
            number=await attachments.number_of(self._pool, one.issue_id),
            about=one.id,
            seen=f"attachment {one.id}: its content {wrong}",
        )

    async def _wrong(self, one: Attachment, *, read: bool) -> str | None:
        size = await self._contents.size(one.digest)
        if size is None:
            return "is not there"
        if size != one.size:
            return f"has {size} bytes, not {one.size}"
        if read and await self._digest(one.digest) != one.digest:
            return "is not what it was"
        return None

    async def _digest(self, digest: str) -> str:
        found = hashlib.sha256()
        with suppress(ContentGone):
            async for piece in await self._contents.read(digest):
                await asyncio.to_thread(found.update, piece)
        return found.hexdigest()

    async def tidy(self, now: datetime) -> int:
        """Remove what no row speaks of, and say how many that was. Where contents are kept may be
        away: the next audit comes in six hours.
        """
        removed = 0
        try:
            for shard in SHARDS:
                lying = await self._contents.lying(shard)
                old = [each for each in lying if each.changed_at < now - GRACE]
                known = await attachments.spoken_of(self._pool, [e.digest for e in old if e.digest])
                for each in old:
                    removed += each.digest not in known and await self._removed(each)
        except OSError as error:
            log.warning("contents cannot be looked through", error=str(error))
        if removed:
            log.info("removed contents that no attachment speaks of", removed=removed)
        return removed

    async def _removed(self, lying: Lying) -> bool:
        """Remove a content, unless somebody attaches it in this moment."""
        if lying.digest is None:
            await self._contents.remove(lying.name)
            return True
        return await remove(self._pool, self._contents, lying.digest)


async def remove(pool: Pool, contents: Contents, digest: str) -> bool:
    """Remove a content, unless some row speaks of it, or somebody attaches it in this moment."""
    async with pool.acquire() as connection, connection.transaction():
        await attachments.hold(connection, digest, alone=True)
        if await attachments.spoken_of(connection, [digest]):
            return False
        await contents.remove(place_of(digest))
    return True


def _turn(now: datetime) -> str:
    return SHARDS[int(now.timestamp() / EVERY.total_seconds()) % len(SHARDS)]


def _away(error: OSError) -> Finding:
    return Finding(
        kind=FindingKind.CONTENTS_AWAY, about="contents", seen=str(error)[:300] or "no answer"
    )

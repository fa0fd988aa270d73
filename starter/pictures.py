"""Photographs of issues as they are shown: small, drawn anew, and remembered for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from domain.attachments import Attachment
from domain.errors import Refused
from domain.files.kinds import FileKind
from runtime import pictures
from runtime.pictures import Darkroom, NotShown
from starter.attachments import Attachments

SMALL, LARGE = 320, 1280
"""Points of the longer side."""
_REMEMBERED = 48 * 1024**2
"""Bytes of what was drawn."""
_AT_ONCE = 2


class Pictures:
    """Draws what is asked for, once for all who ask at the same time. One per process of doors."""

    def __init__(
        self,
        attachments: Attachments,
        darkroom: Darkroom | None = None,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._attachments = attachments
        self._darkroom = darkroom or pictures.shared()
        self._room = remembered
        self._drawn: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._under_way: dict[tuple[str, int], asyncio.Task[bytes]] = {}
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def of(self, one: Attachment, edge: int) -> bytes:
        """Return an attachment as a JPEG of at most ``edge`` points on either side.

        Raises:
            Refused: it is no picture that can be shown; or as ``Attachments.content``.
            Unavailable: its content cannot be had now.
        """
        one.require_served()
        key = (one.digest, edge)
        if key in self._drawn:
            self._drawn.move_to_end(key)
            return self._drawn[key]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._draw(one, edge))
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)

    async def _draw(self, one: Attachment, edge: int) -> bytes:
        kind = FileKind(one.kind)
        if not kind.is_picture:
            raise Refused("Invalid", f"{one.name} is no picture that can be shown")
        async with self._free:
            content = b"".join([piece async for piece in await self._attachments.content(one)])
            try:
                drawn = await self._darkroom.in_turn(lambda: content, kind, edge)
            except NotShown as error:
                raise Refused("Invalid", f"{one.name}: {error}") from None
        self._remember((one.digest, edge), drawn)
        return drawn

    def _remember(self, key: tuple[str, int], drawn: bytes) -> None:
        self._drawn[key] = drawn
        while sum(map(len, self._drawn.values())) > self._room:
            self._drawn.popitem(last=False)

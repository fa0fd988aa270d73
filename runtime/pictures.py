"""Pictures made small, and told whether they are any: by Pillow, apart (``runtime/apart.py``).

Whatever is shown is drawn anew, as a JPEG with nothing but its points: no place, no camera, no
comment, and nothing of the bytes that came in. It stands upright as its camera meant it.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO

from PIL import Image, ImageOps

from domain.files.kinds import PICTURES, FileKind
from runtime.apart import Apart, TooMuch

_POINTS = 120_000_000
"""Of one picture: telephones take up to 108 million. One with more is not even begun."""
_LONG = 10.0
"""Seconds of computing for the largest."""
_QUALITY = 82
_PAPER = "white"
"""What is seen where a picture is transparent."""
_DONE, _BROKEN, _TOO_LARGE = b"+", b"broken", b"too large"


class NotShown(Exception):
    """It is no picture that can be shown; the message says why, in words for a person."""


class Darkroom:
    """Makes pictures small, from any thread."""

    def __init__(self, at_once: int = 2, seconds: float = _LONG) -> None:
        self._apart = Apart(at_once, seconds)
        self._turns = ThreadPoolExecutor(at_once, "pictures")

    async def in_turn(self, read: Callable[[], bytes], kind: FileKind, edge: int) -> bytes:
        """Do as ``small`` when it is its turn, and ``read`` the picture only then: those who wait
        hold no picture in memory, and keep nobody's thread.

        Raises:
            NotShown: as ``small``.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._turns, lambda: self.small(read(), kind, edge))

    def small(self, content: bytes, kind: FileKind, edge: int) -> bytes:
        """Return a picture as a JPEG of at most ``edge`` points on either side.

        Raises:
            NotShown: it is broken, or too much.
        """
        asked = f"{PICTURES[kind]} {edge}\n".encode()
        try:
            said = self._apart.do(shrunk, asked + content)
        except TooMuch:
            raise NotShown("the picture takes too much to be opened") from None
        if said == _TOO_LARGE:
            raise NotShown(f"the picture has more than {_POINTS // 10**6} million points")
        if not said.startswith(_DONE):
            raise NotShown("the picture is broken: it cannot be opened")
        return said.removeprefix(_DONE)

    def close(self) -> None:
        """End what works for it."""
        self._turns.shutdown()
        self._apart.close()


@cache
def shared() -> Darkroom:
    """Return the one of this process."""
    darkroom = Darkroom()
    atexit.register(darkroom.close)
    return darkroom


def shrunk(asked: bytes) -> bytes:
    """Make a picture small, where nothing hangs on it."""
    head, _, content = asked.partition(b"\n")
    format_, edge = head.decode().split()
    Image.MAX_IMAGE_PIXELS = None  # counted below, before anything is unpacked
    try:
        with Image.open(BytesIO(content), formats=[format_]) as picture:
            if picture.width * picture.height > _POINTS:
                return _TOO_LARGE
            return _DONE + _drawn(picture, int(edge))
    except MemoryError:
        return _TOO_LARGE
    except Exception:  # noqa: BLE001  readers trip over broken ones in many ways
        return _BROKEN


def _drawn(picture: Image.Image, edge: int) -> bytes:
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    picture.thumbnail((edge, edge), reducing_gap=2.0)  # a JPEG is read that small to begin with
    upright = ImageOps.exif_transpose(picture)
    paper = Image.new("RGB", upright.size, _PAPER)
    seen = upright.convert("RGBA") if upright.has_transparency_data else None
    paper.paste(seen or upright.convert("RGB"), mask=seen)
    written = BytesIO()
    paper.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()

"""Log files that are cut before they fill the disk, while other programs go on writing to them.

Our programs and the servers append to their logs themselves, so that the last words of one that was
killed are there. So a log is copied and emptied, not renamed. What is written in the instant
between the end of the copy and the emptying is lost: microseconds, once in `LIMIT` bytes.
"""

import asyncio
import os
import shutil
from pathlib import Path

LIMIT = 10 * 1024 * 1024
"""Bytes of a log before it is put aside."""
KEPT = 3
"""Older ones beside it: `.1` is the newest."""
_EVERY_SECONDS = 5.0
_CHUNK = 1024 * 1024


async def keep_short(log: Path) -> None:
    """Rotate the log whenever it has grown too long, for ever."""
    while True:
        await asyncio.to_thread(rotate, log)
        await asyncio.sleep(_EVERY_SECONDS)


def rotate(log: Path, limit: int = LIMIT, kept: int = KEPT) -> bool:
    """Put the log aside if it is longer than `limit` bytes, and say whether it was.

    A log that cannot be read, or has no room beside it, is left as it is.
    """
    try:
        if log.stat().st_size <= limit:
            return False
        _put_aside(log, kept)
    except OSError:
        return False
    return True


def _put_aside(log: Path, kept: int) -> None:
    aside = [log.with_name(f"{log.name}.{number}") for number in range(kept + 1)]
    with log.open("r+b") as source, _private(aside[0]).open("wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK)
        copy.flush()
        while more := source.read():
            copy.write(more)
            copy.flush()
        source.truncate(0)
    for older, newer in zip(reversed(aside), reversed(aside[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)


def _private(path: Path) -> Path:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    return path

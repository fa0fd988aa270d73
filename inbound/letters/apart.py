"""Letters read apart (``runtime/apart.py``): one that takes too long is read in a hurry."""

from __future__ import annotations

import atexit
import json
from datetime import UTC, datetime
from functools import cache
from typing import cast

import structlog

from inbound.letters import enclosed
from inbound.letters.enclosed import Enclosed
from inbound.letters.letter import Letter, letter_in, letter_in_hurry
from runtime.apart import SECONDS, Apart, TooMuch

log = structlog.get_logger("inbound.letters")


class Reader:
    """Reads letters, from any thread."""

    def __init__(self, at_once: int = 2, seconds: float = SECONDS) -> None:
        self._apart = Apart(at_once, seconds)

    def read(self, raw: bytes) -> Letter:
        """Read a letter, whatever it is like; of one that takes too long, what can be seen at a
        glance.
        """
        try:
            return cast("Letter", json.loads(self._apart.do(words, raw)))
        except TooMuch:
            log.warning("a letter took too long to be read")
            return letter_in_hurry(raw, datetime.now(UTC))

    def files(self, raw: bytes) -> list[Enclosed]:
        """Return the files that a letter brought, in its order.

        Raises:
            TooMuch: it takes too long.
        """
        return enclosed.unpacked(self._apart.do(files, raw))

    def close(self) -> None:
        """End the processes that are free."""
        self._apart.close()


@cache
def shared() -> Reader:
    """Return the one of this process."""
    reader = Reader()
    atexit.register(reader.close)
    return reader


def words(raw: bytes) -> bytes:
    """Read a letter, where nothing hangs on it."""
    return json.dumps(letter_in(raw, datetime.now(UTC))).encode()


def files(raw: bytes) -> bytes:
    """Take the files out of a letter, where nothing hangs on it."""
    return enclosed.packed(enclosed.in_letter(raw))

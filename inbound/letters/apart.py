"""Letters read apart: in a process that is ended if one takes too long, or too much.

It keeps its own limits, so that it ends also in the middle of a library's loop, and when nobody is
there any more to end it.
"""

from __future__ import annotations

import atexit
import json
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import cast

import structlog

from inbound.letters.letter import Letter, letter_in, letter_in_hurry

_SECONDS = 3.0
"""Of computing, for one letter: whatever else the machine has to do."""
_LONGEST = 30.0
"""Seconds after which nothing more is expected of it."""
_MEMORY = 1024**3
"""Bytes: a hundred times the largest letter."""
_AT_ONCE = 2
_COMMAND = (sys.executable, "-m", "inbound.letters.apart")
log = structlog.get_logger("inbound.letters")


class _Process:
    """One process, which reads a letter at a time."""

    def __init__(self) -> None:
        self._line, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [*_COMMAND, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()

    def read(self, raw: bytes) -> Letter:
        """Read a letter.

        Raises:
            EOFError, OSError: it took too long, or too much.
        """
        self._line.send_bytes(raw)
        if not self._line.poll(_LONGEST):
            raise EOFError
        return cast("Letter", json.loads(self._line.recv_bytes()))

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


class Reader:
    """Reads letters, from any thread; processes are begun as they are needed, and kept."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._free: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(at_once):
            self._free.put(None)

    def read(self, raw: bytes) -> Letter:
        """Read a letter, whatever it is like; of one that takes too long, what can be seen at a
        glance.
        """
        process = self._free.get()
        try:
            process = process or _Process()
            letter = process.read(raw)
        except (EOFError, OSError):
            log.warning("a letter took too long to be read")
            if process is not None:
                process.end()
            process = None
            letter = letter_in_hurry(raw, datetime.now(UTC))
        finally:
            self._free.put(process)
        return letter

    def close(self) -> None:
        """End the processes that are free."""
        while not self._free.empty():
            if process := self._free.get():
                process.end()


@cache
def shared() -> Reader:
    """Return the one of this process."""
    reader = Reader()
    atexit.register(reader.close)
    return reader


def main(line: Connection) -> None:
    """Read letters until nobody sends any more."""
    with suppress(ValueError, OSError):  # a system may allow less, or know no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with suppress(EOFError, OSError):
        while True:
            raw = line.recv_bytes()
            signal.setitimer(signal.ITIMER_PROF, _SECONDS)
            letter = letter_in(raw, datetime.now(UTC))
            signal.setitimer(signal.ITIMER_PROF, 0)
            line.send_bytes(json.dumps(letter).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever waits for us
    main(Connection(int(sys.argv[1])))

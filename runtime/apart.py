"""Work done apart: in a process that is ended if a piece of it takes too long, or too much.

For what libraries do with an input gone wrong nobody can know. The process keeps its own limits, so
that it ends also in the middle of a library's loop, and when nobody is there any more to end it.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TypeAlias

Work: TypeAlias = Callable[[bytes], bytes]
"""A function of a module, which the process imports by its name."""

SECONDS = 3.0
"""Of computing, for one piece of work, however small: whatever else the machine has to do."""
_A_SECOND = 10 * 1024**2
"""Bytes for which a second more is given: what is large may take longer."""
_LONGEST = 30.0
"""Seconds after which nothing more is expected of it."""
_MEMORY = 1024**3
"""Bytes: ten times the largest letter that may be allowed, twice the largest picture."""
_COMMAND = (sys.executable, "-m", "runtime.apart")


class TooMuch(Exception):
    """A piece of work took too long, or too much, or tripped."""


class _Process:
    """One process, which does one piece of work at a time."""

    def __init__(self, seconds: float) -> None:
        self._line, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603  our own program
            [*_COMMAND, str(theirs.fileno()), str(seconds)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Which process it is."""
        return self._process.pid

    def do(self, work: Work, given: bytes) -> bytes:
        """Have it done.

        Raises:
            EOFError, OSError: it took too long, or too much.
        """
        self._line.send((work.__module__, work.__name__))
        self._line.send_bytes(given)
        if not self._line.poll(_LONGEST):
            raise EOFError
        return self._line.recv_bytes()

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


class Apart:
    """Has work done apart, from any thread; processes are begun as they are needed, and kept."""

    def __init__(self, at_once: int = 2, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._free: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(at_once):
            self._free.put(None)

    def do(self, work: Work, given: bytes) -> bytes:
        """Have a piece of work done; waits until a process is free.

        Raises:
            TooMuch: it came to no end, or it raised something. The next one is done as ever.
        """
        process = self._free.get()
        try:
            process = process or _Process(self._seconds)
            return process.do(work, given)
        except (EOFError, OSError) as error:
            if process is not None:
                process.end()
            process = None
            raise TooMuch(work.__name__) from error
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End the processes that are free."""
        while not self._free.empty():
            if process := self._free.get():
                process.end()


def main(line: Connection, seconds: float) -> None:
    """Work until nobody sends any more."""
    with suppress(ValueError, OSError):  # a system may allow less, or know no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with suppress(EOFError, OSError):
        while True:
            module, name = line.recv()
            work: Work = getattr(import_module(module), name)
            given = line.recv_bytes()
            signal.setitimer(signal.ITIMER_PROF, seconds + len(given) / _A_SECOND)
            done = work(given)
            signal.setitimer(signal.ITIMER_PROF, 0)
            line.send_bytes(done)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever waits for us
    main(Connection(int(sys.argv[1])), float(sys.argv[2]))

"""A program of ours that runs beside us: started, watched, stopped, never left behind."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.errors import SetupError

_LEASH = Path(__file__).with_name("leash.py")
_TAIL_LINES = 12


class Child:
    """One process in a session of its own: Ctrl-C in the terminal does not reach it before us.

    It appends its output to `log`. It ends with `stop_signal` on `stop()`, and on Linux also when
    this process is gone, however that came about.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        lock: "Lock | None" = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._user = user
        self._stop_signal = stop_signal
        self._lock = lock
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid())]
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *leash,
                str(int(self._stop_signal)),
                self._user or "-",
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                cwd=self.log.parent,
                start_new_session=True,
                pass_fds=() if self._lock is None else (self._lock.descriptor,),
            )

    async def wait(self) -> int:
        """Wait until it ends by itself; its exit code, negative for a signal."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self._process.wait()

    async def stop(self, timeout: float = 20) -> None:  # noqa: ASYNC109 - then it is killed
        """Ask it to end, and kill it when it has not after `timeout` seconds."""
        if self._process is None or not self.running:
            return
        self._signal(self._stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), timeout)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def tail(self) -> str:
        """The last lines of its log, indented, for an error's message."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        lines = text.splitlines()[-_TAIL_LINES:]
        return "".join(f"\n    {line}" for line in lines)

    def problem(self, what: str) -> SetupError:
        """An error about this process that shows where to look."""
        return SetupError(f"{self.name} {what}. The end of {self.log}:{self.tail()}")


class Lock:
    """One desk at a time has the data, and one server at a time.

    Two files below `path`: `.lock` is the desk's, and falls with it. `.open` is inherited by the
    server, so it is held until the last process that has the data open is gone, even when the desk
    was killed.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._owner = path.with_suffix(".lock")
        self._open = path.with_suffix(".open")
        self._what = what
        self._held: list[int] = []

    @property
    def descriptor(self) -> int:
        """What the server inherits."""
        return self._held[1]

    async def acquire(self, patience: float = 15) -> None:
        """Take both; a server whose desk was killed gets `patience` seconds to finish.

        Raises:
            SetupError: another desk is using the data.
        """
        try:
            await self._take(self._owner, 0)
            await self._take(self._open, patience)
        except BlockingIOError:
            owner = self._owner.read_text(encoding="ascii")
            self.release()
            raise SetupError(
                f"{self._what} in {self._owner.parent} is in use by process {owner or '?'}:"
                " another desk is running here. Stop it, or set YINUO_HOME to another directory."
            ) from None
        os.ftruncate(self._held[0], 0)
        os.pwrite(self._held[0], str(os.getpid()).encode(), 0)

    async def _take(self, path: Path, patience: float) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() >= deadline:
                    os.close(descriptor)
                    raise
                await asyncio.sleep(0.1)
            else:
                self._held.append(descriptor)
                return

    def release(self) -> None:
        """Give both up; safe to repeat."""
        while self._held:
            os.close(self._held.pop())

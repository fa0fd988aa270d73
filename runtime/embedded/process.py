"""A program of ours that runs beside us: started, watched, stopped, never left behind."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from domain.errors import SetupError
from runtime.home import UMASK

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_TAIL_LINES = 12
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class Child:
    """One process in a session of its own: Ctrl-C in the terminal does not reach it before us.

    It appends its output to `log`; what it makes, only its own account may read. It ends with
    `stop_signal` on `stop()`, and on Linux also when this process is gone, however that came about.
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
        self._wanted = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def lost(self) -> bool:
        """Whether it ended by itself, and was not started again."""
        return self._wanted.is_set() and not self.running

    async def start(self) -> None:
        tied = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid())]
        with os.fdopen(os.open(self.log, _APPEND, 0o600), "ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *tied,
                str(int(self._stop_signal)),
                self._user or "-",
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                cwd=self.log.parent,
                start_new_session=True,
                umask=UMASK,
                pass_fds=() if self._lock is None else (self._lock.descriptor,),
            )
        if self._lock is not None:
            self._lock.hand_over()
        self._wanted.set()

    async def again(self) -> None:
        """Start it again when it ended by itself, and only then."""
        if self.lost:
            await self.start()

    async def ended(self) -> int:
        """Wait until it ends by itself; one that is stopped has not, and may be started again.

        Its exit code, negative for a signal.
        """
        while True:
            await self._wanted.wait()
            code = await self.wait()
            if self.lost:
                return code

    async def wait(self) -> int:
        """Wait until it ends by itself; its exit code, negative for a signal."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return await self._process.wait()

    async def stop(self, timeout: float = 20) -> None:  # noqa: ASYNC109 - then it is killed
        """Ask it to end, and kill it when it has not after `timeout` seconds."""
        self._wanted.clear()
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

    Two files below `path`: `.lock` is the desk's, and falls with it. `.open` is handed over to the
    server, so it is held until the last process that has the data open is gone, even when the desk
    or the server was killed.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._owner = path.with_suffix(".lock")
        self._open = path.with_suffix(".open")
        self._what = what
        self._held: dict[Path, int] = {}

    @property
    def descriptor(self) -> int:
        """What the server inherits."""
        return self._held[self._open]

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
        os.ftruncate(self._held[self._owner], 0)
        os.pwrite(self._held[self._owner], str(os.getpid()).encode(), 0)

    def hand_over(self) -> None:
        """Leave `.open` to the server that inherited it."""
        os.close(self._held.pop(self._open))

    async def take_back(self, patience: float = 5) -> None:
        """Take `.open` again when a server has ended.

        What a killed server left running (on Linux) gets `patience` seconds, and is then killed:
        it can do nothing good any more.

        Raises:
            SetupError: something still has the data open.
        """
        try:
            await self._take(self._open, patience)
        except BlockingIOError:
            _kill_holders(self._open)
        try:
            await self._take(self._open, patience)
        except BlockingIOError:
            raise SetupError(
                f"{self._what}: a process of the server that ended still has it open; see"
                f" `fuser {self._open}`."
            ) from None

    async def _take(self, path: Path, patience: float) -> None:
        if path in self._held:
            return
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
                self._held[path] = descriptor
                return

    def release(self) -> None:
        """Give both up; safe to repeat."""
        while self._held:
            os.close(self._held.popitem()[1])


def _kill_holders(path: Path) -> None:
    """SIGKILL whoever else has the file open, as far as this system tells."""
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            if opened.readlink() == path and (pid := int(opened.parts[2])) != os.getpid():
                os.kill(pid, signal.SIGKILL)

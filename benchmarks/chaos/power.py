"""A power cut: everything ends in one instant, and Temporal has only what was on the disk.

The register waits for the disk and forgets nothing. The Temporal that comes with the desk may have
written its last moments to a file that the disk never saw; so may any Temporal that fails over.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_NAME = "temporal.db"
_OBEYED_WITHIN = 10.0


@dataclass(frozen=True)
class Kept:
    """What of Temporal's data was on the disk at an instant."""

    home: Path
    copy: Path

    def put_back(self) -> None:
        """Let Temporal have that, and nothing later."""
        for file in _files(self.home):
            file.unlink()
        for file in _files(self.copy):
            shutil.copy2(file, self.home)
        shutil.rmtree(self.copy)


def what_is_on_the_disk(temporal: int | None, home: Path) -> Kept:
    """Copy Temporal's data while it holds still for a moment: a log that ends in the middle of a
    write is what a disk has, too.
    """
    if temporal is None:
        raise RuntimeError("Temporal does not run: there is nothing to cut")
    copy = Path(tempfile.mkdtemp(prefix="power-", dir=home))
    os.kill(temporal, signal.SIGSTOP)
    try:
        _when(lambda: psutil.Process(temporal).status() == psutil.STATUS_STOPPED, "held still")
        for file in _files(home):
            if not file.name.endswith("-shm"):  # an index in memory, made anew
                shutil.copy2(file, copy)
    finally:
        os.kill(temporal, signal.SIGCONT)
    return Kept(home, copy)


def cut(everybody: Sequence[psutil.Process]) -> None:
    """End them all; returns when none of them runs. Blocks: a cut leaves time for nothing."""
    for process in everybody:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    _when(lambda: not any(_runs(process) for process in everybody), "ended")


def _when(done: Callable[[], bool], what: str) -> None:
    """Wait for what a signal asks for: it is sent at once, and obeyed a moment later."""
    deadline = time.monotonic() + _OBEYED_WITHIN
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not everybody {what} within {_OBEYED_WITHIN:g} s of the signal")
        time.sleep(0.005)


def _runs(process: psutil.Process) -> bool:
    """Say whether it can still write. Whoever waits for it, that is not asked here."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _files(directory: Path) -> Iterable[Path]:
    return sorted(directory.glob(f"{_NAME}*"))

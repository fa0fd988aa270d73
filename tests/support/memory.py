"""A directory for the data of servers that lives in memory, where a machine has one.

Making and dropping a database is some hundred small files; on a disk that was a third of all the
time that the tests of the registers took. Nothing is proved by it: these servers do not wait for
their disk anyway.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SHARED = Path("/dev/shm")  # noqa: S108 - what is made in it has a name nobody guesses
ENOUGH = 2 * 1024**3
"""Bytes that are free, or the disk has to do: containers are often given 64 MB."""


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """A new directory in memory, gone with all that is in it afterwards; or the other place."""
    if not SHARED.is_dir() or shutil.disk_usage(SHARED).free < ENOUGH:
        yield otherwise
        return
    with TemporaryDirectory(prefix="yinuo-tests-", dir=SHARED, ignore_cleanup_errors=True) as made:
        yield Path(made)

"""The desk's home, which is nobody else's to read, and the account that PostgreSQL has there.

PostgreSQL refuses to run as root. A desk that root runs has a system account of its own for it, one
that owns nothing but the data.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import time
from pathlib import Path

from domain.errors import SetupError

UMASK = 0o077
"""Of everything that the desk makes."""
ACCOUNT = "yinuo-postgres"
_HOW_TO_MAKE_ONE = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"),
    ("adduser", "-S", "-D", "-H", "-s", "/sbin/nologin"),  # where BusyBox is all there is
)
_TRIES = 5


def make_private(home: Path) -> None:
    """Make the home, or tighten it and what is in it: one from before could be read by everybody.

    Only what is ours is touched. PostgreSQL's account may pass through a home whose group is its
    own: without the capability of runtime/embedded/die_with_parent.py it
    could not reach its data otherwise.

    Raises:
        SetupError: it cannot be made.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _set(home, 0o710 if home.stat().st_gid == _group() else 0o700)
        for entry in home.iterdir():
            with contextlib.suppress(FileNotFoundError):  # the desk runs, and tidies up
                if entry.is_file():
                    _set(entry, entry.stat().st_mode & 0o700)
    except OSError as error:
        raise SetupError(
            f"{home}: the desk's home cannot be used: {error.strerror}. Set YINUO_HOME to a"
            " directory of your own."
        ) from None


def _set(path: Path, mode: int) -> None:
    found = path.lstat()
    shared = stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX
    if found.st_uid == os.geteuid() and not shared and stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def to_disk(directory: Path) -> None:
    """Wait until the names in a directory are on the disk: a file's own content says nothing of it.

    Raises:
        OSError: it cannot be.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _group() -> int | None:
    try:
        return pwd.getpwnam(ACCOUNT).pw_gid if os.geteuid() == 0 else None
    except KeyError:
        return None


def postgres_account() -> int:
    """The user id that PostgreSQL runs as: ours, or as root that of its account, which is made.

    Raises:
        SetupError: there is none and it cannot be made.
    """
    if os.geteuid() != 0:
        return os.geteuid()
    why = "neither useradd nor adduser is there"
    for _ in range(_TRIES):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(ACCOUNT).pw_uid
        why = _make_account() or why
    raise SetupError(
        f"PostgreSQL does not run as root, and the system account {ACCOUNT} for it could not be"
        f" made ({why}). Make it (`useradd --system --user-group --no-create-home {ACCOUNT}`), or"
        " run the desk as an ordinary user."
    )


def _make_account() -> str:
    """Why it could not be made; the file of accounts may be locked by somebody for a moment."""
    for program, *options in _HOW_TO_MAKE_ONE:
        path = shutil.which(program, path=os.defpath + ":/usr/sbin:/sbin")
        if path is not None:
            made = subprocess.run(  # noqa: S603 - a program of the system's, by its full path
                [path, *options, ACCOUNT], capture_output=True, text=True, timeout=30, check=False
            )
            if made.returncode:
                time.sleep(0.2)
            return made.stderr.strip()
    return ""


def user() -> str:
    """Name whoever runs this process; not by the environment, which says what they like."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container knows few of its users by name
        return f"uid {uid}"

"""An earlier version of the desk: its tree out of this clone's history, installed by its own pins.

Nothing of it is imported here, and nothing of ours there: it is run by its own command, and asked
at its own doors.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

from domain.errors import SetupError
from runtime.settings import ROOT


class Version(NamedTuple):
    """An installed version: its commit in full, and its tree, with its environment in it."""

    commit: str
    tree: Path

    @property
    def yinuo(self) -> Path:
        """Its command."""
        return self.tree / ".venv" / "bin" / "yinuo"


def resolved(name: str, clone: Path = ROOT) -> str:
    """Find a commit in the history of a clone.

    Raises:
        SetupError: it is not there, or on a branch; the message says what to do.
    """
    found = _git(clone, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode == 0:
        return _of_the_main_line(clone, found.stdout.decode().strip())
    shallow = _git(clone, "rev-parse", "--is-shallow-repository")
    if shallow.returncode != 0:
        raise SetupError(
            f"{clone} is no clone of the project: an earlier version is made out of its history, so"
            " run this in one (git clone …)"
        )
    if shallow.stdout.strip() == b"true":
        raise SetupError(
            f"{clone} is a shallow clone and does not go back to {name}:"
            " `git fetch --unshallow`, then again"
        )
    raise SetupError(f"there is no commit {name} in {clone}: `git fetch`, or name another")


def _of_the_main_line(clone: Path, commit: str) -> str:
    """Take no commit of a branch: it numbered its migrations before it was merged."""
    line = _git(clone, "rev-list", "--first-parent", "HEAD").stdout.decode().split()
    if commit not in line:
        raise SetupError(
            f"{commit[:12]} is not on the main line of this checkout, so nobody's desk is of it:"
            " name one of `git log --first-parent --oneline`"
        )
    return commit


def installed(commit: str, tree: Path, clone: Path = ROOT) -> Version:
    """Unpack a commit into a folder and install it there, unless both was done before.

    Raises:
        SetupError: the folder holds something else, or it could not be installed.
    """
    version = Version(commit, tree)
    mark = tree / ".commit"
    if not mark.exists():
        if tree.exists() and any(tree.iterdir()):
            raise SetupError(f"{tree} is not empty, and holds no version: name another folder")
        _unpack(clone, commit, tree)
        mark.write_text(commit, encoding="utf-8")
    elif mark.read_text(encoding="utf-8") != commit:
        raise SetupError(f"{tree} holds another version: name another folder")
    made = subprocess.run(  # noqa: S603  the version's own recipe
        ["make", "-C", str(tree), "install", f"PYTHON={sys.executable}"],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if made.returncode:
        raise SetupError(f"{tree} could not be installed:\n{made.stderr.decode()[-2000:]}")
    return version


def _unpack(clone: Path, commit: str, tree: Path) -> None:
    packed = _git(clone, "archive", "--format=tar", commit)
    if packed.returncode:
        raise SetupError(f"{commit} could not be unpacked: {packed.stderr.decode()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(tree, filter="data")


def _git(clone: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  the arguments are ours
        ["git", "-C", str(clone), *arguments],  # noqa: S607
        capture_output=True,
        check=False,
    )

"""What is attached to an issue: photographs and files. How large, how many and of which kind they
may be is the policy's; the contents themselves are kept outside the register, by their digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer

from domain.calendars.periods import Elapsed, TimeBudget
from domain.errors import Refused
from domain.files.kinds import RISKY, FileKind
from domain.vocabulary import Code, Instant, Line, Model, Role

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(KB|MB|GB)")
_UNITS: Mapping[str, int] = {"KB": 1024, "MB": 1024**2, "GB": 1024**3}


class ShownTo(StrEnum):
    """Whom an attachment is for, besides the staff who may see the issue's customer."""

    CUSTOMER = "customer"
    STAFF = "staff"


class Standing(StrEnum):
    """Whether an attachment can be had."""

    SERVED = "served"
    WAITING = "waiting"
    """For the scanner, which did not answer: nobody gets it before."""
    REMOVED = "removed"
    """Its content is kept no longer, such as malware's; that it came is."""


class Attachment(Model):
    """One photograph or file of an issue; ``size`` in bytes, ``digest`` the SHA-256 of its content
    in hex.
    """

    id: str
    issue_id: str
    at: Instant
    actor: Code
    role: Role
    door: Code
    name: Line
    kind: FileKind
    size: Annotated[int, Field(gt=0)]
    digest: str
    shown_to: ShownTo
    standing: Standing = Standing.SERVED

    def require_served(self) -> None:
        """Let through what can be had.

        Raises:
            Refused: ``NotAllowed``, it waits for the scanner; ``NotFound``, it is not kept.
        """
        match self.standing:
            case Standing.WAITING:
                raise Refused("NotAllowed", f"{self.name} waits for the scanner: ask again later")
            case Standing.REMOVED:
                raise Refused("NotFound", f"the content of {self.name} was removed")


class Size(Model):
    """So many bytes, as people write them: ``"20MB"`` are twenty times 1024 times 1024."""

    bytes: Annotated[int, Field(gt=0)]
    written: str

    def __str__(self) -> str:
        return self.written


def _read_size(written: object) -> Size:
    if isinstance(written, Size):
        return written
    found = _SIZE.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f'{written!r} is no size: write "500KB", "20MB" or "1GB"')
    return Size(bytes=int(float(found[1]) * _UNITS[found[2]]), written=found[0])


WrittenSize = Annotated[Size, BeforeValidator(_read_size), PlainSerializer(str, when_used="json")]

Why = Literal["empty", "too_large", "too_many", "kind", "broken", "malware"]


class NotTaken(Refused):
    """A file that is not attached, and ``why`` for short; nothing of it is kept."""

    def __init__(self, why: Why, message: str) -> None:
        super().__init__("Invalid", message)
        self.why = why


class Extent(NamedTuple):
    """How much is attached to an issue: how many files, and their bytes together."""

    files: int = 0
    size: int = 0


class Limits(Model):
    """What may be attached to an issue: how large one file, how many and how much together, and
    which kinds, by what is found in them. They are kept for a while after the issue is closed.
    """

    largest: WrittenSize = _read_size("20MB")
    per_issue: Annotated[int, Field(gt=0)] = 30
    together: WrittenSize = _read_size("200MB")
    kinds: tuple[FileKind, ...] = tuple(each for each in FileKind if each not in RISKY)
    keep: Elapsed = TimeBudget(span=timedelta(days=365), written="365d")

    def too_large(self) -> NotTaken:
        """Say no to a file that is larger than one may be."""
        return NotTaken(
            "too_large",
            f"content: the file is larger than {self.largest}: send a smaller one, such as the"
            " photograph in a lower resolution",
        )

    def require_kind(self, kind: FileKind) -> None:
        """Let a file through that is of a kind that is wanted.

        Raises:
            NotTaken: it is of another.
        """
        if kind not in self.kinds:
            wanted = ", ".join(self.kinds)
            raise NotTaken("kind", f"content: {kind} is not taken; what is: {wanted}")

    def require_room(self, there: Extent, size: int) -> None:
        """Let a file of that size through that an issue has room for besides what is ``there``.

        Raises:
            NotTaken: it has not.
        """
        if there.files >= self.per_issue:
            raise NotTaken(
                "too_many", f"content: the issue has {there.files} files, no more are taken"
            )
        if there.size + size > self.together.bytes:
            raise NotTaken(
                "too_many", f"content: the files of an issue are {self.together} at most together"
            )

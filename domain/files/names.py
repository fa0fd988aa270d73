"""What a file is called here: a name that any system can keep, and that leads nowhere else."""

from __future__ import annotations

import re
import unicodedata

from domain.files.kinds import FileKind
from domain.texts import can_be_seen

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of what has no place in a name: controls, what turns the reading direction,
half characters.
"""
_RESERVED = re.compile(r"[<>:\"|?*]")
_DEVICES = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[\d¹²³])(?=\.|$)", re.IGNORECASE
)
"""What Windows takes for a device, whatever follows the dot."""
_LONGEST = 180
"""Bytes of UTF-8: file systems take 255, some with an addition of their own."""
_NAMELESS = "file"


def name_of(written: str, kind: FileKind) -> str:
    """Return a name for a file of a kind, as near as can be to what its sender called it: without
    the way there, and with an ending that files of its kind have. So nothing opens it as what it is
    not, were it a program that calls itself a picture or a picture that is a program as well.
    """
    last = written.replace("\\", "/").rpartition("/")[2]
    shown = unicodedata.normalize("NFC", "".join(filter(_has_a_place, last)))
    name = " ".join(_RESERVED.sub("_", shown).split()).rstrip(". ")
    stem, dot, ending = name.rpartition(".")
    if not dot or f".{ending.lower()}" not in kind.endings:
        stem, ending = name, kind.endings[0].removeprefix(".")
    stem = stem.strip(". ")
    if not can_be_seen(stem):
        stem = _NAMELESS
    if _DEVICES.match(stem):
        stem = f"_{stem}"
    return f"{_shortened(stem, _LONGEST - len(ending) - 1)}.{ending}"


def _has_a_place(each: str) -> bool:
    return each.isspace() or unicodedata.category(each) not in _UNSEEN


def _shortened(stem: str, most: int) -> str:
    return stem.encode()[:most].decode(errors="ignore").rstrip(". ")

"""What people call the encodings they write in, beside what these are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CHINESE: Mapping[str, str] = MappingProxyType(
    {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
)
"""Who names one of these, by Python's name, goes beyond it: the other holds all of it, and more."""
NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"})
"""Python's own, which nobody writes in."""

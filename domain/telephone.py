"""Telephone numbers: one customer is one number, however it was written (R22).

What a country's numbers look like is the library's to know (Google's libphonenumber): where `0086`,
`86` and the trunk `0` belong to a number, and that 400 and 800 numbers have no area.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

HOME = "CN"
"""The country of a number that names none."""
_SHORTEST = 5
"""Digits of the shortest number that is one customer's."""
_NOT_DIALLED = re.compile(r"[^0-9+-]+")
_EXTENSION = re.compile(r"[ -]+([0-9]{1,6})$")
"""What may follow a number behind a switchboard: `0755-8888 0101-802`."""


class Telephone(NamedTuple):
    """A number as it is dialled from abroad, and the extension behind a switchboard."""

    number: str
    extension: str | None = None

    def __str__(self) -> str:
        """Write it one way."""
        return f"{self.number} ext {self.extension}" if self.extension else self.number


def cleaned(written: str) -> str:
    """Leave digits, plus and hyphens of what stands around them: full-width ones, brackets,
    `tel:`, `转` before an extension.
    """
    return " ".join(_NOT_DIALLED.sub(" ", unicodedata.normalize("NFKC", written)).split())


def read(written: str, country: str = HOME) -> Telephone | None:
    """Read a number of ``country``, unless it names another; None: too short to be one. `0755 …`,
    `+86 755 …` and `0086 (0) 755 …` are the same.

    What is a number as it stands is no number with an extension; what cannot be one is read by its
    digits all the same, for people mistype.
    """
    plain = cleaned(written)
    whole = _parsed(plain, country)
    if whole and phonenumbers.is_valid_number(whole):
        return Telephone(_dialled(whole))
    if found := _EXTENSION.search(plain):
        board = _parsed(plain[: found.start()], country)
        if board and phonenumbers.is_valid_number(board):
            return Telephone(_dialled(board), found[1])
    if whole is None or len(str(whole.national_number)) < _SHORTEST:
        return None
    return Telephone(_dialled(whole))


def _parsed(plain: str, country: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(plain, country)
    except NumberParseException:
        return None


def _dialled(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)

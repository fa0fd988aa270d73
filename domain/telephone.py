"""Telephone numbers: what people write is read one way, and one customer is one number (R22).

What a country's numbers look like is the library's to know (Google's libphonenumber): where `0086`,
`86` and the trunk `0` belong to a number, that 400 and 800 numbers have no area, and which are
mobiles. Ours is how they are written here: 转 before an extension, two numbers in one field, a
spreadsheet's floats.

A number need not be one that the library knows to be in use: a customer may have mistyped it, and
is still a customer. It is enough that it can be one by its length; only nothing is sent to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple
from unicodedata import decimal, normalize

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

HOME = "CN"
"""The country of a number that names none."""
LONGEST = 200
"""Characters of a field in which a number is looked for."""

Kind = Literal["mobile", "landline", "service", "unknown"]
"""What can be done with a number: only a mobile takes texts; hotlines, 400, 800 and 95xxx are
services.
"""
Why = Literal["telephone_missing", "telephone_rounded", "telephone_length"]

REASONS: Mapping[Why, str] = MappingProxyType(
    {
        "telephone_missing": (
            "holds no telephone number: write digits, like 13800000001, 020-55500101 转 801, "
            "400-810-8888 or +44 20 7946 0018"
        ),
        "telephone_rounded": (
            "a spreadsheet has rounded it, and its last digits are lost: make the column text and "
            "write the number again"
        ),
        "telephone_length": (
            "has too few or too many digits for a telephone number: write it whole, with its area "
            "or country"
        ),
    }
)
"""What is said of a field that holds no number."""


class Unreadable(ValueError):
    """No telephone number can be made of it."""

    def __init__(self, why: Why) -> None:
        super().__init__(REASONS[why])
        self.why = why


class Telephone(NamedTuple):
    """A number, and the extension behind a switchboard. ``number`` is E.164, or as it is dialled
    at home where it has no such form: 95588, or a local number without its area.
    """

    number: str
    extension: str | None = None

    def __str__(self) -> str:
        """Write it as it is kept: ``+8613800000001``, ``+862055500101(801)``, ``95588``."""
        return f"{self.number}({self.extension})" if self.extension else self.number

    @property
    def kind(self) -> Kind:
        """What it can be used for."""
        if not self.number.startswith("+"):
            return "service" if _SERVICE.fullmatch(self.number) else "unknown"
        return _KINDS.get(phonenumbers.number_type(_known(self.number)), "unknown")

    @property
    def takes_texts(self) -> bool:
        """Whether an SMS can arrive there."""
        return self.kind == "mobile" and not self.extension

    @property
    def dialled(self) -> str:
        """What a telephone is to dial, without the extension."""
        if self.number.startswith("+") and _at_home_only(self.number):
            return phonenumbers.national_significant_number(_known(self.number))
        return self.number

    @property
    def uri(self) -> str:
        """The address of a link that dials it (RFC 3966)."""
        return "tel:" + self.dialled + (f";ext={self.extension}" if self.extension else "")

    @property
    def grouped(self) -> str:
        """The number as people read it, without the extension."""
        if self.kind == "unknown" or not self.number.startswith("+"):
            return self.number
        home = _at_home_only(self.number)
        form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(_known(self.number), form)

    @property
    def shown(self) -> str:
        """The whole of it as people read and write it."""
        return f"{self.grouped} 转 {self.extension}" if self.extension else self.grouped


class Reading(NamedTuple):
    """What a field holds: its first number, and whether that is all it says."""

    telephone: Telephone
    alone: bool


@lru_cache(maxsize=1000)
def read(written: str | None) -> Telephone | None:
    """Read the first number in what was written at any time; None: there is none."""
    try:
        return understand(written).telephone
    except Unreadable:
        return None


def left_out(written: object) -> bool:
    """Whether a field says that there is no number: nothing, or a word for it."""
    return isinstance(written, str) and (
        normalize("NFKC", written).lower().strip(" \t\r\n-.*/") in _NO_NUMBER
    )


def shown(written: str) -> str:
    """Write a number that is kept as people read it; what is none, as it was written."""
    number = read(written)
    return number.shown if number else written


def understand(written: object) -> Reading:
    """Read a field that somebody filled in. `0755 …`, `+86 755 …` and `0086 (0) 755 …` are the
    same, and so are `转 801`, `ext. 801` and `-801` behind a number. Of two it is the first.

    Raises:
        Unreadable: there is no telephone number in it, and why.
    """
    text = _plain(written)
    for run in _RUN.finditer(text):
        if found := _first(run[1], run[2]):
            number, rest = found
            beside = f"{text[: run.start()]} {rest} {text[run.end() :]}"
            return Reading(number, alone=not re.search(r"\w", _LABEL.sub(" ", beside)))
    raise Unreadable("telephone_length" if re.search(r"\d", text) else "telephone_missing")


# What people write --------------------------------------------------------------------------------

_SPOKEN = dict(zip("〇零一幺二两三四五六七八九", "0011223456789", strict=True))
_ALOUD = re.compile(f"[{''.join(_SPOKEN)}]{{3,}}")
"""Digits in words: 一三八, not 张三."""
_DASHES = re.compile("[‐-―−ー~〜·・]+")
_BRACKETS = str.maketrans("[]{}【】", "()()()")
_WHOLE = re.compile(r"(\d{5,})\.0+")
"""A number that a spreadsheet took for an amount."""
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?e\+?(\d{1,2})")
_KEPT = re.compile(r"(\+?\d{5,})\((\d{1,8})\)")
_MARK = re.compile(
    r"(?:[,; ]*(?:(?<![a-z])(?:extension|extn|ext|x)(?![a-z])|转接?|轉接?|分机号?码?|分機號?碼?"
    r"|内线|內線|[#*])[.:= ]*)+(?=\d)"
    r"|(?<=\d),{1,2}(?=\d{1,5}(?!\d))"
)
"""What stands before an extension; last, the pause that a telephone dials."""
_RUN = re.compile(r"([+(]*\d(?:[\d ().-]*\d)?)\)?(?:[ (]*x(\d{1,8})(?!\d))?")
_GAP = re.compile(r"(?<=\d)[ -]+(?=\d)")
_LABEL = re.compile(
    r"tel(?:ephone)?|phone|mobile|cell|联系|电话|電話|手机|手機|座机|固话|号码?|分机"
)
"""What may stand beside a number and says nothing."""
_NO_NUMBER = frozenset(
    {
        *("", "无", "没有", "暂无", "未知", "不详", "匿名", "n/a", "na", "none", "null", "nil"),
        *("unknown", "anonymous", "restricted", "private", "withheld", "unavailable"),
    }
)
"""What forms and call centres write where they have none."""
_LONGEST_TAIL = 6
"""Digits of an extension that nothing but a space or a hyphen tells from the number."""


def _plain(written: object) -> str:
    """Write it with the characters that numbers are made of, and ``x`` before an extension."""
    text = normalize("NFKC", _text(written)).lower()
    seen = (each for each in " ".join(text.split()) if each.isprintable())
    text = "".join(str(decimal(each)) if each.isdecimal() else each for each in seen)
    text = _DASHES.sub("-", text).translate(_BRACKETS)
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    if rounded := _SCIENTIFIC.fullmatch(text):
        return _unrounded(rounded[1] + (rounded[2] or ""), int(rounded[3]))
    if kept := _KEPT.fullmatch(text):
        return f"{kept[1]}x{kept[2]}"
    text = _ALOUD.sub(lambda said: "".join(map(_SPOKEN.__getitem__, said[0])), text)
    return re.sub(r"\+[ (]+", "+", _MARK.sub("x", text))


def _text(written: object) -> str:
    if isinstance(written, float) and written.is_integer():
        return f"{written:.0f}"
    if isinstance(written, bool) or not isinstance(written, str | int):
        raise Unreadable("telephone_missing")
    text = str(written)
    if len(text) > LONGEST:
        raise Unreadable("telephone_length")
    return text


def _unrounded(digits: str, power: int) -> str:
    """Write out `1.3800000001E+10`; of `8.6139E+12` the digits behind are gone."""
    if len(digits) != power + 1:
        raise Unreadable("telephone_rounded")
    return digits


def _first(run: str, extension: str | None) -> tuple[Telephone, str] | None:
    """Read the first number of a run of digits, and say what is left of the run. What is a number
    as it stands is none with an extension.
    """
    plain = " ".join(re.sub(r"[^\d+-]+", " ", run).split())
    if extension:
        board = _in_use(plain) or _possible(plain)
        return (Telephone(board, extension), "") if board else None
    if whole := _in_use(plain):
        return Telephone(whole), ""
    for board, tail in _cuts(plain):
        if number := _in_use(board):
            return _with_tail(Telephone(number), tail)
    if whole := _possible(plain):
        return Telephone(whole), ""
    for board, tail in _cuts(plain):
        if number := _possible(board):
            return Telephone(number), tail
    return None


def _with_tail(number: Telephone, tail: str) -> tuple[Telephone, str]:
    """Say what stands behind a number: an extension, or something else."""
    if len(tail) <= _LONGEST_TAIL and tail.isdecimal() and number.kind != "mobile":
        return Telephone(number.number, tail), ""
    return number, tail


def _cuts(plain: str) -> Iterator[tuple[str, str]]:
    """Cut it in two where it has a gap, the longest beginning first."""
    for gap in reversed([*_GAP.finditer(plain)]):
        yield plain[: gap.start()], plain[gap.end() :]


# What the library knows ---------------------------------------------------------------------------

_AREA_NEEDED = 8
"""Digits up to which a number of ours, unless it is known, lacks its area."""
_DIGITS = range(5, 16)
"""How many a number has that is one customer's."""
_SERVICE = re.compile(r"(?:1[0-2]|9[56])\d{3,4}|950\d{9,12}")
"""Services that are dialled as they are: 10086, 12345, 95588, 96110; and the long numbers that
stand for somebody else's. The library lists some.
"""
_TRUNK_AND_HOME = re.compile(r"^\+?0+(?=86)")
_NEIGHBOUR = re.compile(r"^(?=85[23]|886)")
"""Hong Kong, Macao and Taiwan are written without a plus, too."""
_KINDS: Mapping[int, Kind] = MappingProxyType(
    {
        PhoneNumberType.MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile",
        PhoneNumberType.FIXED_LINE: "landline",
        PhoneNumberType.VOIP: "landline",
        PhoneNumberType.TOLL_FREE: "service",
        PhoneNumberType.SHARED_COST: "service",
        PhoneNumberType.PREMIUM_RATE: "service",
        PhoneNumberType.UAN: "service",
    }
)


def _in_use(plain: str) -> str | None:
    """Return the E.164 of a number that the library knows to be given out somewhere."""
    for written in (plain, _TRUNK_AND_HOME.sub("+", plain), _NEIGHBOUR.sub("+", plain)):
        number = _parsed(written)
        if number and phonenumbers.is_valid_number(number) and (whole := _e164(number)):
            return whole
    return None


def _possible(plain: str) -> str | None:
    """Return what can be a number by its length: a local one as it is dialled, others as E.164."""
    number = _parsed(plain)
    if number is None:
        return None
    if number.country_code == _HOME_CODE and (local := _local(number)) is not None:
        return local if _parsed(local) == number else None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return _e164(number) if reason == ValidationResult.IS_POSSIBLE else None


def _local(number: PhoneNumber) -> str | None:
    """Return the digits of a number of ours that is dialled as it is, none at all if it cannot be
    one; None: it has an area.
    """
    digits = phonenumbers.national_significant_number(number)
    if digits.startswith("0"):
        return ""
    if len(digits) > _AREA_NEEDED and not _SERVICE.fullmatch(digits):
        return None
    return digits if len(digits) in _DIGITS else ""


_HOME_CODE = phonenumbers.country_code_for_region(HOME)


@lru_cache(maxsize=1000)
def _parsed(plain: str) -> PhoneNumber | None:
    """Read it, unless it would read otherwise when it is written down: of many prefixes the library
    takes one off at a time, and twenty ones would be a number in the end.
    """
    try:
        number = phonenumbers.parse(plain, HOME)
    except NumberParseException:
        return None
    whole = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return number if whole == plain or _parsed(whole) == number else None


def _known(number: str) -> PhoneNumber:
    found = _parsed(number)
    if found is None:
        raise ValueError("this is no telephone number as it is kept")
    return found


def _at_home_only(number: str) -> bool:
    """Whether a number of ours is reached from nowhere else: 400, 800."""
    known = _known(number)
    ours = known.country_code == _HOME_CODE
    return ours and not phonenumbers.can_be_internationally_dialled(known)


def _e164(number: PhoneNumber) -> str | None:
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return written if len(written.removeprefix("+")) in _DIGITS else None

"""Finding an issue: what somebody typed, read as what it may be, a number or its tail, a telephone,
words; and which places of a text it is found by.

Words are cut into terms as in the case library (``domain/knowledge/search_terms.py``). What is
found is in the order of use: the very number that was asked for, what is open, what is newest.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints

from domain.issue.actions import ActionName
from domain.issue.state import Person
from domain.knowledge.search_terms import asked_words, normalised
from domain.vocabulary import Code, Instant, Model, Outcome, Severity, Stage

LONGEST = 200
"""Characters of a question: whoever pastes a letter is asked for its words."""
FEWEST = 2
"""Characters of a word that is looked for."""
_NUMBER = re.compile(r"(?<!\d)\d{8}-\d{2,4}-\d{4,8}(?!\d)")
_TAIL = re.compile(r"(?:\d{1,8}-)?(?:\d{1,4}-)?\d{4,8}")
_DASHES = re.compile("[-‐‑‒–—―−－﹣_]")
_AROUND = 36
"""Characters that are shown before and after what was found."""
_SHOWN = 140


class FoundBy(StrEnum):
    """What an issue was found by, the surest first."""

    NUMBER = "number"
    TELEPHONE = "telephone"
    CUSTOMER = "customer"
    """Name, organisation or contact person."""
    WORDS = "words"


class Question(NamedTuple):
    """What was typed. ``number`` is a whole one; ``tail`` the digits that one ends with. ``words``
    are the terms of each word; ``short``: there is nothing in it that could be looked for.
    """

    text: str
    number: str | None
    tail: str | None
    words: Sequence[Sequence[str]]

    @property
    def short(self) -> bool:
        """Whether it is too short to be looked for."""
        return self.number is None and self.tail is None and not self.words


def read(typed: str) -> Question:
    """Read what somebody typed, in whatever width and with whatever dashes."""
    text = " ".join(unicodedata.normalize("NFKC", typed).split())[:LONGEST]
    written = _DASHES.sub("-", text)
    number = _NUMBER.search(written)
    compact = re.sub(r"\s*-\s*", "-", written)
    tail = compact.replace("-", "") if _TAIL.fullmatch(compact) else None
    words = [terms for terms in asked_words(text) if any(len(term) >= FEWEST for term in terms)]
    return Question(text, number[0] if number else None, tail, words)


class Passage(Model):
    """A piece of what was found, with the places in it (from, to) that were asked for."""

    # As it stands: the places are counted from its very beginning.
    text: Annotated[str, StringConstraints(strip_whitespace=False)]
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Take it apart: each piece, and whether it is marked."""
        last = 0
        for begin, end in self.marks:
            yield self.text[last:begin], False
            yield self.text[begin:end], True
            last = end
        yield self.text[last:], False


class Hit(Model):
    """Words of an issue's thread that were found: with which step, or beside it."""

    action: ActionName | None
    field: str
    passage: Passage


class Found(Model):
    """An issue that was found, and by what."""

    number: str
    by: tuple[FoundBy, ...]
    title: Passage
    stage: Stage
    outcome: Outcome | None
    kind: Code
    severity: Severity
    department: str
    region: str
    product_line: str
    zone: str
    engineer: Person | None
    registered_at: Instant
    customer: Passage | None = Field(
        default=None, description="whom it was promised to, if it was found by that"
    )
    hits: tuple[Hit, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the desk is still at it."""
        return self.stage is not Stage.CLOSED

    @property
    def private(self) -> bool:
        """Whether a customer's data are shown with it (R30)."""
        return self.customer is not None or bool(self.hits)


class Answer(Model):
    """What was found. ``more``: there are others like these; ``partly``: the words are so common
    that only the newest were looked through; ``nearly``: nothing has all of the words, these have
    nearly all; ``short``: there was nothing to look for.
    """

    found: tuple[Found, ...] = ()
    more: bool = False
    partly: bool = False
    nearly: bool = False
    short: bool = False


# Marks --------------------------------------------------------------------------------------------


def passage(text: str, words: Iterable[Sequence[str]], shown: int = _SHOWN) -> Passage:
    """Cut out of a text where most of what was asked for stands, and mark it."""
    plain, at = _plain(text)
    marks = _merged(sorted(_places(plain, [term for terms in words for term in terms])))
    # One character may be written as several: two marks may be in it.
    places = _merged((at[begin], at[end - 1] + 1) for begin, end in marks)
    first, last = _best(places, len(text), shown)
    kept = [(max(b, first), min(e, last)) for b, e in places if b < last and e > first]
    before, after = ("…" if first else ""), ("…" if last < len(text) else "")
    begins = len(before) - first
    return Passage(
        text=f"{before}{text[first:last]}{after}",
        marks=tuple((begin + begins, end + begins) for begin, end in kept),
    )


def _plain(text: str) -> tuple[str, list[int]]:
    """Write a text as terms are written, and say of each character where it comes from."""
    written, at = [], []
    for place, char in enumerate(text):
        for each in normalised(char):
            written.append(each)
            at.append(place)
    return "".join(written), at


def _places(plain: str, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    for term in dict.fromkeys(terms):
        if not any(term != other and term in other for other in terms):
            yield from (found.span() for found in _pattern(term).finditer(plain))


@lru_cache(1_000)
def _pattern(term: str) -> re.Pattern[str]:
    """Between the parts of a model number there may be what separates them: st100 is ST-100; and
    no part of one stands within another word.
    """
    parts = re.findall(r"[a-z]+|\d+|[^a-z\d]+", term)
    before = "(?<![a-z])" if parts[0].isascii() and parts[0].isalpha() else ""
    after = "(?![a-z])" if parts[-1].isascii() and parts[-1].isalpha() else ""
    before = r"(?<!\d)" if parts[0].isdecimal() else before
    after = r"(?!\d)" if parts[-1].isdecimal() else after
    return re.compile(f"{before}{'[-._ ]?'.join(map(re.escape, parts))}{after}")


def _merged(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in places:
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _best(places: Sequence[tuple[int, int]], length: int, shown: int) -> tuple[int, int]:
    """Choose the window that has most marks in it."""
    if length <= shown:
        return 0, length

    def marked(begin: int) -> int:
        return sum(e - b for b, e in places if begin <= b and e <= begin + shown)

    begins = [max(0, begin - _AROUND) for begin, _ in places] or [0]
    first = max(begins, key=lambda begin: (marked(begin), -begin))
    first = min(first, length - shown)
    return first, first + shown

"""What customers say of the service without a link (R26): on the website, by telephone, on paper;
and what of all they say is to be read (R41).

Several items are scored in one go, about an issue or about a month and a project. Whether it counts
is the register's to find, or a person's: whoever fills in a form at an open door may be anybody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from domain.issue.arrival import Number
from domain.texts import unseen
from domain.vocabulary import Code, Instant, Line, Model, Score, ServiceItem, Text, repeated

Month = Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
"""A calendar month: 2026-11."""


class Way(StrEnum):
    """How an evaluation reached us."""

    WEBSITE = "website"
    TELEPHONE = "telephone"
    PAPER = "paper"


class Counting(StrEnum):
    """Whether an evaluation counts: it does; nobody knows yet whose it is; it was given before;
    somebody found that it is none.
    """

    COUNTS = "counts"
    UNVERIFIED = "unverified"
    REPEATED = "repeated"
    LEFT_OUT = "left_out"


class Scored(Model):
    """One item with its two scores."""

    item: ServiceItem = Field(description="what is scored")
    technical: Score = Field(description="technical level; 100 is what was to be expected")
    attitude: Score = Field(description="service attitude; 100 is what was to be expected")


class Opinion(Model):
    """The evaluation form as it is filled in: about an issue by its number, or about a project in
    a month. ``opinions`` are those on that month's service.
    """

    number: Code | None = Field(default=None, description="of the issue")
    unit: Line | None = Field(default=None, description="the customer's organisation")
    month: Month | None = Field(default=None, description="like 2026-11")
    project: Line | None = Field(default=None, description="which project")
    place: Line | None = Field(default=None, description="province, city or county")
    assessor: Line = Field(description="who scores")
    scored_on: date | None = Field(default=None, description="left out: the day it comes in")
    opinions: Text = Field(default="", description="on this month's service")
    comment: Text = ""
    scores: tuple[Scored, ...] = Field(min_length=1, max_length=len(ServiceItem))

    @model_validator(mode="after")
    def _is_about_something_and_each_item_once(self) -> Opinion:
        if self.number is None and not (self.unit and self.month and self.project):
            raise ValueError("number: give the issue's number, or unit, month and project")
        if twice := repeated(each.item for each in self.scores):
            raise ValueError(f"scores: {twice} is scored twice")
        return self

    def impossible(self, today: date) -> Iterator[str]:
        """Name what shows nothing or is still to come by the desk's day, by its field. Where the
        customer is it may be tomorrow already.
        """
        yield from unseen(self)
        tomorrow = today + timedelta(days=1)
        if self.month and self.month > f"{tomorrow:%Y-%m}":
            yield f"month: {self.month} is not here yet: write the month of the service"
        if self.scored_on and self.scored_on > tomorrow:
            yield f"scored_on: {self.scored_on} is not here yet: write the day it was scored"

    @property
    def subject(self) -> str:
        """What it is about where it is no issue that is known: the same however it is written."""
        said = (self.number or self.unit or "", self.month or "", self.project or "")
        return "|".join("".join(each.split()).casefold() for each in said)


class FromAnybody(Opinion):
    """As the website takes it: a number counts with the telephone of its customer only."""

    phone: Number = Field(default=None, description="by which the issue was reported")

    @model_validator(mode="after")
    def _says_who_they_are(self) -> FromAnybody:
        if self.number and self.phone is None:
            raise ValueError("phone: give the telephone by which the issue was reported")
        return self


class FromStaff(Opinion):
    """As staff write it down."""

    way: Way = Field(description="how they heard it: telephone or paper")


class Waits(Model):
    """An evaluation of which nobody knows yet whose it is, by its form."""

    key: str
    at: Instant
    opinion: Opinion
    phone: str | None


# The reading list (R41) ---------------------------------------------------------------------------


class Source(StrEnum):
    """Where words come from: an evaluation by a link, one without, a callback."""

    EVALUATION = "evaluation"
    OPINION = "opinion"
    CALLBACK = "callback"


class Remark(Model):
    """What a customer said about the service, to be read by whoever answers for it. ``worst`` is
    the lowest score beside it; ``complaint`` the number of the complaint it became.
    """

    key: str
    sort: Source
    at: Instant
    text: str
    number: str | None
    unit: str | None
    said_by: str
    department: str | None
    engineer: str | None
    worst: int | None
    satisfied: bool | None
    read_by: str | None = None
    reader: str | None = None
    read_at: Instant | None = None
    complaint: str | None = None


class Piece(NamedTuple):
    """A part of a text; whether it is one of the strong words."""

    text: str
    strong: bool


def marked(text: str, strong: Iterable[str]) -> list[Piece]:
    """Cut a text into pieces, so that the strong words in it can be marked, whatever their case."""
    words = sorted({each for each in strong if each}, key=len, reverse=True)
    if not words:
        return [Piece(text, strong=False)]
    pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    found: list[Piece] = []
    end = 0
    for each in pattern.finditer(text):
        found += [Piece(text[end : each.start()], strong=False), Piece(each[0], strong=True)]
        end = each.end()
    return [each for each in (*found, Piece(text[end:], strong=False)) if each.text]


def reference(number: str, key: str) -> str:
    """Name the complaint that words become: the same words are the same complaint."""
    return f"{number}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

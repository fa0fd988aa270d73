"""What a figure is: how it is called, what is counted, and how that is written.

In the pieces of SQL ``v`` is a row of the view; ``:asof`` is when the period is over, or now if it
is not; ``:within`` the seconds within which a call is to be answered (R7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from domain.reports.views import View
from domain.sla.policy import Policy


class Holds(Enum):
    """What the value of a figure is, and so how it is written."""

    COUNT = "count"
    SHARE = "share"
    """0 to 1."""
    SECONDS = "seconds"
    SCORE = "score"
    """Per cent of what was to be expected (R26)."""
    MONEY = "money"
    """Yuan."""
    POINTS = "points"
    """Of difficulty (R18)."""


class How(Enum):
    """What is made of a measured column."""

    AVERAGE = "average"
    MEDIAN = "median"
    SUM = "sum"
    LONGEST = "longest"


class Book(Enum):
    """Who writes down what a figure counts, and so since when anything is known of it."""

    DESK = "desk"
    TELEPHONE = "telephone"
    """Another system, which a desk may not have (R45)."""


class When(Enum):
    """Which rows are looked at: whose instant lies in the period; all from before its end, for what
    stands at that moment; or those of the next period as long as this one.
    """

    IN = "in"
    AT_END = "at_end"
    NEXT = "next"


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at least, or at most, what the policy says; None: nothing.
    ``a_month``: what it says is for a month, and as many times that for a longer period.
    """

    of: Callable[[Policy], float | None]
    at_least: bool = True
    a_month: bool = False


@dataclass(frozen=True)
class Figure:
    """One figure. ``rule`` says in a sentence how it is counted. ``counts`` is what a row has to be
    to count; ``among``, for shares, what it has to be to count for the whole; ``measured`` the
    column, or expression, that ``how`` makes a value of.
    """

    key: str
    zh: str
    en: str
    rule_zh: str
    rule_en: str
    view: View
    at: str
    counts: str = "true"
    among: str = ""
    measured: str = ""
    how: How | None = None
    holds: Holds = Holds.COUNT
    when: When = When.IN
    aim: Aim | None = None
    book: Book = Book.DESK

    @property
    def condition(self) -> str:
        """What a row has to be to be one of those behind the figure."""
        both = [self.among, self.counts]
        both += [f"{self.measured} IS NOT NULL"] if self.measured else []
        return " AND ".join(f"({each})" for each in both if each)


def met(figure: Figure, value: float, aim: float) -> bool:
    """Say whether a value is what the policy asks for."""
    return figure.aim is None or (value >= aim if figure.aim.at_least else value <= aim)

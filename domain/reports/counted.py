"""A report as it was counted: figures with what they were made of, row by row.

It is kept as JSON in every edition that was issued, so whatever is added later has a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from domain.vocabulary import Instant, Model

TOTAL = None
"""What the row of all the others together is of."""
NOBODY = "-"
"""What a row is of whose facts are nobody's: no engineer was named, no department is known."""


class Value(Model):
    """A figure: ``n`` facts were counted, ``of`` so many for a share. ``value`` is None where there
    is no data: no share of nothing, no average of nothing, nothing before the register began.
    Shares are 0 to 1, durations seconds, money yuan, scores per cent of what was to be expected.
    """

    value: int | float | Decimal | None = None
    n: int = 0
    of: int | None = None


class CountedRow(Model):
    """The figures of one engineer, kind, hour …: ``of`` is its code, None for all together; ``zh``
    and ``en`` are what the desk called it then.
    """

    of: str | None = TOTAL
    zh: str
    en: str
    values: Mapping[str, Value] = {}


class Quoted(Model):
    """What a customer said, as said; nobody is named but the issue."""

    issue: str
    at: Instant
    words: str
    of: str | None = None


class CountedSection(Model):
    """The rows of one section; the one of all together comes last."""

    key: str
    rows: tuple[CountedRow, ...] = ()
    more_rows: int = Field(default=0, description="how many there are beyond those listed")
    words: tuple[Quoted, ...] = ()
    more_words: int = Field(default=0, description="how many there are beyond those listed")

    @property
    def total(self) -> CountedRow | None:
        """The row of all together, if it has one."""
        return next((row for row in self.rows if row.of is TOTAL), None)


class Counted(Model):
    """A report of one period. ``over``: nothing more could happen in it when it was counted.
    ``data_since``: the register has nothing from before; None: it is empty. ``aims`` are the goals
    and limits of its figures by the rulebook that counted.
    """

    report: str
    period: str
    zone: str
    rulebook: str
    counted_at: Instant
    over: bool = True
    data_since: Instant | None = None
    department: str | None = None
    department_name: tuple[str, str] | None = None
    aims: Mapping[str, float] = {}
    sections: tuple[CountedSection, ...] = ()

    def section(self, key: str) -> CountedSection | None:
        """Return a section by its key."""
        return next((each for each in self.sections if each.key == key), None)

    def value(self, section: str, figure: str, of: str | None = TOTAL) -> Value | None:
        """Return one figure; None if it is not in there."""
        found = self.section(section)
        rows = found.rows if found else ()
        return next((row.values.get(figure) for row in rows if row.of == of), None)

    @property
    def empty(self) -> bool:
        """Whether nothing at all was counted."""
        return not any(
            value.n or value.of
            for section in self.sections
            for row in section.rows
            for value in row.values.values()
        )

    @property
    def has_words(self) -> bool:
        """Whether customers said something in it."""
        return any(each.words or each.more_words for each in self.sections)

    def without_words(self) -> Counted:
        """Leave out what customers said: for readers beyond those who may read it (R30)."""
        silent = [s.model_copy(update={"words": (), "more_words": 0}) for s in self.sections]
        return self.model_copy(update={"sections": tuple(silent)})

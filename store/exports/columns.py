"""What a register is when it is handed out: a table, its date, and columns under two headings.

In the pieces of SQL ``f`` is the register's own table, ``i`` the issue a row belongs to, ``asked``
what was asked for (``store/exports/registers.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from domain.terms import Term, Terms
from domain.words import Names

OF_ISSUE = "JOIN issues i ON i.id = f.issue_id"


class Holds(Enum):
    """What the values of a column are, and so how they are written."""

    TEXT = auto()
    CODE = auto()
    PERSON = auto()
    YES_NO = auto()
    INSTANT = auto()
    DAY = auto()
    NUMBER = auto()
    MONEY = auto()
    SHARE = auto()
    DURATION = auto()


@dataclass(frozen=True)
class Column:
    """A column: its key, its Chinese and its English heading.

    ``customers``: it tells who the customer is, or what they said (R30). ``sql``: how it is found,
    if it is not the table's own of that name. ``codes``: words of the codes it holds; ``term``:
    which of the desk's own words these are, if they are (R37).
    """

    key: str
    zh: str
    en: str
    holds: Holds = Holds.TEXT
    customers: bool = False
    sql: str = ""
    codes: Names = field(default_factory=dict)
    term: Term | None = None

    @property
    def found(self) -> str:
        """The expression that finds it; people are named by the roster, if it still has them."""
        found = self.sql or f"f.{self.key}"
        if self.holds is not Holds.PERSON:
            return found
        name = f"(SELECT m.name FROM members m WHERE m.id = {found})"  # noqa: S608
        return f"nullif(concat_ws(' ', {name}, {found}), '')"

    def in_terms_of(self, terms: Terms) -> Column:
        """Call what it holds as a desk does."""
        return self if self.term is None else replace(self, codes=terms.names(self.term))


@dataclass(frozen=True)
class Register:
    """A register or form: ``table`` is where its rows are, ``date`` what a period goes by.

    ``rows`` are what it is read from where that is more than the table as it is. ``by_terms`` makes
    the columns where which there are hangs on the desk's own words.
    ``history``: what its rows said before they were changed is kept. ``left_out``: columns of the
    table that are nobody's to read, each with the reason.
    """

    name: str
    zh: str
    en: str
    table: str
    date: str
    columns: tuple[Column, ...]
    order: str
    by_terms: Callable[[Terms], tuple[Column, ...]] | None = None
    rows: str = ""
    alias: str = "f"
    join: str = OF_ISSUE
    where: str = "true"
    group: str = ""
    history: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


def code(key: str, zh: str, en: str, codes: Names, sql: str = "") -> Column:
    return Column(key, zh, en, Holds.CODE, sql=sql, codes=codes)


def own(key: str, zh: str, en: str, term: Term, sql: str = "") -> Column:
    """Make a column of the desk's own words, called as a policy that names none calls them."""
    codes = Terms().names(term)
    return Column(key, zh, en, Holds.CODE, sql=sql, codes=codes, term=term)


def person(key: str, zh: str, en: str, *, customers: bool = False, sql: str = "") -> Column:
    return Column(key, zh, en, Holds.PERSON, customers, sql)


def at(key: str, zh: str, en: str, sql: str = "") -> Column:
    return Column(key, zh, en, Holds.INSTANT, sql=sql)


def yes_no(key: str, zh: str, en: str, sql: str = "") -> Column:
    return Column(key, zh, en, Holds.YES_NO, sql=sql)


def number(key: str, zh: str, en: str, sql: str = "") -> Column:
    return Column(key, zh, en, Holds.NUMBER, sql=sql)


def customers(key: str, zh: str, en: str, sql: str = "") -> Column:
    return Column(key, zh, en, customers=True, sql=sql)


def share(key: str, zh: str, en: str, of: str, among: str) -> Column:
    return Column(key, zh, en, Holds.SHARE, sql=f"({of})::float8 / nullif({among}, 0)")

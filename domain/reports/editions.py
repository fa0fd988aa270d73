"""Editions: a report of one period as it was issued (R27). Which are due, and what a later edition
says otherwise than the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from math import isclose
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.calendars.timeline import first_instant
from domain.reports.counted import Counted, CountedRow, Value
from domain.reports.definitions import Report
from domain.reports.periods import Cadence, Period
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Code, Instant, Language, Line, Model

SHOWN = 100
"""So many changes are told at once; the edition has them all."""
WORDS = "words"
"""What stands for a figure where what differs is how many customers said something."""
CATCH_UP = timedelta(days=100)
"""What ended longer ago is not issued by itself any more: a report that is switched on again brings
no year of them.
"""
NEW = timedelta(days=7)
"""What became due longer ago is not issued of a report that never was: a desk that begins to issue
them in November brings no third quarter.
"""
_A_DAY = timedelta(days=1)
_LOOKED_THROUGH = 400
"""Days of which one is a working day, or the desk has none at all."""


_NOBODY_READS = 1e-9
"""Of a figure: a difference as small is none."""


DIGEST = "digest"
"""What is ordered where it is no report but the digest of a morning; its period is that day."""


class Order(Model):
    """What is to be done about a report of a period. By the clock its first edition is issued.
    Whoever asks names a ``request``, so that it is done once: another edition, if something came in
    late, or the newest sent once more (``again``).
    """

    report: Code
    period: Code
    request: Code | None = None
    again: bool = False
    reason: Line | None = None

    @property
    def workflow_id(self) -> str:
        """Name the workflow that sees to it: of the clock there is one at a time."""
        about = f"report:{self.report}:{self.period}"
        return f"{about}:{self.request}" if self.request else about

    @property
    def about(self) -> str:
        """Begin the keys of its messages."""
        return f"report:{self.report}:{self.period}:"


class Change(Model):
    """A figure of which a later edition says something else; None: it was, or is, not there.
    ``of``, ``zh`` and ``en`` are the row's, ``figure`` is its key.
    """

    section: str
    of: str | None
    zh: str
    en: str
    figure: str
    before: Value | None
    after: Value | None


class Issued(Model):
    """What became of an order: which ``edition`` there is now, whether it is the order's own, how
    many figures differ from the one before, the first of these, and its messages.
    """

    report: str
    period: str
    edition: int
    new: bool
    changed: int = 0
    changes: tuple[Change, ...] = ()
    keys: tuple[str, ...] = ()


class Edition(Model):
    """An edition as it is kept: never changed, only followed by another. ``departments`` are the
    same figures of each department alone, for those who read no more.
    """

    report: Code
    period: Code
    edition: Annotated[int, Field(gt=0)]
    counted: Counted
    departments: Mapping[str, Counted] = {}
    changes: tuple[Change, ...] = ()
    reason: Line | None = None
    request: Code | None = None
    issued_at: Instant

    def part(self, department: str | None) -> Counted | None:
        """Return what those read who read no more than a department, of None everything; None: it
        has no part in it.
        """
        return self.counted if department is None else self.departments.get(department)

    def for_department(self, department: str | None) -> Counted:
        """Return the same; of a department without a part, nothing under its name."""
        return self.part(department) or self.counted.model_copy(
            update={"department": department, "sections": ()}
        )


class Enclosed(Model):
    """Which edition goes along with a message as files, in which language. ``department``: its part
    alone; None: all of it. Nothing has a default, or what is left out would come to mean all.
    """

    report: Code
    period: Code
    edition: Annotated[int, Field(gt=0)]
    department: Code | None
    language: Language


# What is due --------------------------------------------------------------------------------------


_ROLLED_UP = (Cadence.QUARTER, Cadence.YEAR)


def issued_over(report: Report) -> tuple[Cadence, ...]:
    """Say over which periods a report is issued by itself: its usual one, quarters and years."""
    usual, *others = report.cadences
    return usual, *(each for each in others if each in _ROLLED_UP)


class Kept(NamedTuple):
    """That there is an edition of that report and period; ``by_clock``: nobody asked for it."""

    report: str
    period: str
    by_clock: bool


class DueEdition(NamedTuple):
    """A report of a period that is to be issued, since ``at``."""

    report: str
    period: Period
    at: datetime


def morning_after(rulebook: Rulebook, day: date) -> datetime | None:
    """Say when what ends with a local day is issued (UTC): on the next working day, at the time of
    the policy. None: there is no working day within a year.
    """
    days = (day + n * _A_DAY for n in range(1, _LOOKED_THROUGH))
    found = next(filter(rulebook.reporting.is_working_day, days), None)
    return morning_of(rulebook, found) if found else None


def morning_of(rulebook: Rulebook, day: date) -> datetime:
    """Return the instant (UTC) of a local day at which the desk's people are to read."""
    policy = rulebook.policy
    return first_instant(datetime.combine(day, policy.reports.at), ZoneInfo(policy.zone))


def due(
    reports: Iterable[Report],
    kept: Collection[Kept],
    begun: date,
    today: date,
    now: datetime,
    morning: Callable[[date], datetime | None],
) -> tuple[DueEdition, ...]:
    """List what is to be issued at ``now`` and was not, the oldest first: whatever is over since
    the first that was issued by the clock, so that an outage loses none and none comes twice; of a
    report that never was, the newest alone, if that became due only now.

    ``begun`` is the first day the desk knows of, ``today`` that of ``now``; ``morning`` says when
    that is due which ends with a day, None: never.
    """
    found: list[DueEdition] = []
    for report in reports:
        for cadence in issued_over(report):
            come = [
                DueEdition(report.name, period, at)
                for period in _over(cadence, begun, today)
                if (at := morning(period.last)) is not None and at <= now
            ]
            found += _missing(come, [each for each in kept if each.report == report.name], now)
    return tuple(sorted(found, key=lambda each: (each.at, each.period.first, each.report)))


def _missing(come: list[DueEdition], kept: list[Kept], now: datetime) -> list[DueEdition]:
    """Return those that were not issued, of all whose morning has come, the newest first."""
    there = {each.period for each in kept}
    by_clock = {each.period for each in kept if each.by_clock}
    begins = [each.period.first for each in come if each.period.name in by_clock]
    if begins:
        wanted = [each for each in come if each.period.first > min(begins)]
    else:
        wanted = [each for each in come[:1] if now - each.at <= NEW]
    return [each for each in wanted if each.period.name not in there]


def _over(cadence: Cadence, begun: date, today: date) -> Iterator[Period]:
    """Go back from the newest period that is over, and from the one before, as the newest may still
    wait for its morning: a year's may wait for weeks, and lasts longer than one catches up.
    """
    period, always = Period.around(cadence, today).before, 2
    while period.last >= begun and (always > 0 or today - period.last <= CATCH_UP):
        yield period
        period, always = period.before, always - 1


# What changed -------------------------------------------------------------------------------------


def changes(before: Counted, after: Counted) -> tuple[Change, ...]:
    """Say figure by figure what the later of two counts of a report says otherwise, in the order of
    its tables; what is there no more comes last.
    """
    old, new = dict(_figures(before)), dict(_figures(after))
    return tuple(
        Change(
            section=key.section,
            of=key.of,
            zh=row.zh,
            en=row.en,
            figure=key.figure,
            before=old[key][1] if key in old else None,
            after=new[key][1] if key in new else None,
        )
        for key, (row, _) in (new | {k: v for k, v in old.items() if k not in new}).items()
        if not _same(_value(old.get(key)), _value(new.get(key)))
    )


class _Place(NamedTuple):
    section: str
    of: str | None
    figure: str


def _figures(counted: Counted) -> Iterator[tuple[_Place, tuple[CountedRow, Value]]]:
    for section in counted.sections:
        for row in section.rows:
            for figure, value in row.values.items():
                yield _Place(section.key, row.of, figure), (row, value)
        if said := len(section.words) + section.more_words:
            everybody = CountedRow(zh="客户原话", en="customers' words")
            yield _Place(section.key, None, WORDS), (everybody, Value(value=said, n=said))


def _value(found: tuple[CountedRow, Value] | None) -> Value:
    """What counts as a difference: no row at all is as good as nothing counted."""
    return found[1] if found else Value()


def _same(one: Value, other: Value) -> bool:
    """Say whether two values are one figure: an average hangs, beyond what anybody reads, on the
    order in which its rows were come by, and what was kept as JSON is a decimal number no more.
    """
    if one.value is None or other.value is None:
        return one == other
    close = isclose(one.value, other.value, rel_tol=_NOBODY_READS)
    return close and (one.n, one.of) == (other.n, other.of)

"""What the incident log comes to, counted in plain Python straight from its rows.

Nothing here knows the desk, its steps, its calendar or its reports. Times are the log's own: local,
without a zone. Working days are Monday to Friday, midnight to midnight.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

DONE = frozenset({"Resolved", "Closed"})
_CLOSED = "Closed"
_SAYS_NOTHING = frozenset({"-100", "?"})
_WORKING_DAYS = 3
"""The resolution promise (R12)."""
_SATURDAY = 5
_A_DAY = timedelta(days=1)


class Moment(NamedTuple):
    """What a row says: which state an incident is in since when, and how often it was reopened."""

    at: datetime
    state: str
    reopen_count: int


class Result(NamedTuple):
    """A time that an incident came to be done: the first, or after a reopening."""

    at: datetime
    in_time: bool


class Case(NamedTuple):
    """An incident, as far as the log tells until a horizon.

    ``closings`` are all that its states tell; ``closed_at`` the one that stands, None: it is open.
    ``reopened`` is how often its states left what is done. The rest is what the log says in columns
    of its own: a counter, and two instants whose last values stand on every row, so that they tell
    what came after the horizon, too.
    """

    opened_at: datetime
    contact_type: str
    results: tuple[Result, ...]
    closings: tuple[datetime, ...]
    closed_at: datetime | None
    reopened: int
    says_closed_at: datetime | None
    says_resolved_at: datetime | None
    says_reopened: int


def read(path: Path, horizon: datetime) -> list[Case]:
    """Read the incidents opened before ``horizon``, and what became of them until then."""
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for row in csv.DictReader(file):
            rows[row["number"]].append(row)
    cases = (_case(each, horizon) for each in rows.values())
    return [each for each in cases if each.opened_at < horizon]


def _case(rows: Sequence[Mapping[str, str]], horizon: datetime) -> Case:
    opened_at = _instant(rows[0]["opened_at"])
    results: list[Result] = []
    closings: list[datetime] = []
    closed_at, reopened, due = None, 0, _promised(opened_at)
    reopen_count, before = 0, Moment(opened_at, "New", 0)
    for now in _moments(rows, opened_at, horizon):
        if before.state.startswith("Awaiting") and before.at <= due:
            due = _later(due, _worked(before.at, now.at))
        if now.state in DONE and before.state not in DONE:
            results.append(Result(now.at, now.at <= due))
        if now.state not in DONE and before.state in DONE:
            closed_at, reopened, due = None, reopened + 1, _promised(now.at)
        if now.state == _CLOSED and closed_at is None:
            closed_at = now.at
            closings.append(now.at)
        reopen_count, before = max(reopen_count, now.reopen_count), now
    return Case(
        opened_at,
        rows[0]["contact_type"],
        tuple(results),
        tuple(closings),
        closed_at,
        reopened,
        _maybe(rows[-1]["closed_at"]),
        _maybe(rows[-1]["resolved_at"]),
        reopen_count,
    )


def _moments(
    rows: Iterable[Mapping[str, str]], opened_at: datetime, horizon: datetime
) -> Iterator[Moment]:
    """Times that run backwards stand still, and a state that says nothing is the last one."""
    at, state = opened_at, "New"
    for row in rows:
        at = max(at, _instant(row["sys_updated_at"]))
        state = state if row["incident_state"] in _SAYS_NOTHING else row["incident_state"]
        if at < horizon:
            yield Moment(at, state, int(row["reopen_count"]))


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M")  # noqa: DTZ007  the log knows no zone


def _maybe(text: str) -> datetime | None:
    return None if text in {"", "?"} else _instant(text)


def _promised(since: datetime) -> datetime:
    """R12, R31: until midnight at the end of the third working day after that of ``since``."""
    return _later(_midnight_after(since), _WORKING_DAYS * _A_DAY)


def _midnight_after(at: datetime) -> datetime:
    return datetime.combine(at.date() + _A_DAY, time())


def _days(since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut the time from ``since`` on into days, and give those from Monday to Friday."""
    while True:
        until = _midnight_after(since)
        if since.weekday() < _SATURDAY:
            yield since, until
        since = until


def _worked(since: datetime, until: datetime) -> timedelta:
    worked = timedelta()
    for begins, ends in _days(since):
        if begins >= until:
            break
        worked += min(ends, until) - begins
    return worked


def _later(at: datetime, span: timedelta) -> datetime:
    """A span that runs out at midnight ends at that midnight, not on the next working day."""
    for begins, ends in _days(at):
        if not span:
            break
        at = min(ends, begins + span)
        span -= at - begins
    return at


# Figures ------------------------------------------------------------------------------------------


class Days(NamedTuple):
    """From the beginning of one day until that of another."""

    first: date
    over: date

    def has(self, at: datetime | None) -> bool:
        """Say whether an instant lies in it."""
        return at is not None and self.first <= at.date() < self.over


Figures = dict[str, float | None]
_CHANNELS = {"email": "email", "self service": "website", "direct opening": "walk_in"}
"""What the log calls otherwise than we do; whatever else it has is a telephone."""


def by_our_rules(cases: Sequence[Case], days: Days) -> Figures:
    """Count the figures as the reports say that they count them."""
    closed = [each for each in cases if days.has(each.closed_at)]
    times = [_seconds(each.opened_at, each.results[0].at) for each in closed]
    results = [result for each in cases for result in each.results if days.has(result.at)]
    here = [each for each in cases if days.has(each.opened_at)]
    open_at_end = (each for each in cases if not (each.closed_at and _is_before(each, days)))
    return {
        "registered": len(here),
        "closed": len(closed),
        "reopened": sum(each.reopened > 0 for each in here),
        "backlog": sum(each.opened_at.date() < days.over for each in open_at_end),
        "handle_time": fmean(times) if times else None,
        "handle_time_median": median(times) if times else None,
        "kept": sum(result.in_time for result in results),
        "broken": sum(not result.in_time for result in results),
    }


def by_itself(cases: Sequence[Case], days: Days) -> Figures:
    """Count the same as the log has it in columns of its own, or by the states of that time."""
    closed = [each for each in cases if days.has(each.says_closed_at)]
    times = [
        _seconds(each.opened_at, each.says_resolved_at) for each in closed if each.says_resolved_at
    ]
    first = [each.results[0] for each in cases if each.results]
    here = [each for each in cases if days.has(each.opened_at)]
    before = (each for each in cases if each.opened_at.date() < days.over)
    return {
        "registered": len(here),
        "closed": len(closed),
        "reopened": sum(each.says_reopened > 0 for each in here),
        "backlog": sum(
            not (each.says_closed_at and each.says_closed_at.date() < days.over) for each in before
        ),
        "handle_time": fmean(times) if times else None,
        "handle_time_median": median(times) if times else None,
        "kept": sum(days.has(result.at) and result.in_time for result in first),
        "broken": sum(days.has(result.at) and not result.in_time for result in first),
    }


def _is_before(case: Case, days: Days) -> bool:
    return case.closed_at is not None and case.closed_at.date() < days.over


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()


BY: Mapping[str, Callable[[Case], str]] = {
    "hours": lambda case: f"{case.opened_at.hour:02d}",
    "weekdays": lambda case: str(case.opened_at.isoweekday()),
    "channels": lambda case: _CHANNELS.get(case.contact_type.casefold(), "telephone"),
}
"""How what was opened is told apart, by the section of the report."""


def opened_by(cases: Iterable[Case], days: Days, section: str) -> Counter[str]:
    """Count what was opened by hour, weekday or channel."""
    return Counter(BY[section](each) for each in cases if days.has(each.opened_at))

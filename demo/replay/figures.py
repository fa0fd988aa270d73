"""What a day came to, counted straight from the rows of the log.

Nothing here looks at the derived steps nor at the desk's calendar: a replay is checked against
these figures, so they must not share its mistakes. Working days are Monday to Friday, midnight to
midnight, without holidays.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, takewhile
from typing import NamedTuple
from zoneinfo import ZoneInfo

from demo.replay.log import SHANGHAI, IncidentState, LogRow, opened_on
from domain.vocabulary import Model

WORKING_DAYS = 3
"""The resolution promise (R12)."""

_DONE = (IncidentState.RESOLVED, IncidentState.CLOSED)
_SAYS_NOTHING = (IncidentState.ERROR, IncidentState.UNKNOWN)
_SATURDAY = 5
_A_DAY = timedelta(days=1)


class _Moment(NamedTuple):
    at: datetime
    state: IncidentState
    reassignments: int
    reopenings: int


class Figures(Model):
    """Numbers of incidents of one day as they stand at the horizon.

    ``resolved_in_time + resolved_late + still_open == opened``.
    """

    opened: int
    reassigned: int
    waited: int
    resolved_in_time: int
    resolved_late: int
    reopened: int
    still_open: int
    closed: int


_VERDICTS = [name for name in Figures.model_fields if name != "opened"]


def figures(
    rows: Iterable[LogRow], day: date, horizon: datetime, zone: ZoneInfo = SHANGHAI
) -> Figures:
    """Count what became of the incidents opened on ``day`` until ``horizon``; both are of ``zone``.

    What the log has after the horizon has not happened. An incident is

    - reassigned if its reassignment count grew before it was resolved or after it was reopened;
    - waiting while its state begins with ``Awaiting``;
    - reopened if its reopening count is above 0;
    - still open if it is not resolved at the horizon, also when it was resolved and reopened;
    - closed if it came to be so and was not reopened since;
    - otherwise resolved in time or late, judged by its first resolution, as the first promise
      stands whatever is promised after a reopening.

    In time means: not after midnight at the end of the third working day after the day of opening
    (R12, R31). The clock stands still while waiting (R15), so the working time spent waiting moves
    that instant, unless it had already passed when the waiting began.

    Raises:
        LogError: no incident was opened on that day.
        ValueError: the horizon has no zone.
    """
    if horizon.tzinfo is None:
        raise ValueError("horizon: expected a time with a zone")
    cases: dict[str, list[LogRow]] = {}
    for row in opened_on(rows, day, zone):
        if row.opened_at <= horizon:
            cases.setdefault(row.number, []).append(row)
    counted = Counter(
        verdict
        for case in cases.values()
        for verdict in _verdicts(case[0].opened_at, list(_happened(case, horizon)), zone)
    )
    return Figures(opened=len(cases), **{name: counted[name] for name in _VERDICTS})


def _happened(case: list[LogRow], horizon: datetime) -> Iterator[_Moment]:
    """Times that run backwards stand still, and a state that says nothing is the last one."""
    at, state = case[0].opened_at, IncidentState.NEW
    for row in case:
        at = max(at, row.updated_at)
        state = state if row.state in _SAYS_NOTHING else row.state
        if at <= horizon:
            yield _Moment(at, state, row.reassignment_count, row.reopen_count)


def _verdicts(opened_at: datetime, moments: list[_Moment], zone: ZoneInfo) -> Iterator[str]:
    start = _Moment(opened_at, IncidentState.NEW, 0, 0)
    if any(
        now.reassignments > before.reassignments
        and not (before.state in _DONE and now.state in _DONE)
        for before, now in pairwise([start, *moments])
    ):
        yield "reassigned"
    if any(_awaits(moment) for moment in moments):
        yield "waited"
    if any(moment.reopenings for moment in moments):
        yield "reopened"
    if _is_closed(moments):
        yield "closed"
    if moments and moments[-1].state in _DONE:
        yield "resolved_in_time" if _in_time(opened_at, moments, zone) else "resolved_late"
    else:
        yield "still_open"


def _is_closed(moments: Iterable[_Moment]) -> bool:
    """Resolved right after Closed it is the same incident, still closed."""
    closed = False
    for moment in moments:
        closed = moment.state in _DONE and (closed or moment.state is IncidentState.CLOSED)
    return closed


def _in_time(opened_at: datetime, moments: list[_Moment], zone: ZoneInfo) -> bool:
    """Judge the first resolution; ``moments`` must have one."""
    due = _add_working(_midnight_after(opened_at, zone), WORKING_DAYS * _A_DAY, zone)
    for now, after in pairwise(moments):
        if now.state in _DONE:
            break
        if _awaits(now) and now.at <= due:
            due = _add_working(due, _working_between(now.at, after.at, zone), zone)
    return next(moment.at for moment in moments if moment.state in _DONE) <= due


def _awaits(moment: _Moment) -> bool:
    return moment.state.startswith("Awaiting")


def _midnight_after(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the end of the local day that ``instant`` is in."""
    tomorrow = instant.astimezone(zone).date() + _A_DAY
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def _working_pieces(start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Cut the time from ``start`` on into local days, and give those from Monday to Friday."""
    while True:
        end = _midnight_after(start, zone)
        if start.astimezone(zone).weekday() < _SATURDAY:
            yield start, end
        start = end


def _working_between(start: datetime, end: datetime, zone: ZoneInfo) -> timedelta:
    pieces = takewhile(lambda piece: piece[0] < end, _working_pieces(start, zone))
    return sum((min(end, until) - since for since, until in pieces), timedelta())


def _add_working(start: datetime, span: timedelta, zone: ZoneInfo) -> datetime:
    """A span that runs out at midnight ends at that midnight, not on the next working day."""
    end = start
    for since, until in _working_pieces(start, zone):
        if not span:
            break
        end = min(until, since + span)
        span -= end - since
    return end

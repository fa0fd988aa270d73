"""Calendars for tests: an office in Shanghai on China's days, any small calendar, and a walk
through it that knows nothing of the engine and asks a wall clock, minute by minute.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import assume
from hypothesis import strategies as st

from domain.calendars.calendar import WEEKDAYS, Span, WorkingCalendar
from domain.calendars.national_days import NationalDays

NOTICES = Path(__file__).parents[2] / "policies" / "cn_workdays.json"
CHINA = NationalDays.model_validate_json(NOTICES.read_text(encoding="utf-8"))
SHANGHAI = "Asia/Shanghai"
OFFICE = ["09:00-12:00", "13:30-18:00"]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def calendar(
    zone: str = SHANGHAI, hours: list[str] | None = None, days: int = 5, **fields: Any
) -> WorkingCalendar:
    """Open ``hours`` on the first ``days`` days of the week."""
    week = dict.fromkeys(WEEKDAYS[:days], OFFICE if hours is None else hours)
    return WorkingCalendar.model_validate({"name": "test", "zone": zone, "week": week} | fields)


def at(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    """Read a local time of ``zone`` as the UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


OFFICE_HOURS = calendar(**CHINA.fields())
AROUND_THE_CLOCK = calendar(hours=["00:00-24:00"], days=7)

# A week of each zone, mostly around a change of its clock, so that the laws meet one.
WEEKS = [
    (SHANGHAI, "2026-09-28"),
    (SHANGHAI, "2025-12-29"),  # over the turn of the year
    ("America/New_York", "2025-12-29"),
    ("Asia/Kolkata", "2026-12-28"),
    ("Asia/Kathmandu", "1985-12-29"),  # from +05:30 to +05:45 with the new year
    ("Australia/Lord_Howe", "2026-04-02"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-01"),
    ("America/St_Johns", "2006-04-01"),  # at 00:01
    ("America/St_Johns", "2006-10-27"),  # at 00:01, back into the day before
    ("America/St_Johns", "2026-10-30"),
    ("Europe/Berlin", "2026-03-27"),
    ("Europe/Berlin", "2026-10-23"),
    ("America/New_York", "2026-03-06"),
    ("America/New_York", "2026-10-30"),
    ("America/Sao_Paulo", "2018-11-02"),  # no midnight
    ("America/Toronto", "1919-03-29"),  # from 23:30 to 00:30
    ("Africa/Casablanca", "2026-02-13"),  # for Ramadan, and back
    ("Africa/Casablanca", "2026-03-20"),
    ("Antarctica/Troll", "2026-03-27"),  # by two hours
    ("Pacific/Apia", "2011-12-28"),  # no 30 December at all
    ("Pacific/Kwajalein", "1993-08-18"),  # no 21 August
]
DAYS_OF_A_WALK = 7


class Drawn(NamedTuple):
    calendar: WorkingCalendar
    midnight: datetime
    """A local midnight, as an instant (UTC), shortly before something happens."""


quarters = st.lists(st.integers(0, 96), max_size=6, unique=True).map(sorted)
some_hours = quarters.map(
    lambda marks: [Span(a * 15, b * 15) for a, b in zip(marks[::2], marks[1::2], strict=False)]
)
round_the_clock = st.just([Span(0, 1440)])
hours_of_a_day = st.one_of(some_hours, some_hours, round_the_clock)


@st.composite
def drawn_calendars(draw: st.DrawFn) -> Drawn:
    zone, first = draw(st.sampled_from(WEEKS))
    day = date.fromisoformat(first)
    near = st.integers(0, DAYS_OF_A_WALK - 1).map(lambda n: day + n * DAY)
    holidays, makeup = draw(st.frozensets(near, max_size=3)), draw(st.frozensets(near, max_size=2))
    week = draw(st.dictionaries(st.sampled_from(WEEKDAYS), hours_of_a_day, min_size=1))
    assume(any(week.values()))
    drawn = WorkingCalendar.model_validate(
        {
            "name": "drawn",
            "zone": zone,
            "week": week,
            "holidays": holidays - makeup,
            "makeup_workdays": makeup,
            "makeup_hours_of": next(weekday for weekday in week if week[weekday]),
            "overrides": draw(st.dictionaries(near, hours_of_a_day, max_size=2)),
        }
    )
    return Drawn(drawn, at(f"{day}T00:00", zone))


class Minute(NamedTuple):
    """A minute of real time: what the wall clock shows at its beginning, and is it open."""

    shown: datetime
    is_open: bool


@cache
def _clock(zone: str, midnight: datetime) -> list[datetime]:
    """Read a clock that is never put back, only held, every minute of the week."""
    instants = (midnight + n * MINUTE for n in range(DAYS_OF_A_WALK * 1440))
    shown = (instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants)
    return list(accumulate(shown, max))


def _is_open_at(centre: WorkingCalendar, shown: datetime) -> bool:
    hours = centre.overrides.get(shown.date())
    if hours is None:
        weekday = WEEKDAYS[shown.weekday()]
        if shown.date() in centre.makeup_workdays:
            weekday = centre.makeup_hours_of
        free = shown.date() in centre.holidays
        hours = () if free else centre.week.get(weekday, ())
    minute = shown.hour * 60 + shown.minute
    return any(start <= minute < end for start, end in hours)


def walk(drawn: Drawn) -> list[Minute]:
    """Walk through the week, and ask at every minute whether what the clock shows is open."""
    shown = _clock(drawn.calendar.zone, drawn.midnight)
    return [Minute(each, _is_open_at(drawn.calendar, each)) for each in shown]

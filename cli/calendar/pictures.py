"""Calendars as people see them in a terminal: a month, the account of a due instant, what there is.

Every state of a day has a mark of its own beside its colour. Marks are full-width: many others are
one cell wide in some terminals and two in others, and would break the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain import words
from domain.calendars.calendar import WEEKDAYS, DayReason, Span, WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.calendars.periods import Period, WorkingDays
from domain.issue.view import local
from domain.sla.account import Account, Day, DayKind, Line, Month, runs
from domain.sla.policy import PromiseRule
from domain.sla.rulebook import CENTRE

_HOUR = timedelta(hours=1)
_WEEKDAYS = tuple(zip("一二三四五六日", (day.capitalize() for day in WEEKDAYS), strict=True))
_NOT_ANNOUNCED = "?"
_CLOSED = "关 closed"


class _Look(NamedTuple):
    mark: str
    style: str


_LOOKS = {
    DayKind.WORKING: _Look("工", "green"),
    DayKind.CLOSED: _Look("－", "dim"),
    DayKind.HOLIDAY: _Look("休", "red"),
    DayKind.MAKEUP: _Look("班", "bold yellow"),
    DayKind.EXCEPTION: _Look("例", "bold magenta"),
}


def named(kind: DayKind) -> Text:
    """Mark and name: ``休 节假日 holiday``."""
    look = _LOOKS[kind]
    return Text(f"{look.mark} {words.both(words.DAYS, kind)}", style=look.style)


# A month ------------------------------------------------------------------------------------------


def months(calendar: WorkingCalendar, shown: Sequence[Month]) -> RenderableType:
    """Picture each month; underneath, what the calendar is."""
    seen = {day.kind for month in shown for day in month.days}
    unknown = [day.day for month in shown for day in month.days if not day.announced]
    parts: list[RenderableType] = [_picture(calendar, month) for month in shown]
    parts.append(Columns([named(kind) for kind in DayKind if kind in seen], padding=(0, 3)))
    parts.append(Text())
    parts.append(_facts(calendar))
    if unknown:
        parts.append(_provisional(shown[0], shown[0].to_announce(unknown)))
    return Group(*parts)


def _picture(calendar: WorkingCalendar, month: Month) -> RenderableType:
    first = month.first
    title = f"{first:%Y} 年 {first.month} 月 · {first:%B %Y} · {calendar.name}"
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        title=Text(title, style="bold"),
        title_justify="left",
    )
    for chinese, english in _WEEKDAYS:
        table.add_column(Text(f"{chinese} {english}"), no_wrap=True)
    table.add_column(Text("工时 Hours"), justify="right", no_wrap=True, style="dim")
    for _, days in groupby(month.days, key=lambda day: day.day.isocalendar().week):
        table.add_row(*_week(list(days)))
    totals = Text.assemble(
        "工作日 Working days ",
        (str(month.working_days), "bold"),
        " · 工时 Working hours ",
        (_hours(month.working), "bold"),
    )
    exceptions = _exceptions(month)
    return Group(table, *([exceptions] if exceptions.row_count else []), totals, Text())


def _week(days: list[Day]) -> Iterator[Text]:
    before = days[0].day.weekday()
    cells = [_cell(day) for day in days]
    yield from (Text() for _ in range(before))
    yield from cells
    yield from (Text() for _ in range(7 - before - len(cells)))
    yield Text(_hours(sum((_on_paper(day.hours) for day in days), timedelta())))


def _cell(day: Day) -> Text:
    look = _LOOKS[day.kind]
    unknown = "" if day.announced else _NOT_ANNOUNCED
    return Text(f"{day.day.day:2} {look.mark}{unknown}", style=look.style)


def _exceptions(month: Month) -> Table:
    """List what differs from the week: ``10-01 Thu - 10-07 Wed  休 节假日 holiday  closed``."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for days in runs(month.days):
        if days[0].reason is not DayReason.WEEKDAY:
            grid.add_row(_period(days), named(days[0].kind), spans(days[0].hours))
    return grid


def _facts(calendar: WorkingCalendar) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    hours = week(calendar)
    if calendar.makeup_workdays:
        hours.append(f"{named(DayKind.MAKEUP)} as {calendar.makeup_hours_of.capitalize()}")
    for label, value in (
        ("营业 Hours", "\n".join(hours)),
        ("节假日 Holidays", _followed(calendar)),
        ("时区 Zone", calendar.zone),
    ):
        grid.add_row(Text(label, style="dim"), value)
    return grid


def _followed(calendar: WorkingCalendar) -> str:
    if calendar.announced_until is None:
        return calendar.national or "不随 follows none"
    country = f"{calendar.national}, " if calendar.national else ""
    return f"{country}确定至 firm until {calendar.announced_until}"


# Why something is due -----------------------------------------------------------------------------


def due(account: Account) -> RenderableType:
    """When it is due, and each day that was counted or not; runs of closed days take one line."""
    return Group(_question(account), days(account))


def days(account: Account) -> RenderableType:
    """Each day that was counted or not, and what is not known of them yet."""
    parts: list[RenderableType] = [_counted(account)]
    if account.provisional:
        parts.append(_provisional(account, account.years_to_announce))
    return Group(*parts)


def _question(account: Account) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    certain = Text("  暂定 provisional", style="bold yellow") if account.provisional else Text()
    for label, value in (
        ("到期 Due", Text(local(account.due_at, account.zone), style="bold") + certain),
        ("起算 From", Text(local(account.start, account.zone))),
        ("时限 Within", Text(convention(account, account.period))),
        ("日历 Calendar", Text(f"{account.calendar}, {account.zone}")),
    ):
        grid.add_row(Text(label, style="dim"), value)
    return grid


def convention(asked: Account | PromiseRule, period: Period) -> str:
    """Write a period with how it is counted."""
    if isinstance(period, WorkingDays):
        ends = "close of business" if asked.ends == "close" else "the same time of day"
        return f"{period} after the start day, to {ends} (R31)"
    hours = "working time" if asked.clock == "working" else "elapsed time, day and night"
    return f"{period} of {hours}"


def _counted(account: Account) -> Table:
    in_days = isinstance(account.period, WorkingDays)
    total = (str(account.period), "") if in_days else ("", _hours(account.total))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False, show_footer=True)
    table.add_column("日期 Day", "合计 Total", no_wrap=True)
    table.add_column("类别 Kind", no_wrap=True)
    table.add_column("营业 Hours" if in_days else "计入 Counted", total[0])
    table.add_column("第 No." if in_days else "时间 Time", total[1], justify="right", no_wrap=True)
    for lines in runs(account.lines):
        detail = _numbered(lines[0]) if in_days else _timed(lines[0], ZoneInfo(account.zone))
        unknown = "" if lines[0].announced else f" {_NOT_ANNOUNCED}"
        table.add_row(f"{_period(lines)}{unknown}", named(lines[0].kind), *detail)
    return table


def _numbered(line: Line) -> tuple[str, str]:
    """A working day that is not counted is the one it starts on: number 0."""
    return spans(line.hours), str(line.number or (0 if line.hours else ""))


def _timed(line: Line, zone: ZoneInfo) -> tuple[str, str]:
    counted = " ".join(
        f"{_time(each.begin, line.day, zone)}-{_time(each.end, line.day, zone)}"
        for each in line.intervals
    )
    idle = "已下班 over by then" if line.hours else _CLOSED
    return counted or idle, _hours(line.counted) if line.counted else ""


def _provisional(of: Account | Month, years: Sequence[int]) -> Text:
    """Say what is not known yet, and what would make it known (R32)."""
    missing = ", ".join(map(str, years))
    beyond = [year for year in years if of.foreseen_until and year > of.foreseen_until.year]
    if list(years) == beyond:
        known = (
            f"these days lie beyond the list of days off by law,\n  which ends with "
            f"{of.foreseen_until}: they are counted as if there were no holidays."
        )
    else:
        known = "no notice covers these days yet; they go by the law alone."
        if beyond:
            known += f"\n  Of {', '.join(map(str, beyond))} not even that is listed: no holidays."
    return Text(
        f"{_NOT_ANNOUNCED} 暂定 Provisional: {known}\n  Firm when the "
        f"{of.national or 'national'} notice for {missing} is loaded: yinuo calendar import FILE",
        style="yellow",
    )


# What there is ------------------------------------------------------------------------------------


def listing(
    calendars: Mapping[str, WorkingCalendar], rules: Iterable[PromiseRule] = ()
) -> RenderableType:
    """All calendars, and which promises are counted on each."""
    used_by: dict[str, list[str]] = {}
    for rule in rules:
        used_by.setdefault(rule.calendar, []).append(rule.name)
    table = _table("日历 Calendar", "营业 Hours", "节假日至 Until", "用于 Used by")
    table.columns[1].no_wrap = True
    for name, calendar in calendars.items():
        table.add_row(
            Text(name, style="bold"),
            "\n".join(week(calendar)).replace(": ", "\n"),
            f"{calendar.national or '－'} {calendar.announced_until or ''}".rstrip(),
            "\n".join(used_by.get(name, ())),
        )
    zones = ", ".join(sorted({calendar.zone for calendar in calendars.values()}))
    notes = [Text(f"时区 Zone: {zones}", style="dim")]
    if own := used_by.get(CENTRE):
        notes.append(Text(f"服务中心自己的 On the centre's own: {', '.join(own)}", style="dim"))
    return Group(table, *notes)


def notices(days: NationalDays, working_days: Mapping[int, int]) -> RenderableType:
    """What a country's notices say, a line a year."""
    table = _table("年 Year", "放假 Days off", "调休上班 Make-up days", "工作日 Working days")
    for year, working in working_days.items():
        if notice := days.years.get(year):
            counts = len(notice.holidays), len(notice.makeup_workdays), working
            table.add_row(str(year), *map(str, counts))
        else:
            off = len(days.by_law(year))
            table.add_row(f"{year} {_NOT_ANNOUNCED}", str(off), _NOT_ANNOUNCED, str(working))
    sources = [Text(f"{year}  {each.notice}", style="dim") for year, each in days.years.items()]
    looked_up = f", looked up {days.dated}" if days.dated else ""
    heading = Text(f"{days.country} · 公布至 announced until {days.announced_until}{looked_up}")
    if days.statutory:
        sources.append(Text(f"{_NOT_ANNOUNCED} not out yet: by the law alone", style="yellow"))
    return Group(heading, table, *sources)


# Small words --------------------------------------------------------------------------------------


def week(calendar: WorkingCalendar) -> list[str]:
    """Write the week, days of the same hours together: ``周一至周五 Mon-Fri: 09:00-12:00``."""
    lines = []
    for hours, days in groupby(range(7), key=lambda n: calendar.week.get(WEEKDAYS[n], ())):
        if hours:
            named = [_WEEKDAYS[n] for n in days]
            (cn, en), (to_cn, to_en) = named[0], named[-1]
            written = f"周{cn}至周{to_cn} {en}-{to_en}" if len(named) > 1 else f"周{cn} {en}"
            lines.append(f"{written}: {spans(hours)}")
    return lines


def spans(hours: Iterable[Span]) -> str:
    """Write a day's hours: ``09:00-12:00 13:30-18:00``."""
    return " ".join(map(str, hours)) or _CLOSED


def _period(days: Sequence[Day]) -> str:
    first, last = days[0].day, days[-1].day
    return _named(first) if first == last else f"{_named(first)} - {_named(last)}"


def _named(day: date) -> str:
    return f"{day:%m-%d %a}"


def _time(at: datetime, day: date, zone: ZoneInfo) -> str:
    """Write a time of ``day``; its very end is 24:00."""
    wall = at.astimezone(zone)
    if wall.date() > day:
        return "24:00"
    return f"{wall:%H:%M:%S}".removesuffix(":00")


def _on_paper(hours: Iterable[Span]) -> timedelta:
    return timedelta(minutes=sum(span.end - span.start for span in hours))


def _hours(span: timedelta) -> str:
    """Write ``22.5 h``, or what is no round part of an hour as ``0:07:30``."""
    hours = span / _HOUR
    return f"{hours:g} h" if (hours * 100).is_integer() else str(span)


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table

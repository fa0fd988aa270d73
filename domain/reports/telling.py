"""Figures and periods in words, Chinese and English: alike on pages, paper, terminals, messages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from domain import words
from domain.reports.counted import Counted, Value
from domain.reports.figures import Holds
from domain.reports.periods import Cadence, Period

Both = tuple[str, str]
"""Chinese and English."""

NO_DATA: Both = ("无数据", "no data")
NOT_OVER: Both = ("本期尚未结束", "not over yet")
FIGURE: Both = ("指标", "Figure")
_LEAST = Decimal("0.1")
"""Per cent that are told apart from nothing."""
HOW_MANY: Both = ("条数", "how many")


def value(holds: Holds, of: Value | None) -> Both:
    """Say a figure; where there was nothing to count, that there is no data: never 0 or 100 %."""
    if of is None or of.value is None:
        return NO_DATA
    match holds:
        case Holds.SHARE:
            return _same(f"{_percent(of)}%")
        case Holds.SECONDS:
            return words.length(timedelta(seconds=int(rounded(of.value, 0))))
        case Holds.MONEY:
            yuan = f"{rounded(of.value, 2):,}"
            return f"{yuan} 元", f"CNY {yuan}"
        case Holds.SCORE | Holds.POINTS:
            return _same(f"{rounded(of.value, 1)}")
        case _:
            return _same(f"{rounded(of.value, 0):,}")


def _percent(of: Value) -> Decimal:
    """Round a share; what lacks one of all, or has one, is never said to be all, or nothing."""
    said = rounded(100 * (of.value or 0), 1)
    if not of.of or of.n in {0, of.of}:
        return said
    return min(max(said, _LEAST), 100 - _LEAST)


def made_of(of: Value | None) -> str:
    """Say of what a share is one, ``12/13``; nothing for what is no share."""
    return f"{of.n:,}/{of.of:,}" if of is not None and of.of else ""


def whole(holds: Holds, of: Value | None) -> Both:
    """Say a figure with what it is made of, ``92.3% (12/13)``."""
    zh, en = value(holds, of)
    made = made_of(of)
    return (f"{zh} ({made})", f"{en} ({made})") if made else (zh, en)


def rounded(number: float | Decimal, places: int) -> Decimal:
    """Round as people do on paper: a half goes up."""
    return Decimal(str(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def period(of: Period) -> Both:
    """Say a period as people do, a week with its days."""
    year = of.first.year
    match of.cadence:
        case Cadence.WEEK:
            year, week, _ = of.first.isocalendar()
            zh = f"{year} 年第 {week} 周（{_zh(of.first)}至 {_zh(of.last)}）"
            return zh, f"week {week} of {year} ({_en(of.first)} to {_en(of.last)})"
        case Cadence.MONTH:
            return f"{year} 年 {of.first.month} 月", f"{_MONTHS[of.first.month - 1]} {year}"
        case Cadence.QUARTER:
            quarter = (of.first.month + 2) // 3
            return f"{year} 年第 {quarter} 季度", f"quarter {quarter} of {year}"
        case Cadence.YEAR:
            return f"{year} 年", str(year)


def so_far(cadence: Cadence) -> Both:
    """Name the period under way."""
    return {
        Cadence.WEEK: ("本周至今", "this week so far"),
        Cadence.MONTH: ("本月至今", "this month so far"),
        Cadence.QUARTER: ("本季度至今", "this quarter so far"),
        Cadence.YEAR: ("本年至今", "this year so far"),
    }[cadence]


def edition(number: int) -> Both:
    """Name an edition."""
    return f"第 {number} 版", f"edition {number}"


def notes(counted: Counted) -> list[Both]:
    """Say what one has to know before the figures: how sure they are, and since when."""
    zone = ZoneInfo(counted.zone)
    at = counted.counted_at.astimezone(zone)
    first, _ = Period.named(counted.period).instants(zone)
    found = [(f"统计于 {at:%Y-%m-%d %H:%M}", f"counted {at:%Y-%m-%d %H:%M}")]
    if not counted.over:
        found.append(NOT_OVER)
    if counted.data_since is None or counted.empty:
        found.append(("本期没有数据", "there is no data of this period"))
    elif counted.data_since > first:
        since = counted.data_since.astimezone(zone)
        found.append(
            (
                f"登记自 {since:%Y-%m-%d} 开始，之前没有数据",
                f"the register begins on {since:%Y-%m-%d}: there is no data from before",
            )
        )
    return found


def more(count: int) -> Both:
    """Say that something is not listed, though it is counted."""
    return f"另有 {count} 条未列出", f"{count} more are not listed"


def reach_of(counted: Counted) -> Both:
    """Say whose figures these are."""
    return counted.department_name or ("全部部门", "all departments")


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _zh(day: date) -> str:
    return f"{day.month} 月 {day.day} 日"


def _en(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def _same(said: str) -> Both:
    return said, said

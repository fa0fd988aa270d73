"""How an instant is written for people, in their own language."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.vocabulary import Language

_WEEKDAYS = (
    ("一", "二", "三", "四", "五", "六", "日"),
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
)
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def instant(
    at: datetime, zone: str, language: Language, *, year: bool = True, weekday: bool = True
) -> str:
    """Write an instant as people do: ``2026年11月23日（周一）14:00``, ``Mon 23 Nov 2026 14:00``;
    without year and weekday ``11月23日14:00``, ``23 Nov 14:00``.
    """
    here = at.astimezone(ZoneInfo(zone))
    zh = language is Language.ZH
    named = _WEEKDAYS[not zh][here.weekday()]
    if zh:
        day = f"{here.year}年" * year + f"{here.month}月{here.day}日" + f"（周{named}）" * weekday
        return f"{day}{here:%H:%M}"
    day = f"{here.day} {_MONTHS[here.month - 1]}" + f" {here.year}" * year
    return f"{named} " * weekday + f"{day} {here:%H:%M}"


def both(at: datetime, zone: str) -> tuple[str, str]:
    """Write an instant in Chinese and in English."""
    return instant(at, zone, Language.ZH), instant(at, zone, Language.EN)

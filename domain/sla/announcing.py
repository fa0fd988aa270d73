"""Which people of the desk have to hear of its calendars before promises suffer: a notice that is
not loaded yet though it should be out soon, and hours that come to an end (R32, R33).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.sla.feasibility import dry
from domain.sla.rulebook import Rulebook


class Concern(NamedTuple):
    """Something somebody is to see to. ``about`` names it in the register; what is said of it is in
    ``said``; ``calendar`` is the one that ends, None: any whose promises wait for a notice.
    """

    template: str
    about: str
    said: dict[str, str]
    calendar: str | None = None


def concerns(rulebook: Rulebook, calendars: Collection[str], now: datetime) -> tuple[Concern, ...]:
    """List what somebody is to be told of at ``now`` (aware); ``calendars`` are those that open
    promises go by. A rehearsal concerns nobody.
    """
    if rulebook.policy.rehearsal:
        return ()
    return (*_missing(rulebook, now), *_ending(rulebook, calendars, now))


def turn(rulebook: Rulebook, now: datetime) -> int:
    """Number the spans of time in each of which the same is told once."""
    return int(now.timestamp() // rulebook.policy.missing_notice.every.span.total_seconds())


def _missing(rulebook: Rulebook, now: datetime) -> tuple[Concern, ...]:
    """A year's notice is waited for from a month of the year before on, until it is loaded."""
    today = now.astimezone(ZoneInfo(rulebook.policy.zone)).date()
    begins = today.month >= rulebook.policy.missing_notice.from_month
    wanted = today.year + 1 if begins else today.year
    return tuple(
        Concern(
            template="missing_notice",
            about=f"{country}:{wanted}",
            said={"country": country, "year": str(wanted), "known": str(days.announced_until.year)},
        )
        for country, days in sorted(rulebook.national.items())
        if days.announced_until.year < wanted
    )


def _ending(rulebook: Rulebook, calendars: Collection[str], now: datetime) -> tuple[Concern, ...]:
    known = {name: rulebook.calendar(name) for name in calendars if name in rulebook.calendars}
    return tuple(
        Concern("calendar_ends", name, {"calendar": name}, name)
        for name in (str(obstacle.where[-1]) for obstacle in dry(known, now))
    )

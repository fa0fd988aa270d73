"""Lives of every kind, led at a desk: what the large register is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx2

from benchmarks.chaos.asking import Asking
from benchmarks.intakes import a_fault
from benchmarks.surroundings import for_each, until_quiet
from benchmarks.upgrade.lives import LIVES, Deed, Life
from benchmarks.upgrade.onward import Onward, actor_of
from demo.receiver import Outside
from demo.stage import Theatre, stage
from domain.errors import Refused, SetupError
from domain.issue.actions import PUBLIC_ACTIONS, ActionName
from domain.issue.intake import Intake
from inbound.files.roster import read_roster
from runtime.settings import ROOT

_AT_ONCE = {"closed": 6, "open": 20}
"""How many lives are led at once; those that stay open all in a few seconds, or all were late."""
_SPEED = 3_600.0
_OUTSIDE = Outside(dead=frozenset({"feishu"}))
"""Not every message arrives: some are handed to a person."""
_POLICY = ROOT / "policies" / "demo.toml"
_REGIONS = ("广东", "深圳", "上海", "湖北", "北京", "辽宁", "四川", "新疆")
_POSSIBLE_WITHIN = 30.0
"""Seconds in which what is not possible yet becomes so: a reply arrives, a callback may be made."""
_AGAIN = 0.2
_EXPECTED = timedelta(seconds=20)
"""When handlers say that they will be done."""
_BUNDLES = 2
"""How often each life is led: more people get something to do."""


async def lead(home: Path) -> Path:
    """Lead every life twice at a desk of its own in ``home``, where an hour takes a second: some to
    their end, the others as far as they go. Return where the register is, with nobody at work.

    Raises:
        SetupError: lives did not come to their end.
    """
    roster = read_roster(ROOT / "examples" / "roster")
    own = {"workers": 1, "doors": False}
    async with (
        stage(home, _POLICY, roster, outside=_OUTSIDE, speed=_SPEED, overrides=own) as on,
        httpx2.AsyncClient() as nobody,
    ):
        await _live(on, "closed")
        await Onward(Asking(on.desk, nobody, {}), on.servers.pool, seed=0).lead_all()
        if left := await on.servers.pool.fetchval(_UNFINISHED):
            raise SetupError(f"{left} lives did not come to their end: the machine is too busy")
        await _live(on, "open")
        await until_quiet(on)
    return home


_UNFINISHED = "SELECT count(*) FROM issues WHERE closed_at IS NULL"


async def _live(on: Theatre, source: str) -> None:
    lives = list(enumerate([*LIVES] * _BUNDLES))

    async def one(numbered: tuple[int, Life]) -> None:
        number, life = numbered
        await _lead(on, intake_of(source, number, life), life.deeds)

    await for_each(lives, one, at_once=_AT_ONCE[source])


def intake_of(source: str, number: int, life: Life) -> Intake:
    """Write down what a life begins with, somewhere in the country."""
    plain = a_fault(source, str(number)).model_dump()
    region = _REGIONS[number % len(_REGIONS)]
    return Intake.model_validate({**plain, "region": region, **life.intake})


async def _lead(on: Theatre, intake: Intake, deeds: Sequence[Deed]) -> None:
    """Do one thing after the other, each as soon as it is possible."""
    view = await on.desk.open(intake)
    for deed in deeds:
        until = monotonic() + _POSSIBLE_WITHIN
        while monotonic() < until:
            with suppress(Refused):
                await _do(on, view.number, deed)
                break
            await asyncio.sleep(_AGAIN)


async def _do(on: Theatre, number: str, deed: Deed) -> None:
    view = await on.desk.show(number)
    word = f"{deed.name} {number}"
    if deed.own == "expected_at":
        word = (datetime.now(UTC) + _EXPECTED).isoformat()
    # To complete is a signal's way to resolve.
    name = ActionName.RESOLVE if deed.name == "complete" else ActionName(deed.name)
    said = {"by": actor_of(deed, view), **deed.said, deed.own: word}
    await on.desk.act(number, name, PUBLIC_ACTIONS[name].model_validate(said))

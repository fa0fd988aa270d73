"""One run: a desk comes up, callers and faults meet, all becomes quiet, and it is looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from activities.audit import SETTLING
from benchmarks.chaos import rest
from benchmarks.chaos.asking import Acknowledged, Asking
from benchmarks.chaos.callers import AT_CLIENT, AT_DOOR, live_all
from benchmarks.chaos.check import check
from benchmarks.chaos.evidence import (
    EventRow,
    Evidence,
    IssueRow,
    OutboxRow,
    PromiseRow,
    rows,
)
from benchmarks.chaos.faults import Saboteur, Window, inflict_all
from benchmarks.chaos.histories import look_at_all
from benchmarks.chaos.plan import Kind, faults, seconds_of
from benchmarks.chaos.report import Report
from demo.play.doors import admit
from demo.stage import Theatre, stage
from domain.staff.roster import Roster
from domain.vocabulary import Actor, Role
from inbound.files.roster import read_roster
from runtime.embedded.ports import free_ports
from runtime.postgres import pool
from runtime.settings import PORTS, ROOT

WORKERS = 2
_SPEED = 3600.0
_SETTLED = SETTLING.total_seconds() + 1
_RESTS_WITHIN = 75.0
"""Seconds of quiet after the faults, and again after the audit."""


class Asked(NamedTuple):
    """What a run is to be; ``minutes`` bound what callers and faults may take, ``patience`` is for
    how many seconds the most patient caller asks again.
    """

    seed: int
    issues: int
    kinds: Sequence[Kind]
    minutes: float = 15.0
    patience: float = 60.0


@asynccontextmanager
async def desk(home: Path) -> AsyncIterator[Theatre]:
    """A whole desk in ``home`` whose hours are seconds. No other desk gets one of its ports while
    the server there is dead.
    """
    policy = ROOT / "policies" / "demo.toml"
    own = {"workers": WORKERS, **dict(zip(PORTS, free_ports(len(PORTS)), strict=True))}
    async with stage(home, policy, roster(), speed=_SPEED, overrides=own) as on:
        yield on


def roster() -> Roster:
    """Read who works at it."""
    return read_roster(ROOT / "examples" / "roster")


@asynccontextmanager
async def asking(on: Theatre) -> AsyncIterator[Asking]:
    """Everybody who may ask, with their tokens."""
    people = [Actor(id=member.id, role=member.role) for member in roster().members]
    systems = [Actor(id=name, role=Role.INTAKE) for name in (AT_DOOR, AT_CLIENT)]
    let_in = await admit(on.servers.pool, (*people, *systems))
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(
        base_url=on.settings.base_url, limits=limits, trust_env=False
    ) as http:
        yield Asking(on.desk, http, let_in)


async def run(asked: Asked, home: Path) -> Report:
    """Carry out one run in ``home``, and report."""
    begun = time.monotonic()
    async with desk(home) as on, asking(on) as callers:
        with listening(callers):
            windows = await _let_loose(asked, on, callers)
            await rest.at_rest(on, least=settled(windows), most=_RESTS_WITHIN)
        await rest.audited(on.servers.client)
        await rest.at_rest(on, most=_RESTS_WITHIN)
        found = await gather(on, callers.acknowledged, windows)
    return Report(
        seed=asked.seed,
        issues=asked.issues,
        seconds=time.monotonic() - begun,
        faults=windows,
        acknowledged=callers.acknowledged,
        heard=callers.heard,
        findings=check(found),
    )


async def _let_loose(asked: Asked, on: Theatre, callers: Asking) -> Sequence[Window]:
    """Let callers and faults loose on the desk; returns the faults when both have had enough."""
    seconds = seconds_of(asked.issues)
    saboteur = Saboteur(on, asked.seed)
    await saboteur.prepare()
    async with asyncio.timeout(asked.minutes * 60), asyncio.TaskGroup() as group:
        lives = live_all(callers, asked.seed, asked.issues, seconds, asked.patience)
        group.create_task(lives)
        planned = faults(asked.seed, asked.kinds, seconds)
        group.create_task(inflict_all(saboteur, planned))
    return saboteur.windows


@contextmanager
def listening(callers: Asking) -> Iterator[None]:
    """Count what the client leaves behind for nobody to look at."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def left(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        callers.heard[f"left behind: {type(error).__name__ if error else context['message']}"] += 1

    loop.set_exception_handler(left)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def settled(windows: Sequence[Window]) -> float:
    """How long the audit has to wait yet: what was touched lately it leaves alone."""
    cuts = [window.end for window in windows if window.kind is Kind.POWER_CUT]
    ago = (datetime.now(UTC) - max(cuts)).total_seconds() if cuts else _SETTLED
    return max(0.0, _SETTLED - ago)


async def gather(
    on: Theatre, acknowledged: Sequence[Acknowledged], windows: Sequence[Window]
) -> Evidence:
    """Read everything there is to read."""
    if on.servers.postgres is None:
        raise ValueError("the desk must have a database of its own")
    async with pool(on.servers.postgres.url, size=1) as source, source.acquire() as connection:
        issues = await rows(connection, "issues", IssueRow)
        events = await rows(connection, "issue_events", EventRow)
        promises = await rows(connection, "promises", PromiseRow)
        outbox = await rows(connection, "outbox", OutboxRow)
    ids = {row.id for row in issues} | {said.issue_id for said in acknowledged}
    return Evidence(
        as_of=datetime.now(UTC),
        acknowledged=acknowledged,
        issues=issues,
        events=events,
        promises=promises,
        outbox=outbox,
        workflows=await look_at_all(on.servers.client, ids),
        heard=on.receiver.received,
        faults=windows,
    )

"""Storms of intakes with a power cut in the middle, each at a desk of its own.

Half of those who were told that it is registered send the same again when the power is back: they
have a workflow that knows the intake at once, without the audit. The others never ask again: theirs
the audit's first round finds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from benchmarks.chaos import rest
from benchmarks.chaos.asking import Asking, GaveUp, Patience
from benchmarks.chaos.callers import AT_DOOR, reported
from benchmarks.chaos.check import check
from benchmarks.chaos.faults import Saboteur
from benchmarks.chaos.findings import Count, Finding
from benchmarks.chaos.histories import asks
from benchmarks.chaos.plan import Fault, Kind, chance
from benchmarks.chaos.report import Report
from benchmarks.chaos.run import asking, desk, gather, listening, settled
from demo.stage import Theatre
from domain.errors import Refused
from domain.issue.intake import Intake
from workflows.audit import SCHEDULE_ID

INTAKES = 120
STORM = 12.0
"""Seconds in which they come in."""
_PATIENCE = Patience(answer=10.0, lasts=90.0)
_RESTS_WITHIN = 45.0


class Outage(NamedTuple):
    """One storm with a power cut; ``silent`` are the intakes without a workflow that knows them
    before the audit, of those who did not send again.
    """

    report: Report
    silent: int

    @property
    def told(self) -> str:
        """In one line."""
        again = sum("sent again" in finding.what for finding in self.report.findings)
        rest_ = len(self.report.findings) - again
        acknowledged = len({said.issue_id for said in self.report.acknowledged})
        return (
            f"seed {self.report.seed}: {acknowledged} intakes acknowledged; orphans: {again} of "
            f"those sent again, {self.silent} of the others before the audit; found after it: "
            f"{rest_}"
        )


async def storm_and_cut(seed: int, home: Path) -> Outage:
    """Let the intakes come in, cut the power in the middle, and look at what is left."""
    begun = time.monotonic()
    async with desk(home) as on, asking(on) as callers:
        await on.servers.client.get_schedule_handle(SCHEDULE_ID).pause()
        saboteur = Saboteur(on, seed)
        intakes = [reported(f"{seed}-{place}", chance(seed, place)) for place in range(INTAKES)]
        drawn = chance(seed, "cut")
        fault = Fault(Kind.POWER_CUT, drawn.uniform(STORM / 4, STORM / 2), drawn.uniform(1, 4))
        with listening(callers):
            async with asyncio.TaskGroup() as group:
                for intake in intakes:
                    group.create_task(_send(callers, intake, drawn.uniform(0, STORM)))
                group.create_task(_cut(saboteur, fault))
            again = drawn.sample(intakes, len(intakes) // 2)
            findings = await _sent_again(on, callers, again)
            silent = await _unknown(on, [intake for intake in intakes if intake not in again])
        await asyncio.sleep(settled(saboteur.windows))
        await rest.audited(on.servers.client)
        await rest.at_rest(on, most=_RESTS_WITHIN)
        found = await gather(on, callers.acknowledged, saboteur.windows)
    report = Report(
        seed=seed,
        issues=INTAKES,
        seconds=time.monotonic() - begun,
        faults=saboteur.windows,
        acknowledged=callers.acknowledged,
        heard=callers.heard,
        findings=[*findings, *check(found)],
    )
    return Outage(report, len(silent))


async def _send(callers: Asking, intake: Intake, after: float) -> None:
    await asyncio.sleep(after)
    drawn = chance(intake.reference)
    by_door = intake.source == AT_DOOR
    now = intake.model_copy(update={"reported_at": datetime.now(UTC)})
    with suppress(GaveUp, Refused):
        await callers.open(now, _PATIENCE, drawn, by_door=by_door)


async def _cut(saboteur: Saboteur, fault: Fault) -> None:
    await asyncio.sleep(fault.at)
    await saboteur.inflict(fault)


async def _sent_again(on: Theatre, callers: Asking, again: Sequence[Intake]) -> list[Finding]:
    """Send these again, and find those that heard 2xx and have no workflow that knows them."""
    before = len(callers.acknowledged)
    await asyncio.gather(*(_send(callers, intake, 0.0) for intake in again))
    told = {said.issue_id for said in callers.acknowledged[before:]}
    unknown = await _unknown(on, [intake for intake in again if intake.issue_id in told])
    what = "sent again and acknowledged, and no workflow knows the intake"
    return [Finding(Count.ORPHANS, id_, what) for id_ in unknown]


async def _unknown(on: Theatre, intakes: Sequence[Intake]) -> list[str]:
    ids = [intake.issue_id for intake in intakes]
    answers = await asyncio.gather(*(asks(on.servers.client, id_) for id_ in ids))
    return [id_ for id_, (view, _) in zip(ids, answers, strict=True) if view is None]


async def storms(first_seed: int, times: int, homes: Path, console: Console) -> list[Outage]:
    """Do that so many times, each in a fresh home."""
    outages = []
    for place in range(times):
        outage = await storm_and_cut(first_seed + place, homes / f"cut-{place}")
        console.print(outage.told)
        outages.append(outage)
    return outages

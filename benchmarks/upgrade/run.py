"""One drill: an earlier version's desk with issues everywhere, a power cut, this checkout's desk on
what is left, and a look at all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from temporalio.client import Client

from benchmarks.chaos import power, rest
from benchmarks.chaos.asking import Asking
from benchmarks.chaos.check import check
from benchmarks.chaos.faults import Window
from benchmarks.chaos.plan import Kind
from benchmarks.chaos.report import Report
from benchmarks.chaos.run import gather, listening, roster, settled
from benchmarks.upgrade import before, links
from benchmarks.upgrade.before import Running
from benchmarks.upgrade.lives import AGENT, SOURCE, Fate, Planned, planned, slower
from benchmarks.upgrade.onward import Onward, unfinished
from benchmarks.upgrade.version import Version
from cli.audit import audit_now
from demo.receiver import Outside, Receiver
from demo.stage import Theatre, own_environment
from domain.findings import AuditReport
from runtime.embedded.ports import free_ports
from runtime.settings import Settings
from starter import client, up

Say = Callable[[str], None]
_AT_ONCE = 6
_ANSWER = 35.0
_RESTS_WITHIN = 100.0
_CALLS = 120_000
"""All visitors come from one address here."""


class Drill(NamedTuple):
    """What one drill found; ``left`` are issues that did not come to their end, ``audits`` what the
    deep audit saw after the first round of the ordinary one, and in the end.
    """

    stages: Mapping[str, int]
    fates: Mapping[str, int]
    audits: Sequence[AuditReport]
    left: Sequence[str]
    report: Report

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.report.findings or self.left or any(a.findings for a in self.audits))


async def run(version: Version, seed: int, issues: int, base: Path, say: Say) -> Drill:
    """Carry out one drill in ``base``, and report."""
    begun = time.monotonic()
    plan = planned(seed, issues)
    policy = base / "policy.toml"
    text = (version.tree / "policies" / "demo.toml").read_text(encoding="utf-8")
    policy.write_text(slower(text), encoding="utf-8")
    with own_environment(), Receiver(Outside()) as receiver:
        settings = _settings(base, policy)
        urls = {channel.id: channel.url for channel in receiver.channels_of(roster()).channels}
        people = before.roster(version.tree, urls, base / "roster")
        async with before.running(version, settings) as old:
            await old.command("roster", "import", str(people))
            say("the earlier version is up")
            dark = await _worked_at(old, plan)
            stages = Counter(await old.stages())
            cut = datetime.now(UTC)
            old.power_off(dark.kept)
        say(f"the power is off: {_listed(stages)}")
        async with _taken_over(settings, receiver) as (on, asking):
            windows = [Window(Kind.POWER_CUT, dark.begin, datetime.now(UTC), cut)]
            say("this version is up")
            sent = links.sent_in(message for message in receiver.received if message.at < cut)
            async with _visitors(settings) as http:
                dead = await links.dead(sent, http)
            say(f"{len(dead)} of {len(sent)} links of the earlier version are dead")
            audits, left = await _led_on(on, asking, seed, windows, say)
            acknowledged = [*old.acknowledged, *asking.acknowledged]
            found = await gather(on, acknowledged, windows)
    report = Report(
        seed=seed,
        issues=issues,
        seconds=time.monotonic() - begun,
        faults=windows,
        acknowledged=acknowledged,
        heard=asking.heard,
        findings=[*dead, *check(found)],
    )
    return Drill(stages, Counter(each.fate for each in plan), audits, left, report)


def _settings(base: Path, policy: Path) -> Settings:
    http, temporal, web_ui = free_ports(3)
    return Settings(
        home=base / "desk",
        policy=policy,
        durable=False,  # nobody waits for the disk of a desk that is thrown away
        http_port=http,
        temporal_port=temporal,
        temporal_ui_port=web_ui,
        calls_per_minute=_CALLS,
    )


# The earlier version ------------------------------------------------------------------------------


class _Dark(NamedTuple):
    """What Temporal had on the disk, and since when it forgets."""

    kept: power.Kept
    begin: datetime


async def _worked_at(old: Running, plan: Sequence[Planned]) -> _Dark:
    """Make the issues; what their fate lets Temporal forget comes after the copy of its disk."""
    numbers: dict[str, str] = {}
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def live(each: Planned, first: int | None, last: int | None) -> None:
        async with at_once:
            if first is None:
                view = await old.open(_intake(each))
                numbers[each.name] = view["number"]
            for place in range(len(each.life.deeds))[first:last]:
                word = f"before-{each.name}-{place}."
                await old.do(numbers[each.name], each.life.deeds[place], word)

    known = [live(each, None, None) for each in plan if each.fate is Fate.KNOWN]
    behind = [live(each, None, -1) for each in plan if each.fate is Fate.BEHIND]
    await asyncio.gather(*known, *behind)
    temporal = await Client.connect(f"127.0.0.1:{old.settings.temporal_port}")
    for each in plan:
        if each.fate is Fate.EMPTY:  # the door's own start goes to the workflow that is there
            await temporal.start_workflow("IssueWorkflow", id=each.issue_id, task_queue="issues")
    begin = datetime.now(UTC)
    kept = power.what_is_on_the_disk(before.temporal_of(old.process.pid), old.settings.home)
    late = [live(each, -1, None) for each in plan if each.fate is Fate.BEHIND]
    lost = [live(each, None, None) for each in plan if each.fate in {Fate.EMPTY, Fate.LOST}]
    await asyncio.gather(*late, *lost)
    return _Dark(kept, begin)


def _intake(each: Planned) -> Mapping[str, Any]:
    reported_at = datetime.now(UTC) - timedelta(seconds=each.ago)
    return {
        "source": SOURCE,
        "reference": each.reference,
        "channel": "website",
        "product_line": "ATM",
        "region": "广东",
        "agent": AGENT,
        "customer": {"name": "陈红", "phone": "+86 138 0000 0001"},
        "title": f"出钞口卡钞 {each.reference}",
        "reported_at": reported_at.isoformat(),
        **each.life.intake,
    }


def _visitors(settings: Settings) -> httpx2.AsyncClient:
    """Whoever presses a link: nobody has a token."""
    return httpx2.AsyncClient(base_url=settings.base_url, trust_env=False, timeout=_ANSWER)


# This version -------------------------------------------------------------------------------------


@asynccontextmanager
async def _taken_over(
    settings: Settings, receiver: Receiver
) -> AsyncIterator[tuple[Theatre, Asking]]:
    """This checkout's desk on the same data, as `yinuo up` brings it up."""
    async with up.desk(settings) as servers, httpx2.AsyncClient(trust_env=False) as http:
        desk = client.Desk(servers.client, servers.pool)
        asking = Asking(desk, http, {})
        with listening(asking):
            yield Theatre(servers, desk, receiver, settings), asking


async def _led_on(
    on: Theatre, asking: Asking, seed: int, windows: Sequence[Window], say: Say
) -> tuple[Sequence[AuditReport], Sequence[str]]:
    """Let the audit heal, and everybody work until nothing is left; return what deep audits saw
    between and after, and the issues that did not come to their end.
    """
    await asyncio.sleep(settled(windows))
    await rest.audited(on.servers.client)
    healed = await audit_now(on.servers.client)
    say(f"one round of the audit later a deep audit finds {_found(healed)}")
    await Onward(asking, on.servers.pool, seed).lead_all()
    await rest.at_rest(on, most=_RESTS_WITHIN)
    left = await unfinished(on.servers.pool)
    at_last = await audit_now(on.servers.client)
    say(f"in the end {len(left)} issues are open, and a deep audit finds {_found(at_last)}")
    return [healed, at_last], left


def _found(report: AuditReport) -> str:
    return _listed(report.counts) or "nothing"


def _listed(counted: Mapping[Any, int]) -> str:
    return ", ".join(f"{times} {name}" for name, times in sorted(counted.items()))

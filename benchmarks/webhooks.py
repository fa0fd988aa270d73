"""Receivers of events that fail, hang and lie, under load: ``python -m benchmarks.webhooks``.

Issues are led at a steady pace at a desk with one worker, from the registration to the customer who
tried the answer. Three receivers are told of all their events: a good one; one that never answers;
and a bad one, which refuses two events in five, one to three times each: it fails, resets, leads
elsewhere, drips its answer, hangs; or it takes an event and says that it has not, or says that it
has and goes on for ever. By turns all three are disabled, so that what an issue waits for is
measured with them and without; what happens meanwhile waits for them, and makes it worse after.

Exits 1 if the good or the bad one did not get each event of the register, if one came to count
twice by its id, or if an issue's events were out of their order. With ``--strict`` also if issues
wait longer than a tenth more at the median while receivers are told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figures, load_now, percentile
from benchmarks.intakes import a_question
from benchmarks.surroundings import fresh_home
from demo.stage import Theatre, stage
from domain.issue.act import ActionName
from domain.issue.actions import Accept, ReportTest, Resolve
from domain.vocabulary import Actor, Role
from domain.webhooks import NewEndpoint
from inbound.files.roster import read_roster
from runtime import aio
from runtime.sealing import Sealer
from runtime.settings import ROOT
from runtime.signing import signer
from starter.receivers import Receivers
from store import event_log
from store.event_log import Position, Whose

T = TypeVar("T")
SOURCE = "webhooks"
CUSTOMER = Actor(id="customer", role=Role.CUSTOMER)
LOOKS = 0.25
DRAINED_WITHIN = 1800.0
"""Seconds after the load within which everything is to have arrived."""

OK = b"HTTP/1.1 204 So\r\nContent-Length: 0\r\n\r\n"
FAILS = b"HTTP/1.1 500 So\r\nContent-Length: 9\r\n\r\nnot today"
LEADS = b"HTTP/1.1 302 So\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n"


class Posted(NamedTuple):
    """An event as it came, for the so many-th time."""

    id: str
    attempt: int
    body: bytes


@dataclass
class Receiver:
    """Counts what it took, whatever it said of it. ``mood`` answers; False: hang up."""

    mood: Callable[[Receiver, Posted, asyncio.StreamWriter], Awaitable[bool]]
    port: int = 0
    posted: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    taken: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Issue and place of each event by its id, in the order in which they first came to count."""
    again: int = 0
    """Events that came although they had been taken: it had said otherwise."""

    def take(self, posted: Posted) -> None:
        """Take an event, once."""
        if posted.id in self.taken:
            self.again += 1
            return
        data = json.loads(posted.body)["data"]
        self.taken[posted.id] = data["id"], data["seq"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer whatever comes over a connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            goes_on = True
            while goes_on:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = re.search(r"content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                found = re.search(r"webhook-id: (\S+)", head)
                id_ = found[1] if found else ""
                self.posted += 1
                self.tried[id_] += 1
                goes_on = await self.mood(self, Posted(id_, self.tried[id_], body), writer)
        writer.close()


async def good(receiver: Receiver, posted: Posted, writer: asyncio.StreamWriter) -> bool:
    """Take it."""
    receiver.take(posted)
    writer.write(OK)
    await writer.drain()
    return True


async def dead(_: Receiver, _posted: Posted, _writer: asyncio.StreamWriter) -> bool:
    """Say nothing, ever."""
    await asyncio.sleep(3600)
    return False


async def bad(receiver: Receiver, posted: Posted, writer: asyncio.StreamWriter) -> bool:
    """Take it at last; what it does before is drawn by the event."""
    drawn = sha256(posted.id.encode()).digest()
    if drawn[0] % 5 < 2 and posted.attempt <= 1 + drawn[1] % 3:
        refuse = _REFUSALS[(drawn[3] + posted.attempt) % len(_REFUSALS)]
        return await refuse(receiver, posted, writer)
    receiver.take(posted)
    if drawn[2] % 10:
        writer.write(OK)
        await writer.drain()
        return True
    writer.write(ENDLESS)  # it says so, and goes on saying
    await asyncio.sleep(30)
    return False


async def _fails(_: Receiver, _posted: Posted, writer: asyncio.StreamWriter) -> bool:
    writer.write(FAILS)
    await writer.drain()
    return True


async def _leads_elsewhere(_: Receiver, _posted: Posted, writer: asyncio.StreamWriter) -> bool:
    writer.write(LEADS)
    await writer.drain()
    return True


async def _resets(_: Receiver, _posted: Posted, writer: asyncio.StreamWriter) -> bool:
    writer.transport.abort()
    return False


async def _takes_it_and_denies(
    receiver: Receiver, posted: Posted, writer: asyncio.StreamWriter
) -> bool:
    receiver.take(posted)
    return await _fails(receiver, posted, writer)


async def _takes_it_and_resets(
    receiver: Receiver, posted: Posted, writer: asyncio.StreamWriter
) -> bool:
    receiver.take(posted)
    return await _resets(receiver, posted, writer)


async def _drips(_: Receiver, _posted: Posted, writer: asyncio.StreamWriter) -> bool:
    for byte in FAILS:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)
    return True


async def _talks_nonsense(_: Receiver, _posted: Posted, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"nonsense\r\n\r\n")
    return False


_REFUSALS = (
    *(_fails, _leads_elsewhere, _resets, _takes_it_and_denies, _takes_it_and_resets),
    *(_drips, _talks_nonsense, dead),
)


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Listen while the block runs."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


# The load -----------------------------------------------------------------------------------------


@dataclass
class Waited:
    """Seconds that calls took, by what was called, with receivers and without."""

    told: bool = True
    seconds: defaultdict[tuple[str, bool], list[float]] = field(
        default_factory=lambda: defaultdict(list)
    )
    failed: int = 0

    async def timed(self, what: str, asking: Awaitable[T]) -> T:
        """Take the time of one call."""
        told, begun = self.told, perf_counter()
        answer = await asking
        self.seconds[what, told].append(perf_counter() - begun)
        return answer


async def live(on: Theatre, waited: Waited, name: str) -> None:
    """Lead an issue from its registration to the customer who tried the answer."""
    desk = on.desk
    view = await waited.timed("register", desk.open(a_question(SOURCE, name)))
    if view.engineer is None:
        raise RuntimeError(f"nobody is there for {view.number}")
    by = Actor(id=view.engineer.id, role=Role.ENGINEER)
    await waited.timed("accept", desk.act(view.id, ActionName.ACCEPT, Accept(by=by)))
    result = Resolve(by=by, result="已更换读卡器 reader replaced")
    await waited.timed("resolve", desk.act(view.id, ActionName.RESOLVE, result))
    while (await desk.show(view.id)).stage != "replied":
        await asyncio.sleep(LOOKS)
    test = ReportTest(by=CUSTOMER, worked=True)
    await waited.timed("report_test", desk.act(view.id, ActionName.REPORT_TEST, test))


Turn = Callable[[], Coroutine[Any, Any, None]]


async def load(on: Theatre, waited: Waited, asked: argparse.Namespace, turn: Turn) -> None:
    """Begin issues at a steady pace, and let all of them come to their end."""
    clock = asyncio.get_running_loop().time
    begun, number = clock(), 0
    turning = asyncio.create_task(turn())
    async with asyncio.TaskGroup() as group:
        while clock() - begun < asked.minutes * 60:
            group.create_task(live(on, waited, f"i-{number}"))
            number += 1
            await asyncio.sleep(max(0.0, begun + number / asked.rate - clock()))
    turning.cancel()


async def measure(asked: argparse.Namespace, home: Path) -> Figures:
    """Lead issues, tell receivers, and compare what they got with the register."""
    roster = read_roster(ROOT / "examples" / "roster")
    policy = home / "policy.toml"
    policy.write_text(_policy(asked), "utf-8")
    receivers = {"good": Receiver(good), "bad": Receiver(bad), "dead": Receiver(dead)}
    waited = Waited()
    overrides = {"workers": 1, "doors": False}
    async with (
        listening(receivers["good"]),
        listening(receivers["bad"]),
        listening(receivers["dead"]),
        stage(home / "desk", policy, roster, speed=1_000, overrides=overrides) as on,
    ):
        told = Receivers(on.servers.pool, Sealer(signer(on.settings)))
        ids = {name: await _add(told, each) for name, each in receivers.items()}
        async with on.servers.pool.acquire() as connection:
            start = await event_log.now(connection)

        async def turn() -> None:
            while True:
                await asyncio.sleep(asked.turn)
                waited.told = not waited.told
                for id_ in ids.values():
                    await (told.enable if waited.told else told.disable)(id_)

        for warm in range(10):
            await live(on, Waited(), f"warm-{warm}")
        await load(on, waited, asked, turn)
        if not waited.told:
            for id_ in ids.values():
                await told.enable(id_)
        ended = perf_counter()
        expected = await _written(on, start)
        await _drained(receivers, expected)
        return {
            "asked": {name: getattr(asked, name) for name in ("minutes", "rate", "turn", "within")},
            "load": load_now(),
            "drained_within": perf_counter() - ended,
            "events": len(expected),
            "waited": _spreads(waited),
            "receivers": {
                name: {
                    "posted": each.posted,
                    "taken": len(each.taken),
                    "came again": each.again,
                    "wrong": _wrong(each, expected) if name != "dead" else [],
                }
                for name, each in receivers.items()
            },
        }


def _policy(asked: argparse.Namespace) -> str:
    """The standard policy, with somebody always on duty, and pauses by the second."""
    text = (ROOT / "policies" / "standard.toml").read_text("utf-8")
    week = '"mon", "tue", "wed", "thu", "fri", "sat", "sun"'
    for pattern, instead in (
        (r"^days = .*", f"days = [{week}]"),
        (r"^hours = .*", 'hours = ["00:00-24:00"]'),
        (r"^(national|opens) = .*", ""),
        (r"^allow = \[\]", 'allow = ["127.0.0.0/8"]'),
        (r'^first_retry = "5s"', 'first_retry = "1s"'),
        (r'^longest_retry = "1h"', 'longest_retry = "20s"'),
        (r'^answer_within = "15s"', f'answer_within = "{asked.within}s"'),
    ):
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


async def _add(told: Receivers, receiver: Receiver) -> str:
    endpoint, _ = await told.add(NewEndpoint(url=f"http://127.0.0.1:{receiver.port}/"))
    return endpoint.id


async def _written(on: Theatre, start: Position) -> dict[str, tuple[str, int]]:
    """Read the register's log: what everybody should have been told."""
    found: dict[str, tuple[str, int]] = {}
    async with on.servers.pool.acquire() as connection:
        more, position = True, start
        while more:
            page = await event_log.page(connection, Whose(), position, 500)
            found |= {each.id: (each.data.id, each.data.seq) for _, each in page.events}
            more, position = page.more, page.position
    return found


async def _drained(receivers: Mapping[str, Receiver], expected: Mapping[str, object]) -> None:
    until = perf_counter() + DRAINED_WITHIN
    waiting = [receivers["good"], receivers["bad"]]
    while perf_counter() < until:
        if all(expected.keys() <= each.taken.keys() for each in waiting):
            return
        await asyncio.sleep(1)


def _wrong(receiver: Receiver, expected: Mapping[str, tuple[str, int]]) -> list[str]:
    wrong = []
    if missing := expected.keys() - receiver.taken.keys():
        wrong.append(f"{len(missing)} events never came, such as {expected[min(missing)]}")
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    for issue, seq in receiver.taken.values():
        seqs[issue].append(seq)
    if disordered := [issue for issue, found in seqs.items() if found != sorted(found)]:
        wrong.append(f"{len(disordered)} issues' events out of order, such as {disordered[0]}")
    if doubled := [issue for issue, found in seqs.items() if len(found) != len(set(found))]:
        wrong.append(f"{len(doubled)} issues with an event under two ids, such as {doubled[0]}")
    return wrong


def _spreads(waited: Waited) -> dict[str, dict[str, dict[str, float]]]:
    """In milliseconds."""
    found: defaultdict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for (what, told), seconds in sorted(waited.seconds.items()):
        found[what]["told" if told else "not told"] = {
            "count": len(seconds),
            **{f"p{at}": percentile(seconds, at / 100) * 1000 for at in (50, 95, 99)},
        }
    return dict(found)


def _show(found: Figures) -> list[Table]:
    calls = Table("", "receivers", "calls", "p50 ms", "p95 ms", "p99 ms", title="What issues wait")
    for what, sides in found["waited"].items():
        for side, each in sides.items():
            figures = (f"{each[name]:.0f}" for name in ("count", "p50", "p95", "p99"))
            calls.add_row(what, side, *figures)
    told = Table("receiver", "posted", "taken", "came again", title="What receivers got")
    for name, each in found["receivers"].items():
        told.add_row(name, *(str(each[what]) for what in ("posted", "taken", "came again")))
    told.caption = (
        f"{found['events']} events; all there {found['drained_within']:.0f} s after the last issue"
    )
    return [calls, told]


def _slower(found: Figures) -> float:
    """How many times as long calls wait at the median while receivers are told."""
    ratios = [
        sides["told"]["p50"] / sides["not told"]["p50"]
        for sides in found["waited"].values()
        if len(sides) == 2
    ]
    return median(ratios) if ratios else 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60, help="how long issues come in")
    parser.add_argument("--rate", type=float, default=1.0, help="issues a second")
    parser.add_argument("--turn", type=float, default=120, help="seconds until they take turns")
    parser.add_argument("--within", type=float, default=15, help="seconds for an answer")
    parser.add_argument("--strict", action="store_true", help="exit 1 if issues wait longer, too")
    parser.add_argument("--json", type=Path, help="keep the figures in a file")
    asked = parser.parse_args(arguments)
    with fresh_home("yinuo-") as home:
        found = aio.run(measure(asked, home))
    console = Console(soft_wrap=True)
    for table in _show(found):
        console.print(table)
    slower = _slower(found)
    console.print(f"Issues wait {slower:.2f} times as long while receivers are told; aim ≤ 1.10")
    wrong = [f"{name}: {each}" for name, r in found["receivers"].items() for each in r["wrong"]]
    for each in wrong:
        console.print(f"WRONG {each}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if wrong or (asked.strict and slower > 1.10) else 0


if __name__ == "__main__":
    sys.exit(main())

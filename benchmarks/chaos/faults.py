"""The faults, inflicted on the processes and the database of a desk.

Each is over when what it struck answers again. A desk may bring its servers back by itself; what
it leaves dead is started here, as an operator would.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
import psutil
from temporalio.service import RPCError

from benchmarks.chaos import power
from benchmarks.chaos.plan import Fault, Kind, chance
from demo.stage import Theatre
from domain.errors import SetupError
from runtime.embedded.servers import DATABASE, EmbeddedPostgres, EmbeddedTemporal
from store import AWAY

Server = EmbeddedPostgres | EmbeddedTemporal
_BACK_WITHIN = 60.0
_AWAY: tuple[type[Exception], ...] = (asyncpg.PostgresError, *AWAY)
_UNANSWERED: tuple[type[Exception], ...] = (RPCError, *_AWAY)
_STRUCK = {"commits": "register"}
"""Which part a kind of fault strikes, if it is not named after it."""
_SLOW_COMMIT = 9.0
"""Seconds: longer than the heartbeat of a workflow task, shorter than an activity may take."""
_SLOW_SHARE = 0.6
"""Of the commits. Assignments take turns: of these it is a tenth, or nobody would get in."""
_TROUBLE = """
CREATE TABLE trouble (share double precision NOT NULL, seconds double precision NOT NULL);
INSERT INTO trouble VALUES (0, 0);
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_sleep(seconds) FROM public.trouble WHERE random() < share * CASE
        WHEN jsonb_typeof(NEW.recorded->'step'->'assignment') = 'object' THEN 0.1 ELSE 1 END;
    RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER trouble AFTER INSERT ON issue_events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION trouble();
"""


class Window(NamedTuple):
    """When a fault was, until what it struck answered again. Of a power cut it begins with what
    Temporal forgot; ``cut`` is when everything went dark.
    """

    kind: Kind
    begin: datetime
    end: datetime
    cut: datetime | None = None


class Saboteur:
    """Strikes one part at one time at most: several faults meet, but not in the same process."""

    def __init__(self, on: Theatre, seed: int) -> None:
        if on.servers.postgres is None or on.servers.temporal is None or on.servers.doors is None:
            raise ValueError("the desk must have servers and doors of its own")
        self._on = on
        self._postgres, self._temporal = on.servers.postgres, on.servers.temporal
        self._doors = on.servers.doors
        self._chance = chance(seed, "saboteur")
        parts = ("worker", "doors", "postgres", "temporal", "register")
        self._parts = {part: asyncio.Lock() for part in parts}
        self.windows: list[Window] = []

    async def prepare(self) -> None:
        """Put into the database what makes it slow on demand."""
        async with self._superuser() as connection:
            await connection.execute(_TROUBLE)

    async def inflict(self, fault: Fault) -> None:
        """Inflict a fault, and wait until what it struck answers again."""
        part, _, what = fault.kind.partition("-")
        struck = [_STRUCK.get(part, part)]
        if fault.kind is Kind.POWER_CUT:
            struck = sorted(self._parts)
        async with AsyncExitStack() as stack:
            for name in struck:
                await stack.enter_async_context(self._parts[name])
            begin = datetime.now(UTC)
            cut = await self._ways[what](self, part, fault.seconds)
            self.windows.append(Window(fault.kind, begin, datetime.now(UTC), cut))

    async def _kill(self, part: str, seconds: float) -> None:
        for process in self._processes(part):
            _signal(process, signal.SIGKILL)
        await asyncio.sleep(seconds)
        if server := self._servers.get(part):
            await self._bring_back(server)

    async def _freeze(self, part: str, seconds: float) -> None:
        frozen = self._processes(part)
        for process in frozen:
            _signal(process, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            for process in reversed(frozen):
                _signal(process, signal.SIGCONT)

    async def _lock(self, _: str, seconds: float) -> None:
        table = self._chance.choice(("serials", "issue_events", "issues"))
        with suppress(*_AWAY):  # a server that goes away lets go of its locks
            async with self._superuser() as connection, connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(seconds)

    async def _slow(self, _: str, seconds: float) -> None:
        await self._make_slow(_SLOW_SHARE)
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._make_slow(0)

    async def _make_slow(self, share: float) -> None:
        """Let that share of the commits be slow. PostgreSQL may just be away."""
        while True:
            with suppress(*_AWAY):
                async with self._superuser() as connection:
                    slow = "UPDATE trouble SET share = $1, seconds = $2"
                    await connection.execute(slow, share, _SLOW_COMMIT, timeout=30)
                    return
            await asyncio.sleep(0.2)

    async def _cut(self, _: str, seconds: float) -> datetime:
        kept = power.what_is_on_the_disk(self._temporal.pid, self._on.settings.home)
        await asyncio.sleep(seconds)
        cut = datetime.now(UTC)
        # Without a pause: nobody may bring Temporal back before it has forgotten.
        everybody = [each for part in sorted(self._parts) for each in self._all_of(part)]
        power.cut(everybody)
        kept.put_back()
        for server in self._servers.values():
            await self._bring_back(server)
        return cut

    _ways: Mapping[str, Callable[[Saboteur, str, float], Awaitable[datetime | None]]] = {
        "killed": _kill,
        "frozen": _freeze,
        "locked": _lock,
        "slow": _slow,
        "cut": _cut,
    }

    @property
    def _servers(self) -> Mapping[str, Server]:
        return {"postgres": self._postgres, "temporal": self._temporal}

    def _processes(self, part: str) -> list[psutil.Process]:
        """Choose what to strike: of several workers one or all."""
        found = self._all_of(part)
        if part == "worker" and self._chance.random() < 0.7:
            return self._chance.sample(found, min(1, len(found)))
        return found

    def _all_of(self, part: str) -> list[psutil.Process]:
        """List the processes of a part, the first before those it started."""
        pids = {
            "worker": [worker.pid for worker in self._on.servers.workers],
            "doors": [self._doors.pid],
            "postgres": [self._postgres.pid],
            "temporal": [self._temporal.pid],
        }.get(part, [])
        found: list[psutil.Process] = []
        for pid in pids:
            with suppress(psutil.NoSuchProcess):
                if pid is not None:
                    first = psutil.Process(pid)
                    found += [first, *first.children(recursive=True)]
        return found

    async def _bring_back(self, server: Server) -> None:
        async with asyncio.timeout(_BACK_WITHIN):
            while not await self._answers(server):
                if server.pid is None:
                    with suppress(SetupError):  # a desk that watches its servers was quicker
                        await server.restart()
                await asyncio.sleep(0.2)

    async def _answers(self, server: Server) -> bool:
        if server.pid is None:
            return False
        try:
            async with asyncio.timeout(5):
                if isinstance(server, EmbeddedTemporal):
                    await self._on.servers.client.count_workflows()
                else:
                    async with self._superuser() as connection:
                        await connection.fetchval("SELECT 1")
        except _UNANSWERED:
            return False
        return True

    @asynccontextmanager
    async def _superuser(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        connection = await asyncpg.connect(self._postgres.url_of(DATABASE), timeout=10)
        try:
            yield connection
        finally:
            with suppress(*_AWAY):
                await connection.close(timeout=5)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


async def inflict_all(saboteur: Saboteur, planned: Iterable[Fault]) -> None:
    """Let the faults happen at their instants; returns when the last is over."""

    async def one(fault: Fault) -> None:
        await asyncio.sleep(fault.at)
        await saboteur.inflict(fault)

    async with asyncio.TaskGroup() as group:
        for fault in planned:
            group.create_task(one(fault))

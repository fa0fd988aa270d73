"""`yinuo up`: the whole desk, brought up in order, watched, and taken down in reverse.

Servers that `DATABASE_URL` and `TEMPORAL_*` name are used; the others are embedded. Every part of
ours that ends by itself is started again; one that does not stay up ends the desk.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import httpx2
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import SetupError
from runtime import grants, postgres, rotation
from runtime.embedded.ports import held
from runtime.embedded.process import Child
from runtime.embedded.restored import finish
from runtime.embedded.servers import HASTY, EmbeddedPostgres, EmbeddedTemporal, migration_url
from runtime.home import make_private
from runtime.migrate import migrate
from runtime.settings import Settings, given_temporal
from runtime.temporal import connect
from starter import replanning, wording
from starter.epochs import begin
from starter.polling import not_taken
from starter.prepare import prepare
from store import AWAY
from store.connection import Pool

Progress = Callable[[str, str, str], None]
"""Told (part, state, detail).

State is "starting", "ready", "warning", "restarting", "restarted" or "stopped"; for the register
and for Temporal also "HELD" and "BEHIND".
"""

Needs = Callable[[], Awaitable[None]]
"""Returns when what a part cannot start without is there."""

Well = Callable[[], Awaitable[bool]]

FirstRun = Callable[[Pool, Client], Awaitable[None]]

_AWAY: tuple[type[Exception], ...] = (TimeoutError, RPCError, *AWAY)
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
# Whoever was well this long was killed, or a server was: that is no reason to be slow.
_STEADY_SECONDS = 5.0
# Starts in a row that come to nothing before the desk is given up: with the pauses, a minute.
_STARTS = 10
# What only migrations may know, and what a worker or the doors get from the desk.
_NOT_FOR_CHILDREN = {"YINUO_MIGRATION_URL"}


@dataclass(frozen=True)
class Deployment:
    """A running desk: its addresses, open connections, and the parts that are ours."""

    database_url: str
    temporal_address: str
    namespace: str
    client: Client
    pool: Pool
    workers: Sequence[Child]
    doors: Child | None
    """None when they stay closed."""
    postgres: EmbeddedPostgres | None
    """None when it is not ours."""
    temporal: EmbeddedTemporal | None
    """None when it is not ours."""

    @property
    def web_ui(self) -> str | None:
        """The address of the Temporal Web UI, if it is ours."""
        return self.temporal.ui_url if self.temporal else None


@asynccontextmanager
async def desk(
    settings: Settings,
    *,
    progress: Progress = lambda _part, _state, _detail: None,
    after_migrations: FirstRun | None = None,
) -> AsyncIterator[Deployment]:
    """The desk while the block runs; each part is up and healthy before the next is started.

    `after_migrations` runs before the first worker: the place to import a first roster.

    Raises:
        SetupError: a part did not come up, or does not stay up; the message says which and what
            to do. The block is cancelled then.
    """
    make_private(settings.home)
    await finish(settings.home)
    if settings.doors:
        with held(settings.http_host, settings.http_port, "YINUO_HTTP_PORT"):
            pass  # it is free
    try:
        async with asyncio.TaskGroup() as watch, AsyncExitStack() as stack:
            hosting = _Hosting(stack, watch, progress)
            yield await _brought_up(hosting, settings, after_migrations)
    except BaseExceptionGroup as failures:
        first = _first(failures)
        raise first from first.__cause__


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first, and the rest by it."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _brought_up(
    hosting: "_Hosting", settings: Settings, after_migrations: FirstRun | None
) -> Deployment:
    stack, progress = hosting.stack, hosting.progress
    database = await _postgres(hosting, settings)
    database_url = database.url if database else str(settings.database_url)
    temporal = await _temporal(hosting, settings)
    progress("migrations", "starting", "")
    revision = await migrate(migration_url(settings), database_url)
    progress("migrations", "ready", f"revision {revision or 'none'}")
    client = await connect(settings)
    progress("search attributes", "starting", "")
    await prepare(client)
    progress("search attributes", "ready", f"in namespace {client.namespace}")
    pool = await stack.enter_async_context(postgres.pool(database_url, size=10))
    if warning := await grants.warning(pool):
        progress("PostgreSQL", "warning", warning)
    held = (await begin(client, pool, progress)).standing.held
    if after_migrations is not None:
        await after_migrations(pool, client)
    progress("policy", "starting", "")
    progress("policy", "ready", await replanning.policy_at_start(client, pool, settings.policy))
    progress("scripts", "starting", "")
    progress("scripts", "ready", await wording.at_start(pool, settings.policy))

    address = client.service_client.config.target_host
    environment = {
        **{name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN},
        **settings.environment(),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": client.namespace,
    }
    servers = partial(_servers, pool, client)
    workers = await _workers(hosting, settings, environment, client, servers)
    doors = await _doors(hosting, settings, environment, held=held)
    return Deployment(
        *(database_url, address, client.namespace, client, pool),
        *(workers, doors, database, temporal),
    )


async def _postgres(hosting: "_Hosting", settings: Settings) -> EmbeddedPostgres | None:
    if settings.database_url is not None:
        hosting.progress("PostgreSQL", "ready", "given by DATABASE_URL")
        return None
    server = EmbeddedPostgres(settings.home, None if settings.durable else HASTY)
    await hosting.host(server, server, f"data in {settings.home}")
    return server


async def _temporal(hosting: "_Hosting", settings: Settings) -> EmbeddedTemporal | None:
    given = given_temporal().get("target_host")
    if given is not None:
        detail = f"{given}, given by TEMPORAL_ADDRESS or the profile file"
        hosting.progress("Temporal", "ready", detail)
        return None
    ports = settings.temporal_port, settings.temporal_ui_port
    server = EmbeddedTemporal(settings.home, *ports, durable=settings.durable)
    await hosting.host(server, server, f"{server.address}, Web UI {server.ui_url}")
    return server


class _Part(Protocol):
    """A process of ours that is kept up: a server, a worker, the doors."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    @property
    def pid(self) -> int | None: ...

    async def ended(self) -> int:
        """Wait until it ends by itself."""

    async def again(self) -> None:
        """Start it again if it did, and return when it is well."""

    def problem(self, what: str) -> SetupError:
        """Tell of it with the end of its log."""


async def _nothing() -> None:
    """Go on."""


@dataclass(frozen=True)
class _Hosting:
    """Where parts are brought up, watched and taken down."""

    stack: AsyncExitStack
    watch: asyncio.TaskGroup
    progress: Progress

    async def host(
        self,
        part: _Part,
        running: AbstractAsyncContextManager[object],
        detail: str,
        needs: Needs = _nothing,
    ) -> None:
        """Have a part `running` from now on, kept up as soon as there is what it `needs`, and its
        log short.
        """
        reported = _reported(running, part.name, detail, self.progress)
        await self.stack.enter_async_context(reported)
        for task in (_keep_up(part, needs, self.progress), rotation.keep_short(part.log)):
            self.stack.push_async_callback(_cancel, self.watch.create_task(task))


@asynccontextmanager
async def _reported(
    part: AbstractAsyncContextManager[object], name: str, detail: str, progress: Progress
) -> AsyncIterator[None]:
    progress(name, "starting", "")
    async with part:
        progress(name, "ready", detail)
        yield
    progress(name, "stopped", "")


async def _servers(pool: Pool, client: Client) -> None:
    """Wait until both answer: that they do not is no fault of a worker's, which then ends."""
    while True:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await pool.fetchval("SELECT 1")
                await client.service_client.check_health()
        except _AWAY:
            await asyncio.sleep(_FIRST_PAUSE)
        else:
            return


async def _workers(
    hosting: _Hosting,
    settings: Settings,
    environment: Mapping[str, str],
    client: Client,
    needs: Needs,
) -> list[Child]:
    children = [
        Child(
            f"worker {number}",
            [sys.executable, "-P", "-m", "worker"],
            settings.home / f"worker-{number}.log",
            environment=environment,
        )
        for number in range(1, settings.workers + 1)
    ]
    for child in children:
        works = partial(_works, child, client)
        process = _Process(child, settings, works, works)
        await hosting.host(process, process.running(), f"log in {child.log}", needs)
    return children


async def _doors(
    hosting: _Hosting, settings: Settings, environment: Mapping[str, str], *, held: bool
) -> Child | None:
    if not settings.doors:
        return None
    child = Child(
        "doors",
        [sys.executable, "-P", "-m", "cli", "serve"],
        settings.home / "doors.log",
        environment=environment,
    )
    # On this machine, past any proxy for the rest of the world.
    knock = await hosting.stack.enter_async_context(
        httpx2.AsyncClient(trust_env=False, timeout=_ANSWER_SECONDS)
    )
    alive, ready = (partial(_open, settings, knock, path) for path in ("healthz", "readyz"))
    # Without a worker, or with a register that is held, they are not ready, nor later while servers
    # are away. But they are open.
    at_first = ready if settings.workers and not held else alive
    process = _Process(child, settings, at_first, alive)
    await hosting.host(process, process.running(), f"{settings.base_url}, log {child.log}")
    return child


@dataclass(frozen=True)
class _Process:
    """A worker or the doors: running is not enough, it must be seen to be well."""

    child: Child
    settings: Settings
    well_at_first: Well
    well: Well

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def log(self) -> Path:
        return self.child.log

    @property
    def pid(self) -> int | None:
        return self.child.pid

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            await self.child.start()
            await self._until(self.well_at_first)
            yield
        finally:
            await self.child.stop(self.settings.graceful_shutdown.total_seconds() + 5)

    async def ended(self) -> int:
        return await self.child.ended()

    async def again(self) -> None:
        await self.child.again()
        try:
            await self._until(self.well)
        except SetupError:
            self.child.kill()
            await self.child.wait()
            raise

    def problem(self, what: str) -> SetupError:
        return self.child.problem(what)

    async def _until(self, well: Well) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await well():
                    if not self.child.running:
                        raise self.child.problem("ended while starting")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise self.child.problem(f"did not take up work within {_START_SECONDS:g} s") from None


async def _open(settings: Settings, knock: httpx2.AsyncClient, path: str) -> bool:
    try:
        answer = await knock.get(f"http://{_here(settings.http_host)}:{settings.http_port}/{path}")
    except httpx2.TransportError:
        return False
    return answer.is_success


def _here(host: str) -> str:
    """Return where this machine finds itself listening at ``host``."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  looked up, not listened at
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


async def _works(worker: Child, client: Client) -> bool:
    try:
        return not await not_taken(client, worker.pid)
    except RPCError:  # Temporal is away again
        return False


async def _keep_up(part: _Part, needs: Needs, progress: Progress) -> None:
    """Start a part again when it ends by itself, after a pause that doubles while it does, and when
    there is what it needs.

    Raises:
        SetupError: it does not stay up.
    """
    clock = asyncio.get_running_loop().time
    in_vain = 0
    while True:
        began = clock()
        code = await part.ended()
        in_vain = 1 if clock() - began > _STEADY_SECONDS else in_vain + 1
        if in_vain > _STARTS:
            raise part.problem(
                f"does not stay up: it was started {_STARTS} times in a row, and ended with {code}"
                " at last. The desk is given up; mend what its log says (a full disk, a port that"
                " is taken, a file that is gone), then `yinuo up` again"
            )
        pause = min(_FIRST_PAUSE * 2 ** (in_vain - 1), _LONGEST_PAUSE)
        progress(part.name, "restarting", f"it ended with {code}; in {pause:g} s")
        await asyncio.sleep(pause)
        await needs()
        try:
            await part.again()
        except (SetupError, OSError) as error:
            progress(part.name, "restarting", f"not yet: {str(error).splitlines()[0]}")
        else:
            if part.pid is not None:  # it was not stopped on purpose meanwhile
                progress(part.name, "restarted", f"process {part.pid}")


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})

"""`yinuo up`: the whole desk, brought up in order, watched, and taken down in reverse.

Servers that `DATABASE_URL` and `TEMPORAL_*` name are used; the others are embedded.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import httpx2
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from runtime import postgres
from runtime.child import Child
from runtime.embedded import HASTY, EmbeddedPostgres, EmbeddedTemporal
from runtime.migrate import migrate
from runtime.ports import held
from runtime.restored import finish
from runtime.settings import Settings, given_temporal
from runtime.temporal import connect
from starter import replanning
from starter.epochs import begin
from starter.prepare import prepare

Progress = Callable[[str, str, str], None]
"""Told (part, state, detail).

State is "starting", "ready" or "stopped", for workers and doors also "restarting" and "restarted",
for the register and Temporal also "HELD" and "BEHIND".
"""

FirstRun = Callable[["asyncpg.Pool[Any]", Client], Awaitable[None]]

# What a worker must be seen to serve before it counts as healthy.
_SERVED = (
    ("issues", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    ("notifications", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_LONGEST_PAUSE = 10.0
# Whoever worked this long was killed, or a server was: that is no reason to be slow.
_STEADY_SECONDS = 5.0


@dataclass(frozen=True)
class Desk:
    """A running desk: its addresses, open connections, and the parts that are ours."""

    database_url: str
    temporal_address: str
    namespace: str
    client: Client
    pool: "asyncpg.Pool[Any]"
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
) -> AsyncIterator[Desk]:
    """The desk while the block runs; each part is up and healthy before the next is started.

    `after_migrations` runs before the first worker: the place to import a first roster.

    Raises:
        SetupError: a part did not come up; the message says which and what to do.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    await finish(settings.home)
    if settings.doors:
        with held(settings.http_host, settings.http_port, "YINUO_HTTP_PORT"):
            pass  # it is free
    async with AsyncExitStack() as stack:
        database = await _postgres(stack, settings, progress)
        database_url = database.url if database else str(settings.database_url)
        temporal = await _temporal(stack, settings, progress)
        progress("migrations", "starting", "")
        progress("migrations", "ready", f"revision {await migrate(database_url) or 'none'}")
        client = await connect(settings)
        progress("search attributes", "starting", "")
        await prepare(client)
        progress("search attributes", "ready", f"in namespace {client.namespace}")
        pool = await stack.enter_async_context(postgres.pool(database_url, size=10))
        await begin(client, pool, progress)
        if after_migrations is not None:
            await after_migrations(pool, client)
        progress("policy", "starting", "")
        progress("policy", "ready", await replanning.policy_at_start(client, pool, settings.policy))

        address = client.service_client.config.target_host
        environment = {
            **os.environ,
            **settings.environment(),
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": client.namespace,
        }
        workers = await _workers(stack, settings, environment, client, progress)
        doors = await _doors(stack, settings, environment, progress)
        yield Desk(
            *(database_url, address, client.namespace, client, pool),
            *(workers, doors, database, temporal),
        )


async def _postgres(
    stack: AsyncExitStack, settings: Settings, progress: Progress
) -> EmbeddedPostgres | None:
    if settings.database_url is not None:
        progress("PostgreSQL", "ready", "given by DATABASE_URL")
        return None
    server = EmbeddedPostgres(settings.home, None if settings.durable else HASTY)
    detail = f"data in {settings.home}"
    await stack.enter_async_context(_reported(server, "PostgreSQL", detail, progress))
    return server


async def _temporal(
    stack: AsyncExitStack, settings: Settings, progress: Progress
) -> EmbeddedTemporal | None:
    given = given_temporal().get("target_host")
    if given is not None:
        progress("Temporal", "ready", f"{given}, given by TEMPORAL_ADDRESS or the profile file")
        return None
    ports = settings.temporal_port, settings.temporal_ui_port
    server = EmbeddedTemporal(settings.home, *ports, durable=settings.durable)
    detail = f"{server.address}, Web UI {server.ui_url}"
    await stack.enter_async_context(_reported(server, "Temporal", detail, progress))
    return server


@asynccontextmanager
async def _reported(
    part: AbstractAsyncContextManager[object], name: str, detail: str, progress: Progress
) -> AsyncIterator[None]:
    progress(name, "starting", "")
    async with part:
        progress(name, "ready", detail)
        yield
    progress(name, "stopped", "")


async def _workers(
    stack: AsyncExitStack,
    settings: Settings,
    environment: Mapping[str, str],
    client: Client,
    progress: Progress,
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
        part = _Part(child, partial(_works, child, client), f"log in {child.log}")
        await _host(stack, part, settings, progress)
    return children


async def _doors(
    stack: AsyncExitStack, settings: Settings, environment: Mapping[str, str], progress: Progress
) -> Child | None:
    if not settings.doors:
        return None
    child = Child(
        "doors",
        [sys.executable, "-P", "-m", "starter", "serve"],
        settings.home / "doors.log",
        environment=environment,
    )
    # On this machine, past any proxy for the rest of the world.
    knock = httpx2.AsyncClient(trust_env=False, timeout=_ANSWER_SECONDS)
    async with knock:
        part = _Part(
            child, partial(_open, settings, knock), f"{settings.base_url}, log {child.log}"
        )
        await _host(stack, part, settings, progress)
    return child


@dataclass(frozen=True)
class _Part:
    """A process of ours, what it is like when it is well, and what to tell of it then."""

    child: Child
    well: Callable[[], Awaitable[bool]]
    detail: str


async def _host(stack: AsyncExitStack, part: _Part, settings: Settings, progress: Progress) -> None:
    hosted = _hosted(part, settings.graceful_shutdown.total_seconds() + 5)
    await stack.enter_async_context(_reported(hosted, part.child.name, part.detail, progress))
    stack.push_async_callback(_cancel, asyncio.create_task(_keep_up(part.child, progress)))


@asynccontextmanager
async def _hosted(part: _Part, patience: float) -> AsyncIterator[None]:
    try:
        await part.child.start()
        await _until_well(part)
        yield
    finally:
        await part.child.stop(patience)


async def _until_well(part: _Part) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not await part.well():
                if not part.child.running:
                    raise part.child.problem("ended while starting")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise part.child.problem(f"did not take up work within {_START_SECONDS:g} s") from None


async def _open(settings: Settings, knock: httpx2.AsyncClient) -> bool:
    try:
        answer = await knock.get(f"http://{_here(settings.http_host)}:{settings.http_port}/readyz")
    except httpx2.TransportError:
        return False
    return answer.is_success


def _here(host: str) -> str:
    """Return where this machine finds itself listening at ``host``."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  looked up, not listened at
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


async def _works(worker: Child, client: Client) -> bool:
    for queue, kind in _SERVED:
        if not await _polls(worker, client, queue, kind):
            return False
    return True


async def _polls(
    worker: Child, client: Client, queue: str, kind: "TaskQueueType.ValueType"
) -> bool:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
    )
    # The SDK's default identity is pid@host: other workers at the same server do not count.
    return any(poller.identity.startswith(f"{worker.pid}@") for poller in answer.pollers)


async def _keep_up(child: Child, progress: Progress) -> None:
    """Start a process again when it ends by itself, after a pause that doubles while it does."""
    loop = asyncio.get_running_loop()
    pause = 0.5
    while True:
        started = loop.time()
        code = await child.wait()
        if loop.time() - started > _STEADY_SECONDS:
            pause = 0.5
        progress(child.name, "restarting", f"it ended with {code}; in {pause:g} s")
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
        await child.start()
        progress(child.name, "restarted", f"process {child.pid}")


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

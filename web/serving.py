"""The doors as a process: `yinuo serve`. Opens while PostgreSQL or Temporal are away, and says so
at `/readyz`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from runtime import aio, postgres, temporal
from runtime.embedded import servers
from runtime.embedded.ports import held
from runtime.sealing import Sealer
from runtime.settings import Settings
from runtime.signing import signer
from starter.attachments import Attachments
from starter.client import Desk
from starter.condition import Condition
from starter.pictures import Pictures
from starter.receivers import Receivers
from starter.registers import Registers
from store.connection import Pool
from web.app import build
from web.context import Doors

CONNECTIONS = 20
"""To PostgreSQL: most of what is asked waits for Temporal instead."""
log = structlog.get_logger("doors")


@asynccontextmanager
async def opened(own: Settings) -> AsyncIterator[FastAPI]:
    """Build the doors on the servers of the settings, there or away."""
    async with connected(own, "yinuo doors") as (desk, pool):
        yield build(doors(desk, pool, own))


def doors(desk: Desk, pool: Pool, own: Settings) -> Doors:
    """Have what every door needs; both stay their makers' to close."""
    attachments, ours = Attachments.on(pool, own), signer(own)
    return Doors(
        desk=desk,
        registers=Registers.on(pool),
        condition=Condition(desk.client, pool),
        attachments=attachments,
        pictures=Pictures(attachments),
        receivers=Receivers(pool, Sealer(ours)),
        settings=own,
        signer=ours,
    )


@asynccontextmanager
async def connected(own: Settings, name: str) -> AsyncIterator[tuple[Desk, Pool]]:
    """Have the desk to talk to, and its registers, whether their servers are there or away."""
    client = await temporal.connect(own, lazy=True)
    connections = postgres.pool(
        servers.database_url(own), size=CONNECTIONS, min_size=0, application=name
    )
    async with connections as pool:
        yield Desk(client, pool), pool


async def serve(own: Settings) -> None:
    """Serve until SIGINT or SIGTERM; what is being answered then gets `graceful_shutdown`.

    Raises:
        SetupError: the port is taken.
    """
    for name in ("uvicorn", "alembic"):  # of requests our middleware tells more, and less
        logging.getLogger(name).setLevel(logging.WARNING)
    port = held(own.http_host, own.http_port, "YINUO_HTTP_PORT")
    with aio.stop_requested() as stop, port as ear:
        async with opened(own) as app:
            # What is here stays: nobody has to look through it, for a tenth of a second in the
            # middle of somebody's page, for what could be thrown away.
            gc.collect()
            gc.freeze()
            server = _Server(_config(app, own))
            serving = asyncio.create_task(server.serve(sockets=[ear]))
            stopping = asyncio.create_task(stop.wait())
            log.info("open", address=own.base_url)
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            log.info("closing")
            server.should_exit = True
            stopping.cancel()
            await serving


class _Server(uvicorn.Server):
    """Signals are `aio.stop_requested`'s."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: FastAPI, own: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # our middleware believes fewer, and no free text
        timeout_graceful_shutdown=max(1, round(own.graceful_shutdown.total_seconds())),
    )

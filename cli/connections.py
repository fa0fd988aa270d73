"""The way from a command to the servers, and how it ends when they say no."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.service import RPCError

from cli.console import ExitCode, Failed, refusal
from domain.errors import InputError, OutputError, Refused, SetupError
from runtime import postgres, temporal
from runtime import settings as environment
from runtime.embedded.servers import database_url
from runtime.settings import Settings
from starter.client import Desk, Register, Unavailable
from store.connection import Pool


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """The desk to talk to, by the settings of the environment.

    Raises:
        Failed: it refused, or is not running.
    """
    async with servers(environment.load()) as (client, pool):
        yield Desk(client, pool)


@asynccontextmanager
async def register() -> AsyncIterator[Register]:
    """The registers to look into; Temporal need not be there.

    Raises:
        Failed: PostgreSQL does not answer.
    """
    async with registers() as pool:
        yield Register(pool)


@asynccontextmanager
async def registers() -> AsyncIterator[Pool]:
    """Connections to the registers, as ``register`` has them.

    Raises:
        Failed: PostgreSQL does not answer.
    """
    async with explained(), _pool(environment.load()) as pool:
        yield pool


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[tuple[Client, Pool]]:
    """Connections to both servers; what the desk or a server says no to within is ``Failed``."""
    async with explained():
        client = await temporal.connect(settings)
        async with _pool(settings) as pool:
            yield client, pool


@asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator[Pool]:

    async with postgres.pool(database_url(settings), size=10, application="yinuo cli") as pool:
        yield pool


@asynccontextmanager
async def explained() -> AsyncIterator[None]:
    """Turn a refusal, or a server that does not answer, into ``Failed``."""
    try:
        with postgres.explained():
            yield
    except Refused as refused:
        raise refusal(refused.type, refused.message) from refused
    except Unavailable as error:
        raise Failed(ExitCode.UNAVAILABLE, str(error)) from error
    except RPCError as error:
        raise Failed(ExitCode.UNAVAILABLE, f"Temporal: {error.message}") from error
    except (InputError, OutputError):  # files are wrong, not the servers
        raise
    except SetupError as error:
        raise Failed(ExitCode.UNAVAILABLE, str(error)) from error

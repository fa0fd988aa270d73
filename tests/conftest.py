"""The servers that tests run on: real ones, on this machine, in temporary directories."""

import gc
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from runtime import postgres
from runtime.embedded.ports import free_ports
from runtime.embedded.servers import (
    ADMINISTRATOR,
    APPLICATION,
    DATABASE,
    HASTY,
    OWNER,
    EmbeddedPostgres,
    EmbeddedTemporal,
)
from runtime.migrate import migrate
from runtime.settings import PORTS, Settings
from runtime.temporal import connect, register_search_attributes
from store.connection import Pool
from tests.support import marks, profiles
from tests.support.memory import in_memory
from tests.support.skipping import skipping_server
from workflows.search_attributes import SEARCH_ATTRIBUTES

pytest_plugins = ["tests.support.running_desk"]

profiles.register()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(marks)


def pytest_collection_finish() -> None:
    """What was imported stays, so nobody has to look through it for what could be thrown away."""
    gc.collect()
    gc.freeze()


_database_numbers = itertools.count(1)
_GLANCE = 30.0
"""Seconds a door waits for the register here; a test of one that stands still says how long."""


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """A developer's own servers and settings are never used by a test, nor are those of another
    process of tests: a desk that is given no ports gets some of this process's own.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("YINUO_", "TEMPORAL_")) or name == "DATABASE_URL":
                patch.delenv(name)
        patch.setenv("TEMPORAL_CONFIG_FILE", os.devnull)
        for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
            patch.setenv(f"YINUO_{name.upper()}", str(port))
        # A register that is slow because the machine is busy is not away.
        for glance in ("starter.client._GLANCE", "web.auth.identity._GLANCE"):
            patch.setattr(glance, _GLANCE)
        yield


@pytest.fixture(scope="session")
async def postgres_server(
    servers: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[EmbeddedPostgres]:
    """One PostgreSQL for the session, whose database `yinuo` is migrated and used as a template."""
    with in_memory(tmp_path_factory.mktemp("pg")) as home:
        async with EmbeddedPostgres(home, HASTY) as server:
            await migrate(server.owner_url, server.url)
            yield server


@pytest.fixture
async def postgres_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh migrated database of this test's own, as workers, doors and commands have it."""
    async with fresh_database(postgres_server, f"test_{next(_database_numbers)}") as name:
        yield postgres_server.url_of(name, APPLICATION)


@asynccontextmanager
async def fresh_database(
    server: EmbeddedPostgres, name: str, template: str = DATABASE
) -> AsyncIterator[str]:
    """A database that belongs to the owner of tables, as the desk's own does."""
    administration = await asyncpg.connect(server.url_of(ADMINISTRATOR))
    try:
        await administration.execute(
            f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY file_copy"
        )
        await _prove(server.url_of(name, ADMINISTRATOR))
        yield name
        await administration.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await administration.close()


async def _prove(url: str) -> None:
    """A copy is a register in another place: nobody has compared it with Temporal yet."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('standing') IS NOT NULL"):
            await connection.execute("UPDATE standing SET proof = this_server()")
    finally:
        await connection.close()


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Pool]:
    """A pool on a fresh migrated database, with the application's rights."""
    async with postgres.pool(postgres_url, size=10) as pool:
        yield pool


@pytest.fixture
async def owner(postgres_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """The same database for the role that owns its tables."""
    connection = await asyncpg.connect(postgres_url.replace(APPLICATION, OWNER, 1))
    yield connection
    await connection.close()


@pytest.fixture
async def time_skipping(servers: None) -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal test server of this test's own, whose clock skips what nobody waits for."""
    async with skipping_server() as environment:
        yield environment


@dataclass(frozen=True)
class DeskServers:
    """Real servers that a test may restart and kill."""

    home: Path
    settings: Settings
    """Names these servers; its home, ports and addresses are this test's own."""
    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    client: Client


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where servers of this test's own have their data."""
    with in_memory(tmp_path) as made:
        yield made


@pytest.fixture
async def desk_servers(servers: None, home: Path) -> AsyncIterator[DeskServers]:
    """PostgreSQL, migrated, and Temporal with its search attributes, for end-to-end tests."""
    port, ui_port, http_port = free_ports(3)
    async with (
        EmbeddedPostgres(home, HASTY) as database,
        EmbeddedTemporal(home, port, ui_port, durable=False) as temporal,
    ):
        await migrate(database.owner_url, database.url)
        settings = Settings(
            database_url=database.url,
            home=home,
            http_port=http_port,
            temporal_port=port,
            temporal_ui_port=ui_port,
        )
        client = await connect(settings)
        await register_search_attributes(client, SEARCH_ATTRIBUTES)
        yield DeskServers(home, settings, database, temporal, client)
        temporal.kill()  # nobody reads its data again: it need not take leave of anybody

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from runtime import postgres
from runtime.embedded.servers import HASTY, EmbeddedPostgres
from store.connection import Pool


async def test_json_columns_are_python_values(database: Pool) -> None:
    value = {"姓名": "李工", "tags": [1, None]}
    assert await database.fetchval("SELECT $1::jsonb", value) == value
    assert await database.fetchval("SELECT $1::jsonb ->> '姓名'", value) == "李工"


async def test_a_connection_says_who_it_is_and_waits_for_nothing_for_ever(
    postgres_server: EmbeddedPostgres,
) -> None:
    async with postgres.pool(postgres_server.url, size=1, application="worker 1") as pool:
        assert await pool.fetchval("SHOW application_name") == "worker 1"
        assert await pool.fetchval("SHOW statement_timeout") == "30s"
        assert await pool.fetchval("SHOW lock_timeout") == "10s"
        assert await pool.fetchval("SHOW timezone") == "UTC"


@pytest.mark.usefixtures("servers")
async def test_a_pool_recovers_when_the_server_is_restarted(tmp_path: Path) -> None:
    async with (
        EmbeddedPostgres(tmp_path, HASTY) as server,
        postgres.pool(server.url, size=2) as pool,
    ):
        assert await pool.fetchval("SELECT 1") == 1
        await server.restart()
        assert await pool.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_database_of_its_own(
    owner: "asyncpg.Connection[Any]", turn: int
) -> None:
    await owner.execute("CREATE TABLE mine AS SELECT $1::int AS turn", turn)
    assert await owner.fetch("TABLE mine") == [(turn,)]

"""The application's role: what it needs, and nothing that could rewrite what is kept for ever."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.errors import SetupError
from runtime import postgres
from runtime.embedded.servers import ADMINISTRATOR, APPLICATION, OWNER, EmbeddedPostgres
from runtime.grants import APPEND, RIGHTS, warning
from runtime.migrate import migrate
from runtime.revisions import SCRIPTS
from store.connection import Pool
from tests.conftest import fresh_database
from tests.runtime.test_migrate import add_revision, copy_scripts

PRIVILEGES = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "MAINTAIN",
]
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
_KEPT_FOR_EVER = """
SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'refuse_change'::regproc
"""
_HELD = """
SELECT name, array_agg(privilege) FILTER (WHERE has_table_privilege(name, privilege))
FROM (SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()) AS t (name),
    unnest($1::text[]) AS privilege
GROUP BY name
"""


async def test_it_is_decided_of_every_table_what_the_application_may_do_with_it(
    database: Pool,
) -> None:
    """A new table is wanted in runtime/grants.py."""
    assert {row[0] for row in await database.fetch(_TABLES)} == RIGHTS.keys()


async def test_what_is_kept_for_ever_may_only_be_read_and_appended_to(database: Pool) -> None:
    kept = {row[0] for row in await database.fetch(_KEPT_FOR_EVER)}
    assert {"door_log", "issue_events", "rulebooks", "form_history"} <= kept
    assert {name: RIGHTS[name] for name in kept} == dict.fromkeys(kept, APPEND)


async def test_the_application_has_these_rights_and_no_other(database: Pool) -> None:
    held = {name: set(rights) for name, rights in await database.fetch(_HELD, PRIVILEGES)}
    assert held == {name: set(rights.split(", ")) for name, rights in RIGHTS.items()}


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE door_log SET outcome = 'done'",
        "DELETE FROM door_log",
        "TRUNCATE door_log",
        "ALTER TABLE door_log DISABLE TRIGGER ALL",
        "DROP TRIGGER door_log_append_only ON door_log",
        "ALTER TABLE door_log OWNER TO CURRENT_USER",
        "DROP TABLE door_log",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = replica",
        "DELETE FROM issues",
        "CREATE TABLE mine ()",
        f"SET ROLE {OWNER}",
        f"SET SESSION AUTHORIZATION {ADMINISTRATOR}",
        "COPY door_log TO '/tmp/door_log'",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
async def test_the_application_cannot(database: Pool, command: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(command)


async def test_the_embedded_desks_roles_are_no_superusers(database: Pool) -> None:
    asked = """
    SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
    FROM pg_roles WHERE rolname = ANY($1)
    """
    found = dict(await database.fetch(asked, [APPLICATION, OWNER]))
    assert found == {APPLICATION: False, OWNER: False}
    assert await database.fetchval("SELECT current_user") == APPLICATION


async def test_a_table_of_a_later_migration_can_be_read_and_appended_to_until_it_is_decided(
    postgres_url: str, owner: "asyncpg.Connection[Any]", database: Pool, tmp_path: Path
) -> None:
    later = copy_scripts(tmp_path)
    newest = max(path.name[:4] for path in (SCRIPTS / "versions").glob("0*.py"))
    add_revision(later, "9999", newest, "CREATE TABLE later (n integer)")
    await owner.execute("GRANT ALL ON door_log TO PUBLIC")
    await migrate(postgres_url.replace(APPLICATION, OWNER, 1), postgres_url, scripts=later)
    held = {name: set(rights) for name, rights in await database.fetch(_HELD, PRIVILEGES)}
    assert held["later"] == {"SELECT", "INSERT"}
    assert held["door_log"] == {"SELECT", "INSERT"}, "what was given by hand is taken away"


async def test_whoever_could_rewrite_the_trail_is_warned(postgres_url: str, database: Pool) -> None:
    assert await warning(database) is None
    for role in (OWNER, ADMINISTRATOR):
        async with postgres.pool(postgres_url.replace(APPLICATION, role, 1), size=1) as pool:
            assert f"role {role} could rewrite its audit trail" in str(await warning(pool))


async def test_a_desk_of_one_role_is_separated_as_the_manual_says(
    postgres_server: EmbeddedPostgres,
) -> None:
    async with fresh_database(postgres_server, "one_role", "template0") as name:
        await _administer(postgres_server, "postgres", f"ALTER DATABASE {name} OWNER TO yinuo")
        owner, application = (postgres_server.url_of(name, role) for role in (OWNER, APPLICATION))
        await migrate(application)
        async with postgres.pool(application, size=1) as pool:
            assert await warning(pool)
            with pytest.raises(SetupError, match="does not let this role do that"):
                await migrate(owner, application)
            await _administer(postgres_server, name, "REASSIGN OWNED BY yinuo TO yinuo_owner")
            await migrate(owner, application)
            assert await warning(pool) is None
            assert await pool.fetch(_HELD, PRIVILEGES)


async def _administer(server: EmbeddedPostgres, database: str, command: str) -> None:
    connection = await asyncpg.connect(server.url_of(database))
    await connection.execute(command)
    await connection.close()


async def test_one_role_for_everything_works_as_before(postgres_url: str, database: Pool) -> None:
    both = postgres_url.replace(APPLICATION, OWNER, 1)
    await migrate(both)
    await migrate(both, both)
    async with postgres.pool(both, size=1) as pool:
        await pool.execute("INSERT INTO serials VALUES ('2026-11-23', '07', 1)")

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from domain.errors import SetupError
from runtime import postgres
from runtime.embedded.servers import OWNER, EmbeddedPostgres
from runtime.migrate import migrate
from runtime.revisions import SCRIPTS, head, require_head
from tests.conftest import fresh_database

REVISION = """
revision = {revision!r}
down_revision = {down_revision!r}

from alembic import op

def upgrade():
    for statement in {statements!r}:
        op.execute(statement)
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Two revisions, the first of which is slow enough for another migration to meet it."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text((SCRIPTS / "env.py").read_text())
    add_revision(tmp_path, "0001", None, "CREATE TABLE first ()", "SELECT pg_sleep(0.3)")
    add_revision(tmp_path, "0002", "0001", "CREATE TABLE second ()")
    return tmp_path


def add_revision(scripts: Path, revision: str, down_revision: str | None, *statements: str) -> None:
    text = REVISION.format(revision=revision, down_revision=down_revision, statements=statements)
    (scripts / "versions" / f"{revision}.py").write_text(text)


@pytest.fixture
async def empty(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a database without any table."""
    async with fresh_database(postgres_server, "empty", "template0") as name:
        yield postgres_server.url_of(name, OWNER)


async def test_two_migrations_at_once_do_the_work_once(empty: str, scripts: Path) -> None:
    revisions = await asyncio.gather(*(migrate(empty, scripts=scripts) for _ in range(4)))
    assert revisions == ["0002"] * 4
    async with postgres.pool(empty, size=1) as pool:
        await require_head(pool, scripts=scripts)


async def test_a_lock_that_is_not_to_be_had_is_told_and_nothing_is_done(
    empty: str, scripts: Path
) -> None:
    slow = asyncio.create_task(migrate(empty, scripts=scripts))
    async with postgres.pool(empty, size=1) as pool:
        lock_held = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)"
        while not await pool.fetchval(lock_held):
            await asyncio.sleep(0)
        with pytest.raises(SetupError, match=r"lock was held.*more than 0.05 s.*yinuo migrate"):
            await migrate(empty, lock_timeout=0.05, scripts=scripts)
        assert await slow == "0002"


async def test_a_failing_revision_leaves_no_trace_and_the_earlier_ones_stay(
    empty: str, scripts: Path
) -> None:
    add_revision(scripts, "0003", "0002", "CREATE TABLE third ()", "SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        await migrate(empty, scripts=scripts)
    async with postgres.pool(empty, size=1) as pool:
        assert await pool.fetchval("SELECT version_num FROM alembic_version") == "0002"
        assert await pool.fetchval("SELECT to_regclass('third')") is None


async def test_a_database_of_another_version_is_refused_with_what_to_do(
    empty: str, scripts: Path
) -> None:
    async with postgres.pool(empty, size=1) as pool:
        with pytest.raises(SetupError, match=r"at revision none.*needs 0002.*yinuo migrate"):
            await require_head(pool, scripts=scripts)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://desk@127.0.0.1:1/desk", "does not answer. Start the desk"),
        ("postgresql://desk@nowhere.invalid/desk", "does not answer. Start the desk"),
        ("postgresql://yinuo@/no_such_desk", "no such database: create it"),
        (
            "postgresql://nobody_at_all@/empty",
            "does not let this role in: correct user and password",
        ),
        ("postgresql://yinuo@/empty", "no connection left: stop workers"),
    ],
)
async def test_a_database_that_cannot_be_had_is_told_in_a_sentence_that_says_what_to_do(
    postgres_server: EmbeddedPostgres, empty: str, address: str, says: str
) -> None:
    administration = await asyncpg.connect(postgres_server.url_of("postgres"))
    await administration.execute("ALTER DATABASE empty CONNECTION LIMIT 0")
    await administration.close()
    if "@/" in address:
        address += f"?{urlsplit(empty).query}"
    for asked in ((address,), (address, empty), (empty, address)):
        with pytest.raises(SetupError, match=r"^PostgreSQL ") as told:
            await migrate(*asked)
        assert "\n" not in str(told.value)
    with pytest.raises(SetupError, match=says) as told:
        async with postgres.pool(address, size=1):
            pass
    assert "\n" not in str(told.value)


async def test_a_role_that_may_not_migrate_is_told_which_one_may(
    postgres_url: str, tmp_path: Path
) -> None:
    later = copy_scripts(tmp_path)
    newest = max(path.name[:4] for path in (SCRIPTS / "versions").glob("0*.py"))
    add_revision(later, "9999", newest, "CREATE TABLE later (n integer)")
    with pytest.raises(SetupError, match=r"the role that owns the tables \(YINUO_MIGRATION_URL\)"):
        await migrate(postgres_url, scripts=later)


async def test_the_desks_own_migrations_reach_their_head(
    database: "asyncpg.Pool[asyncpg.Record]",
) -> None:
    assert head() is not None
    await require_head(database)


async def test_the_ledger_of_a_desk_from_before_planning_again_learns_its_thresholds(
    empty: str, tmp_path: Path
) -> None:
    await migrate(empty, scripts=_until("0001", tmp_path))
    told = {"kind": "resolution", "generation": 1, "attempt": 1}
    first, later = ([{"name": name}] for name in ("75%", "100%"))
    async with postgres.pool(empty, size=1) as pool:
        await pool.execute("ALTER TABLE issue_events DROP CONSTRAINT issue_events_issue_id_fkey")
        await pool.execute(
            "ALTER TABLE promises DROP CONSTRAINT promises_issue_id_fkey,"
            " DROP CONSTRAINT promises_rulebook_fkey"
        )
        for seq, recorded in enumerate(
            (
                {"step": {"promises": []}, "promises": [told | {"marks": first}]},
                {"step": {"promises": [told | {"marks": first}]}, "promises": []},
                {
                    "step": {"promises": [told | {"marks": first}]},
                    "promises": [told | {"marks": later}],
                },
                {"step": {"promises": []}, "promises": []},
            ),
            start=1,
        ):
            await pool.execute(
                "INSERT INTO issue_events VALUES ('i', $1, $2, 'accept', 'a', 'lead', now(), now(),"
                " NULL, 'assigned', '{}', $3)",
                *(seq, str(seq), recorded),
            )
        for kind in ("resolution", "response"):
            await pool.execute(
                "INSERT INTO promises (issue_id, kind, generation, attempt, attempts, target,"
                " clock, calendar, rulebook, made_at, due_at, provisional, pauses, reached,"
                " outcome) VALUES ('i', $1, 1, 1, 1, '2h', 'working', 'desk', 'v', now(), now(),"
                " false, 0, 0, 'open')",
                kind,
            )
        await migrate(empty)
        marks = dict(await pool.fetch("SELECT kind, marks FROM promises"))
    assert marks == {"resolution": later, "response": []}


async def test_a_complaint_of_a_desk_from_before_the_forms_gets_its_form(
    empty: str, tmp_path: Path
) -> None:
    await migrate(empty, scripts=_until("0002", tmp_path))
    async with postgres.pool(empty, size=1) as pool:
        await pool.execute("INSERT INTO rulebooks (version, body) VALUES ('v', '{}')")
        for id_, kind in (("c", "complaint"), ("f", "fault")):
            await pool.execute(
                "INSERT INTO issues (id, run, number, source, reference, channel, kind, category,"
                " severity, product_line, region, title, description, customer_name,"
                " customer_type, customer_existing, agent, reported_at, registered_at, rulebook,"
                " centre, calendar, department, zone, stage, seq, updated_at) VALUES ($1, 'r', $1,"
                " 's', $1, 'chat', $2, 'service', 'major', 'ATM', 'x', 't', '', 'n', 'individual',"
                " true, '07', now(), now(), 'v', 'x', 'desk', 'customer_service', 'UTC',"
                " 'assigned', 1, now())",
                *(id_, kind),
            )
        await migrate(empty)
        forms = await pool.fetch("SELECT issue_id, against, received_by FROM complaint_forms")
        assert [tuple(form) for form in forms] == [("c", "customer_service", "07")]
        await pool.execute("UPDATE complaint_forms SET verdict = 'major', verified_at = now()")
        kept = await pool.fetchrow("SELECT form, issue_id, was FROM form_history")
    assert kept is not None
    assert (kept["form"], kept["issue_id"], kept["was"]["verdict"]) == (
        *("complaint_forms", "c"),
        None,
    )


def _until(revision: str, tmp_path: Path) -> Path:
    """The scripts as they were up to that revision."""
    later = (path.name for path in (SCRIPTS / "versions").glob("0*.py") if path.name[:4] > revision)
    return copy_scripts(tmp_path, *later)


def copy_scripts(tmp_path: Path, *without: str) -> Path:
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns(*without, "__*"))
    return copy

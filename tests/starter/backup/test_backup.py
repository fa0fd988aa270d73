"""Backups of the embedded desk: made while it works, checked, restored whole or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import sys
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from domain.errors import InputError, SetupError
from domain.issue.actions import Accept, ActionName, Resolve
from domain.issue.intake import Intake
from domain.issue.view import IssueView
from domain.vocabulary import Actor, Role
from domain.webhooks import NewEndpoint, State
from inbound.files.roster import read_roster
from runtime.contents.opening import contents
from runtime.embedded import restored
from runtime.embedded.ports import free_ports
from runtime.embedded.process import Lock
from runtime.embedded.servers import EmbeddedPostgres
from runtime.lives import Lives
from runtime.settings import ROOT, Settings
from starter import up
from starter.attachments import Attachments
from starter.backup import archive, making
from starter.backup.making import back_up
from starter.backup.restoring import Side, check, restore
from starter.client import Desk
from store import issue_writer, roster, standing, webhooks
from store.connection import Pool
from tests.support.builders import an_intake
from tests.support.hostile_files import picture
from tests.support.patience import PATIENCE
from tests.support.running_desk import run_yinuo

pytestmark = pytest.mark.usefixtures("servers")

PHOTO = picture()
LEAD = Actor(id="zhou.jianguo", role=Role.LEAD)


def settings(home: Path) -> Settings:
    port, ui_port, http_port = free_ports(3)
    return Settings(
        home=home,
        http_port=http_port,
        temporal_port=port,
        temporal_ui_port=ui_port,
        durable=False,
        doors=False,
    )


@asynccontextmanager
async def running(own: Settings) -> AsyncIterator[tuple[Desk, list[tuple[str, str, str]]]]:
    """The desk as `yinuo up` has it, and what it told on its way."""

    async def first_roster(pool: Pool, _: object) -> None:
        async with pool.acquire() as connection, connection.transaction():
            if await roster.is_empty(connection):
                await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))

    told: list[tuple[str, str, str]] = []
    tell = lambda *said: told.append(said)  # noqa: E731
    async with up.desk(own, progress=tell, after_migrations=first_roster) as it:
        yield Desk(it.client, it.pool), told


def an_intake_of_now() -> Intake:
    now = datetime.now(UTC)
    return an_intake(reference=uuid4().hex, region="上海", occurred_at=None, reported_at=now)


async def accept(desk: Desk, seen: IssueView) -> IssueView:
    assert seen.engineer
    act = Accept(by=Actor(id=seen.engineer.id, role=Role.ENGINEER))
    return await desk.act(seen.number, ActionName.ACCEPT, act)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk") / "home"


@pytest.fixture(scope="module")
async def made(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, IssueView]:
    """A backup that was made at work, with an issue in it that has a photograph; the desk is down
    by now.
    """
    to = tmp_path_factory.mktemp("backups") / "desk.tar.gz"
    own = settings(home)
    async with running(own) as (desk, _):
        seen = await accept(desk, await desk.open(an_intake_of_now()))
        await Attachments(desk._pool, contents(own)).add(seen.id, "a.jpg", PHOTO, LEAD, "api")
        async with desk._pool.acquire() as connection:
            wanted = NewEndpoint(url="http://127.0.0.1:9/")
            await webhooks.add(connection, wanted, "3f9a01c2", "sealed", datetime.now(UTC))
        await back_up(own, to)
    return to, seen


async def test_a_desk_at_work_goes_into_one_file_that_only_its_owner_reads(
    made: tuple[Path, IssueView], home: Path
) -> None:
    to, _ = made
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert sorted(path.name for path in to.parent.iterdir()) == [to.name]
    manifest = archive.read(to)
    assert (manifest.issues, manifest.attachments, set(manifest.files)) == (
        *(1, 1),
        {"temporal.db", "postgres.tar"} | ({"secret"} if (home / "secret").exists() else set()),
    )
    assert manifest.register_epoch
    assert manifest.register_epoch == manifest.temporal_epoch
    with tarfile.open(to) as tar:
        assert {member.mode for member in tar} == {0o600}


async def test_a_desk_restored_elsewhere_goes_on_where_the_backup_was_made(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    to, seen = made
    own = settings(tmp_path / "home")
    _, aside = await restore(own, to)
    assert aside is None
    assert not [path for path in own.home.iterdir() if path.name.startswith("restore")]
    async with running(own) as (desk, told):
        assert ("register", "ready") in [line[:2] for line in told]
        kept = await desk.show(seen.number)
        assert (kept.stage, kept.engineer) == (seen.stage, seen.engineer)
        assert kept.engineer
        # Its workflow lives, and no number that may have been given out since comes again.
        by = Actor(id=kept.engineer.id, role=Role.ENGINEER)
        done = await desk.act(seen.number, ActionName.RESOLVE, Resolve(by=by, result="reset"))
        assert done.stage == "resolved"
        assert (await desk.open(an_intake_of_now())).number.endswith("-10001")
        at = Attachments(desk._pool, contents(own))
        [photo] = await at.of(seen.id)
        assert b"".join([piece async for piece in await at.content(photo)]) == PHOTO
    if (own.home / "secret").exists():
        assert stat.S_IMODE((own.home / "secret").stat().st_mode) == 0o600


async def test_a_register_restored_alone_is_held_and_a_temporal_restored_alone_is_told(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    to, seen = made
    own = settings(tmp_path / "home")
    await restore(own, to)
    async with running(own) as (desk, _):
        later = await desk.open(an_intake_of_now())
    before = tmp_path / "home" / "postgres"
    assert before.exists()
    await restore(own, to, only=Side.POSTGRESQL, force=True, mute=True)
    async with running(own) as (desk, told):
        urls = {row["url"] for row in await desk._pool.fetch("SELECT url FROM channels")}
        assert urls == {"json://127.0.0.1:9/{to}"}
        (receiver,) = await webhooks.listed(desk._pool)
        assert receiver.endpoint.state is State.OFF
        ((_, _, why),) = [line for line in told if line[1] == "HELD"]
        assert "run `yinuo repair`" in why
        assert (await desk.show(seen.number)).number == seen.number
        assert await standing.held_because(desk._pool) == why
        assert await Lives(desk.client).describe(later.id) is not None
    (aside,) = own.home.glob("before-restore-*")
    assert (aside / "postgres").exists()
    shutil.rmtree(own.home / "postgres")
    (aside / "postgres").rename(own.home / "postgres")
    await restore(own, to, only=Side.TEMPORAL, force=True)
    async with running(own) as (desk, told):
        assert ("Temporal", "BEHIND") in [line[:2] for line in told]
        assert (await desk.show(later.number)).number == later.number
        assert await standing.held_because(desk._pool) is None


async def test_what_happens_between_the_copies_is_kept_and_holds_nothing_when_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register is copied last, so it is never the older side."""
    own, to = settings(tmp_path / "home"), tmp_path / "desk.tar.gz"
    between: list[IssueView] = []
    copies = 0
    of_temporal, of_register = making._copy_temporal, making._copy_register
    async with running(own) as (desk, _):
        loop = asyncio.get_running_loop()

        async def before_the_second() -> None:
            nonlocal copies
            copies += 1
            if copies == 2:
                between.append(await desk.open(an_intake_of_now()))

        def temporal_copied(source: Path, target: Path) -> None:
            asyncio.run_coroutine_threadsafe(before_the_second(), loop).result()
            of_temporal(source, target)

        async def register_copied(server: EmbeddedPostgres, target: Path) -> None:
            await before_the_second()
            await of_register(server, target)

        monkeypatch.setattr(making, "_copy_temporal", temporal_copied)
        monkeypatch.setattr(making, "_copy_register", register_copied)
        await back_up(own, to)
    other = settings(tmp_path / "other")
    await restore(other, to)
    async with running(other) as (desk, told):
        assert ("register", "ready") in [line[:2] for line in told]
        assert (await desk.show(between[0].number)).reference == between[0].reference


async def test_a_desk_at_rest_can_be_backed_up_too_and_no_file_is_overwritten(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    own = settings(tmp_path / "home")
    await restore(own, made[0])
    to = tmp_path / "again.tar.gz"
    manifest = await back_up(own, to)
    assert (manifest.issues, manifest.temporal_epoch) == (1, None)
    content = to.read_bytes()
    with pytest.raises(SetupError, match="exists: name another"):
        await back_up(own, to)
    assert to.read_bytes() == content
    assert (await check(own, to)).issues == 1
    assert not list(own.home.glob("restore*"))


async def test_an_attachment_whose_content_is_damaged_or_gone_keeps_nobody_from_backing_up(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    own, told = settings(tmp_path / "home"), list[str]()
    await restore(own, made[0], tell=told.append)
    assert not told
    [photo] = (own.home / "attachments").glob("??/*")
    photo.write_bytes(b"damaged")
    (photo.parent / "0123456789abcdef.part").write_bytes(b"half")
    to = tmp_path / "again.tar.gz"
    assert (await back_up(own, to)).attachments == 1
    with tarfile.open(to) as tar:
        assert not [name for name in tar.getnames() if name.startswith("attachments")]
    other = settings(tmp_path / "other")
    assert (await check(other, to, told.append)).issues == 1
    await restore(other, to, tell=told.append)
    assert [each.partition(":")[0] for each in told] == ["1 attachments lack their content"] * 2
    assert list((other.home / "attachments").iterdir()) == []


async def test_contents_in_a_bucket_are_no_part_of_a_backup(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    own, told = settings(tmp_path / "home"), list[str]()
    await restore(own, made[0])
    elsewhere = own.model_copy(update={"attachments": "s3://desk"})
    to = tmp_path / "again.tar.gz"
    assert (await back_up(elsewhere, to)).attachments is None
    with tarfile.open(to) as tar:
        assert not [name for name in tar.getnames() if name.startswith("attachments")]
    await check(own, to, told.append)
    assert not told


async def test_a_desk_that_is_there_is_moved_aside_if_told_and_never_touched_if_not(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    own = settings(tmp_path / "home")
    await restore(own, made[0])
    (own.home / "postgres" / "mine").write_text("kept")
    (own.home / "temporal.db-wal").write_text("of the old one")
    with pytest.raises(SetupError, match="--force"):
        await restore(own, made[0])
    assert (own.home / "postgres" / "mine").exists()
    (own.home / "attachments" / "mine").write_text("kept")
    _, aside = await restore(own, made[0], force=True)
    assert aside
    assert (aside / "postgres" / "mine").read_text() == "kept"
    assert (aside / "attachments" / "mine").read_text() == "kept"
    assert (aside / "temporal.db-wal").exists()
    assert not (own.home / "temporal.db-wal").exists()
    assert not (own.home / "postgres" / "mine").exists()


async def test_a_running_desk_is_not_restored_however_one_insists(
    made: tuple[Path, IssueView], tmp_path: Path
) -> None:
    own = settings(tmp_path / "home")
    await restore(own, made[0])
    lock = Lock(own.home / "postgres", "PostgreSQL's data")
    await lock.acquire()
    try:
        with pytest.raises(SetupError, match="in use by process"):
            await restore(own, made[0], force=True)
    finally:
        lock.release()
    assert not list(own.home.glob("before-restore-*"))


@pytest.mark.parametrize("cut_off_at", range(8))
async def test_a_restore_that_is_cut_off_is_carried_through_by_whoever_starts_next(
    tmp_path: Path, cut_off_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every rename: before the first it is the old desk, after it the new one."""
    home, ready = tmp_path, tmp_path / "restore.new"
    for directory, said in ((home, "old"), (ready, "new")):
        (directory / "postgres").mkdir(parents=True)
        (directory / "postgres" / "data").write_text(said)
        (directory / "temporal.db").write_text(said)
        (directory / "secret").write_text(said)
    (home / "temporal.db-wal").write_text("old")
    real, renamed = Path.rename, [0]

    def rename(path: Path, target: Path) -> Path:
        if renamed[0] == cut_off_at:
            raise KeyboardInterrupt
        renamed[0] += 1
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            restored.put_in_place(home, ready, "before")
    assert await restored.finish(home) == (cut_off_at > 0)
    now = "new" if cut_off_at else "old"
    for name in ("postgres/data", "temporal.db", "secret"):
        assert (home / name).read_text() == now
        if cut_off_at:
            assert (home / "before" / name).read_text() == "old"
    assert (home / "temporal.db-wal").exists() == (not cut_off_at)
    assert not await restored.finish(home)


def damaged(to: Path, how: str, tmp_path: Path) -> Path:
    """A copy of a backup with something wrong about it."""
    content = to.read_bytes()
    other = tmp_path / "damaged.tar.gz"
    if how == "cut off":
        other.write_bytes(content[: len(content) // 2])
    elif how == "none":
        other.write_bytes(b"not a backup")
    elif how == "a byte":
        middle = len(content) // 2
        other.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        _rewrite(to, other, how)
    return other


def _rewrite(to: Path, other: Path, how: str) -> None:
    with tarfile.open(to) as old, tarfile.open(other, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content
            if member.name == "temporal.db" and how == "lacking":
                continue
            if member.name == "secret" and how == "replaced":
                member.name = "../secret"
            if member.name == "manifest.json" and how == "newer":
                said = json.loads(content.read()) | {"format": 2}
                archive._add(new, member.name, json.dumps(said).encode())
                continue
            if how == "swapped" and member.name.startswith("attachments/"):
                archive._add(new, member.name, b"another photograph")
                continue
            new.addfile(member, content)
            if how in _MORE and member.name == "manifest.json":
                archive._add(new, _MORE[how], b"of something")


_MORE = {
    "more": "more",
    "climbs": f"attachments/../{'0' * 62}",
    "deep": f"attachments/00/00/{'0' * 60}",
}


@pytest.mark.parametrize(
    "how", ["cut off", "none", "a byte", "lacking", "newer", "swapped", *_MORE]
)
async def test_what_is_no_whole_backup_is_refused_and_touches_nothing(
    made: tuple[Path, IssueView], tmp_path: Path, how: str
) -> None:
    own = settings(tmp_path / "home")
    wrong = damaged(made[0], how, tmp_path)
    for call in (check(own, wrong), restore(own, wrong)):
        with pytest.raises(InputError, match=r"damaged\.tar\.gz"):
            await call
    assert [path.name for path in own.home.iterdir() if path.suffix not in {".lock", ".open"}] == []


async def test_given_servers_are_not_ours_to_back_up(tmp_path: Path) -> None:
    own = settings(tmp_path).model_copy(update={"database_url": "postgresql://elsewhere/desk"})
    for call in (back_up(own, tmp_path / "b"), restore(own, tmp_path / "b")):
        with pytest.raises(SetupError, match=r"DATABASE_URL .*docs/backup\.md"):
            await call


async def test_a_register_restored_by_its_own_servers_means_goes_on_in_another_ten_thousand(
    database: Pool, postgres_url: str
) -> None:
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "restored"),
        env={**os.environ, "DATABASE_URL": postgres_url},
        cwd=ROOT,
    )
    assert await ran.wait() == 0
    async with database.acquire() as connection:
        today = datetime.now(UTC).date()
        assert (await issue_writer.next_number(connection, today, "07")).endswith("-07-10001")
        with pytest.raises(standing.Unproved):
            await standing.require(connection)


def test_the_commands_say_what_they_did_and_that_it_is_private(
    made: tuple[Path, IssueView], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YINUO_HOME", str(tmp_path / "home"))
    ran = run_yinuo("restore", str(made[0]))
    assert (ran.code, ran.out) == (0, "")
    assert "1 issues" in ran.err
    assert "Start it with `yinuo up`" in ran.err
    ran = run_yinuo("restore", str(made[0]))
    assert ran.code == 1
    assert "--force" in ran.err
    ran = run_yinuo("backup", "--out", str(tmp_path / "b.tar.gz"))
    assert (ran.code, ran.out.strip()) == (0, str(tmp_path / "b.tar.gz"))
    assert "customer data" in ran.err
    ran = run_yinuo("restore", "--check", str(tmp_path / "b.tar.gz"), "--json")
    assert (ran.code, ran.json["issues"]) == (0, 1)
    ran = run_yinuo("restore", "--force", "--only", "both", str(tmp_path / "b.tar.gz"))
    assert ran.code == 2
    assert "postgresql, temporal" in ran.err

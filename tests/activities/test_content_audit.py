"""What a row speaks of is there and is what it was; what no row speaks of goes, not too soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.content_audit import GRACE, ContentAudit
from activities.deep_audit import DeepAudit
from domain.attachments import Attachment, Standing
from domain.findings import EVERY, FindingKind
from domain.vocabulary import Actor, Role
from runtime.contents.content import SHARDS, Lying, take_in
from runtime.contents.folder import Folder
from starter.attachments import Attachments
from store import attachments
from store.connection import Pool
from tests.store.test_quality import STANDARD, adopt, an_issue

NOW = datetime.now(UTC)
LATER = NOW + 2 * GRACE  # however long the tests take
BY = Actor(id="web", role=Role.INTAKE)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "attachments")


@pytest.fixture
def audit(database: Pool, folder: Folder) -> ContentAudit:
    return ContentAudit(database, folder)


async def attached(
    database: Pool, folder: Folder, text: str, issue: str = "issue:web:1"
) -> Attachment:
    at = Attachments(database, folder)
    return await at.add(issue, f"{text}.txt", text.encode(), BY, "api")


def place(folder: Folder, one: Attachment) -> Path:
    return folder.path / one.digest[:2] / one.digest[2:]


async def lying(folder: Folder) -> set[str]:
    return {each.name for shard in SHARDS for each in await folder.lying(shard)}


def time_of(one: Attachment) -> datetime:
    """When an audit reads the part of the contents that this one is of."""
    turn = int(one.digest[:2], 16)
    first = int(NOW.timestamp() / EVERY.total_seconds())
    return NOW + EVERY * ((turn - first) % len(SHARDS))


async def test_contents_that_are_what_they_were_are_no_finding(
    database: Pool, folder: Folder, audit: ContentAudit
) -> None:
    one = await attached(database, folder, "a")
    await attached(database, folder, "a", "issue:web:2")
    assert await audit.look(NOW, everything=True) == []
    assert await audit.look(time_of(one)) == []
    assert await audit.tidy(LATER) == 0
    assert await lying(folder) == {f"{one.digest[:2]}/{one.digest[2:]}"}


async def test_one_that_is_gone_or_of_another_size_is_found_at_once(
    database: Pool, folder: Folder, audit: ContentAudit
) -> None:
    await adopt(database, STANDARD)
    number = "20261123-07-0001"
    id_ = await an_issue(database, number)
    gone = await attached(database, folder, "gone", id_)
    cut = await attached(database, folder, "cut", "issue:web:2")
    place(folder, gone).unlink()
    place(folder, cut).write_bytes(b"c")
    found = {each.about: each for each in await audit.look(NOW)}
    assert found.keys() == {gone.id, cut.id}
    assert {each.kind for each in found.values()} == {FindingKind.CONTENT_BROKEN}
    assert (found[gone.id].issue_id, found[gone.id].number) == (id_, number)
    assert found[gone.id].seen.endswith("is not there")
    assert found[cut.id].seen.endswith("has 1 bytes, not 3")
    assert [each.about for each in await audit.look(NOW, [id_])] == [gone.id]


async def test_one_that_has_changed_is_found_when_its_turn_comes_or_somebody_asks(
    database: Pool, folder: Folder, audit: ContentAudit
) -> None:
    one = await attached(database, folder, "right")
    place(folder, one).write_bytes(b"wrong")
    turn = time_of(one)
    assert await audit.look(turn + EVERY) == []
    for found in (await audit.look(turn), await audit.look(NOW, everything=True)):
        assert [each.seen for each in found] == [
            f"attachment {one.id}: its content is not what it was"
        ]
    await attached(database, folder, "right")
    assert await audit.look(turn) == []


async def test_what_no_row_speaks_of_is_removed_when_it_has_lain_long_enough(
    database: Pool, folder: Folder, audit: ContentAudit
) -> None:
    kept = await attached(database, folder, "kept")

    async def orphan() -> AsyncIterator[bytes]:
        yield b"orphan"

    with await take_in(folder.room, orphan(), 100) as came:
        await folder.keep(came)
    (folder.path / came.digest[:2] / "0123456789abcdef.part").write_bytes(b"half")
    assert await audit.tidy(NOW) == 0
    assert len(await lying(folder)) == 3
    assert await audit.tidy(LATER) == 2
    assert await lying(folder) == {f"{kept.digest[:2]}/{kept.digest[2:]}"}


async def test_what_is_attached_in_that_moment_stays(
    database: Pool, folder: Folder, audit: ContentAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the rows and the removal somebody attaches it again."""
    one = await attached(database, folder, "again")
    await database.execute("DELETE FROM attachments")
    removed = ContentAudit._removed

    async def attached_before(self: ContentAudit, each: Lying) -> bool:
        await attached(database, folder, "again")
        return await removed(self, each)

    monkeypatch.setattr(ContentAudit, "_removed", attached_before)
    assert await audit.tidy(LATER) == 0
    assert place(folder, one).read_bytes() == b"again"


async def test_a_row_that_goes_while_it_is_looked_for_is_no_finding(
    database: Pool, folder: Folder, audit: ContentAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await attached(database, folder, "going")
    place(folder, one).unlink()
    size = Folder.size

    async def forgotten_meanwhile(self: Folder, digest: str) -> int | None:
        await database.execute("DELETE FROM attachments")
        return await size(self, digest)

    monkeypatch.setattr(Folder, "size", forgotten_meanwhile)
    assert await audit.look(NOW) == []


async def test_where_contents_are_kept_being_away_is_a_finding_and_nothing_is_removed(
    database: Pool, folder: Folder, audit: ContentAudit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await attached(database, folder, "a")

    async def away(_: Folder, __: str) -> list[Lying]:
        raise OSError("no route to the bucket")

    monkeypatch.setattr(Folder, "lying", away)
    [found] = await audit.look(NOW)
    assert (found.kind, found.seen) == (FindingKind.CONTENTS_AWAY, "no route to the bucket")
    assert await audit.tidy(LATER) == 0


async def test_attachments_are_kept_for_a_while_after_their_issue_is_closed(
    database: Pool, folder: Folder
) -> None:
    await adopt(database, STANDARD)
    year = timedelta(days=365)
    long_ago, just_now = NOW - year - timedelta(days=1), NOW - timedelta(days=1)
    ids = {
        "open": await an_issue(database, "20261123-07-0001"),
        "closed lately": await an_issue(database, "20261123-07-0002", closed_at=just_now),
        "closed long ago": await an_issue(database, "20261123-07-0003", closed_at=long_ago),
        "never registered": "issue:web:nowhere",
    }
    for name, id_ in ids.items():
        await attached(database, folder, name, id_)
    await database.execute("UPDATE attachments SET at = $1", long_ago)
    late = await attached(database, folder, "came late", ids["closed long ago"])

    audit = DeepAudit(database, clock=lambda: LATER, contents=ContentAudit(database, folder))
    await audit.forget()
    left = {row["name"] for row in await database.fetch("SELECT name FROM attachments")}
    assert left == {"open.txt", "closed lately.txt", late.name}
    assert len(await lying(folder)) == 3


async def test_while_the_register_is_held_no_content_is_removed(
    database: Pool, folder: Folder
) -> None:
    await attached(database, folder, "of a row that a repair may bring back")
    await database.execute("DELETE FROM attachments")

    async def held(_: Pool) -> str | None:
        return "the register is older than Temporal"

    audit = DeepAudit(database, lambda: LATER, held, ContentAudit(database, folder))
    await audit.forget()
    assert len(await lying(folder)) == 1


async def test_what_was_removed_is_missed_by_nobody(
    database: Pool, folder: Folder, audit: ContentAudit
) -> None:
    one = await attached(database, folder, "malware")
    await attachments.stands(database, one.id, Standing.REMOVED)
    assert await audit.tidy(LATER) == 1
    assert await audit.look(NOW, everything=True) == []
    assert await audit.look(NOW, [one.issue_id]) == []

"""Attaching files: once, whole, within the policy's limits, and never a row without its content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from domain.attachments import Attachment, Limits, NotTaken, ShownTo, Standing
from domain.errors import Refused
from domain.vocabulary import Actor, Role
from runtime.contents.content import SHARDS, Staged
from runtime.contents.folder import Folder
from runtime.pictures import shared
from runtime.scanner import Clamd
from starter.answering import Unavailable
from starter.attachments import Attachments
from starter.examining import Examiner
from store import attachments
from store.connection import Pool
from tests.store.test_quality import STANDARD, adopt
from tests.support.hostile_files import picture

ISSUE = "issue:web:1"
BY = Actor(id="web", role=Role.INTAKE)
PHOTO = picture()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "attachments")


@pytest.fixture
def at(database: Pool, folder: Folder) -> Attachments:
    return Attachments(database, folder)


async def attach(
    at: Attachments, content: bytes = PHOTO, name: str = "a.jpg", issue: str = ISSUE
) -> Attachment:
    return await at.add(issue, name, content, BY, "api", ShownTo.CUSTOMER)


async def lying(folder: Folder) -> list[str]:
    return [each.name for shard in SHARDS for each in await folder.lying(shard)]


async def given(at: Attachments, one: Attachment) -> bytes:
    return b"".join([piece async for piece in await at.content(one)])


async def test_a_file_is_attached_with_what_it_is_and_who_did_it(at: Attachments) -> None:
    began = datetime.now(UTC)
    one = await attach(at, name="../卡钞.jpg")
    assert (one.name, one.kind, one.size) == ("卡钞.jpg", "image/jpeg", len(PHOTO))
    assert (one.actor, one.role, one.door) == ("web", Role.INTAKE, "api")
    assert (one.shown_to, one.standing) == (ShownTo.CUSTOMER, Standing.SERVED)
    assert one.digest == sha256(PHOTO).hexdigest()
    assert began <= one.at <= datetime.now(UTC)
    assert await at.of(ISSUE) == [await at.find(one.id)] == [one]
    assert await given(at, one) == PHOTO


async def test_the_same_under_the_same_name_is_attached_once_also_at_once(
    at: Attachments, folder: Folder
) -> None:
    same = await asyncio.gather(*(attach(at) for _ in range(4)))
    assert len({each.id for each in same}) == 1
    other_name, other_issue = await attach(at, name="b.jpg"), await attach(at, issue="issue:web:2")
    assert len({same[0].id, other_name.id, other_issue.id}) == 3
    assert len(await lying(folder)) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"MZ\x90\x00", "kind"), (PHOTO + bytes(20 * 1024**2), "too_large")],
)
async def test_what_is_not_taken_leaves_nothing(
    at: Attachments, folder: Folder, content: bytes, why: str
) -> None:
    with pytest.raises(NotTaken) as refused:
        await attach(at, content)
    assert refused.value.why == why
    assert not await at.of(ISSUE)
    assert not await lying(folder)


async def test_no_more_are_attached_than_the_policy_allows_however_many_come_at_once(
    at: Attachments, database: Pool
) -> None:
    policy = STANDARD.policy.model_copy(update={"attachments": Limits(per_issue=3)})
    await adopt(database, STANDARD.model_copy(update={"policy": policy}))
    came = await asyncio.gather(
        *(attach(at, PHOTO + b"%d" % each) for each in range(6)), return_exceptions=True
    )
    refused = [each for each in came if isinstance(each, NotTaken)]
    assert [each.why for each in refused] == ["too_many"] * 3
    assert len(await at.of(ISSUE)) == 3


async def test_the_content_is_there_before_the_row_is(
    at: Attachments, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: Folder, __: Staged) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "keep", full)
        with pytest.raises(Unavailable, match="No space left"):
            await attach(at)
    assert not await at.of(ISSUE)
    assert (await attach(at)).standing is Standing.SERVED


async def test_what_an_audit_removes_while_it_is_attached_again_is_kept_again(
    at: Attachments, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, times = Folder.keep, 0

    async def removed_at_once(self: Folder, staged: Staged) -> None:
        nonlocal times
        times += 1
        await kept(self, staged)
        if times == 1:
            [name] = await lying(folder)
            await folder.remove(name)

    monkeypatch.setattr(Folder, "keep", removed_at_once)
    assert await given(at, await attach(at)) == PHOTO
    assert times == 2


async def test_while_something_is_attached_nobody_else_removes_its_content(
    at: Attachments, database: Pool
) -> None:
    digest = sha256(PHOTO).hexdigest()
    async with database.acquire() as removing, removing.transaction():
        await attachments.hold(removing, digest, alone=True)
        attaching = asyncio.create_task(attach(at))
        while not await database.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ):
            assert not attaching.done()
        assert not await at.of(ISSUE)
    assert (await attaching).digest == digest


async def test_what_breaks_off_leaves_nothing(at: Attachments, folder: Folder) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PHOTO
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await at.add(ISSUE, "a.jpg", broken(), BY, "api")
    assert not await at.of(ISSUE)
    assert not await lying(folder)


async def test_what_waits_for_the_scanner_is_given_to_nobody(
    database: Pool, folder: Folder
) -> None:
    at = Attachments(database, folder, Examiner(shared(), Clamd(path="/nowhere")))
    waits = await attach(at)
    with pytest.raises(Refused, match="waits for the scanner"):
        await at.content(waits)
    assert await attachments.waiting(database, 10) == [waits]
    await attachments.stands(database, waits.id, Standing.REMOVED)
    with pytest.raises(Refused, match="was removed"):
        await at.content(await at.find(waits.id))
    await attachments.stands(database, waits.id, Standing.SERVED)
    assert await given(at, await at.find(waits.id)) == PHOTO


async def test_a_content_that_is_lost_is_said_to_be(at: Attachments, folder: Folder) -> None:
    one = await attach(at)
    [name] = await lying(folder)
    await folder.remove(name)
    with pytest.raises(Refused, match="is lost"):
        await at.content(one)
    with pytest.raises(Refused, match="there is no attachment"):
        await at.find("0" * 32)

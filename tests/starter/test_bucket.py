"""Contents in a bucket, at a server that speaks S3: moto's, of AWS's own answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from activities.content_audit import GRACE, ContentAudit
from domain.findings import FindingKind
from domain.vocabulary import Actor, Role
from runtime.contents.bucket import Bucket
from runtime.contents.content import ContentGone, take_in
from runtime.contents.opening import contents
from runtime.embedded.ports import free_ports
from runtime.settings import Settings
from starter.answering import Unavailable
from starter.attachments import Attachments
from store.connection import Pool
from tests.support.hostile_files import picture
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.usefixtures("servers")

BY = Actor(id="web", role=Role.INTAKE)
LARGE = picture() + bytes(range(251)) * 48_000
"""Twelve megabytes: it goes in several parts."""


@pytest.fixture(scope="module")
async def endpoint() -> AsyncIterator[str]:
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nothing, stderr=nothing)
    address = f"http://127.0.0.1:{port}"
    async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(trust_env=False) as knocking:
        while True:
            with suppress(httpx2.HTTPError):
                await knocking.get(address)
                break
            await asyncio.sleep(0.05)
    yield address
    process.kill()
    await process.wait()


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "of the tests")
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
async def bucket(
    endpoint: str, key: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bucket:
    name = f"desk-{uuid4().hex}"
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.put(f"{endpoint}/{name}")).is_success
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    made = contents(Settings(home=tmp_path, attachments=f"s3://{name}/files/"))
    assert isinstance(made, Bucket)
    return made


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def keep(bucket: Bucket, content: bytes) -> str:
    with await take_in(bucket.room, pieces(content), len(content)) as came:
        await bucket.keep(came)
        return came.digest


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "in parts"])
async def test_a_content_is_given_back_byte_for_byte_and_lies_once(
    bucket: Bucket, content: bytes
) -> None:
    digest = sha256(content).hexdigest()
    assert [await keep(bucket, content) for _ in range(2)] == [digest] * 2
    assert b"".join([piece async for piece in await bucket.read(digest)]) == content
    assert await bucket.size(digest) == len(content)
    [lying] = await bucket.lying(digest[:2])
    assert (lying.digest, lying.size) == (digest, len(content))
    assert lying.changed_at.tzinfo


async def test_what_is_not_there_is_said_to_be_gone(bucket: Bucket) -> None:
    digest = sha256(b"nothing").hexdigest()
    assert await bucket.size(digest) is None
    assert await bucket.lying(digest[:2]) == []
    with pytest.raises(ContentGone):
        await bucket.read(digest)
    await bucket.remove(f"{digest[:2]}/{digest[2:]}")


async def test_attachments_are_kept_there_and_audited_there(bucket: Bucket, database: Pool) -> None:
    at, audit = Attachments(database, bucket), ContentAudit(database, bucket)
    one = await at.add("issue:web:1", "a.jpg", LARGE, BY, "api")
    assert b"".join([piece async for piece in await at.content(one)]) == LARGE
    orphan = await keep(bucket, b"of no row")
    later = one.at + 2 * GRACE
    assert await audit.tidy(one.at + timedelta(minutes=1)) == 0
    assert await audit.tidy(later) == 1
    assert await bucket.size(orphan) is None
    assert await audit.look(later, everything=True) == []
    await bucket.remove(f"{one.digest[:2]}/{one.digest[2:]}")
    [found] = await audit.look(later)
    assert (found.kind, found.about) == (FindingKind.CONTENT_BROKEN, one.id)


async def test_while_the_s3_is_away_nothing_is_half_made_and_it_is_said_which_one(
    key: None, database: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    bucket = contents(Settings(home=tmp_path, attachments="s3://desk"))
    at = Attachments(database, bucket)
    with pytest.raises(Unavailable, match="YINUO_ATTACHMENTS"):
        await at.add("issue:web:1", "a.txt", b"words", BY, "api")
    assert await at.of("issue:web:1") == []
    [found] = await ContentAudit(database, bucket).look(datetime.now(UTC))
    assert found.kind is FindingKind.CONTENTS_AWAY

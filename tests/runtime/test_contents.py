"""Contents are kept once, whole, and under what they are."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from runtime.contents.content import CHUNK, ContentGone, TooLarge, take_in
from runtime.contents.folder import Folder

CONTENT = bytes(range(251)) * (3 * CHUNK // 251 + 1)
DIGEST = sha256(CONTENT).hexdigest()


async def pieces(content: bytes = CONTENT, size: int = 1000) -> AsyncIterator[bytes]:
    for place in range(0, len(content), size):
        yield content[place : place + size]


async def everything(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def keep(folder: Folder, content: bytes = CONTENT) -> str:
    with await take_in(folder.room, pieces(content), len(content)) as came:
        await folder.keep(came)
        return came.digest


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "attachments")


def files(folder: Folder) -> list[Path]:
    return [path for path in folder.path.rglob("*") if path.is_file()]


async def test_a_content_is_given_back_byte_for_byte_and_lies_once_however_often_it_comes(
    folder: Folder,
) -> None:
    assert [await keep(folder) for _ in range(3)] == [DIGEST] * 3
    assert files(folder) == [folder.path / DIGEST[:2] / DIGEST[2:]]
    assert await everything(await folder.read(DIGEST)) == CONTENT
    assert await folder.size(DIGEST) == len(CONTENT)
    [lying] = await folder.lying(DIGEST[:2])
    assert (lying.digest, lying.size) == (DIGEST, len(CONTENT))


async def test_what_lies_there_is_for_its_owner_alone(folder: Folder) -> None:
    await keep(folder)
    for path in (folder.path, *folder.path.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


async def test_what_is_taken_in_has_no_name_until_it_is_kept(folder: Folder) -> None:
    with await take_in(folder.room, pieces(), len(CONTENT)) as came:
        assert (came.digest, came.size) == (DIGEST, len(CONTENT))
        assert not files(folder)
    assert came.file.closed


async def test_no_more_is_taken_in_than_may_be(folder: Folder) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * CHUNK

    with pytest.raises(TooLarge):
        await take_in(folder.room, endless(), 5 * CHUNK)
    assert asked == 6
    assert not files(folder)


async def test_one_that_was_damaged_is_whole_again_when_it_comes_again(folder: Folder) -> None:
    await keep(folder)
    (folder.path / DIGEST[:2] / DIGEST[2:]).write_bytes(b"damaged")
    await keep(folder)
    assert await everything(await folder.read(DIGEST)) == CONTENT


async def test_what_cannot_be_written_leaves_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        await keep(folder)
    assert not files(folder)


async def test_what_is_not_there_is_said_to_be_gone_before_anything_is_given(
    folder: Folder,
) -> None:
    assert await folder.size(DIGEST) is None
    with pytest.raises(ContentGone):
        await folder.read(DIGEST)
    assert await folder.lying(DIGEST[:2]) == []
    await folder.remove(f"{DIGEST[:2]}/{DIGEST[2:]}")


async def test_what_a_crash_left_of_a_content_is_seen_as_none(folder: Folder) -> None:
    await keep(folder)
    left = folder.path / DIGEST[:2] / "0123456789abcdef.part"
    left.write_bytes(b"half")
    lying = {each.name: each.digest for each in await folder.lying(DIGEST[:2])}
    assert lying == {f"{DIGEST[:2]}/{DIGEST[2:]}": DIGEST, f"{DIGEST[:2]}/{left.name}": None}
    await folder.remove(f"{DIGEST[:2]}/{left.name}")
    assert [each.digest for each in await folder.lying(DIGEST[:2])] == [DIGEST]


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", DIGEST[:-1], DIGEST.upper()])
async def test_nothing_but_a_digest_names_a_content(folder: Folder, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        await folder.read(digest)

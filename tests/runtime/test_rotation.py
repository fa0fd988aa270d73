"""Logs do not grow for ever, and whoever writes to one need not know."""

import asyncio
import os
from pathlib import Path

from runtime import rotation
from runtime.rotation import keep_short, rotate
from tests.support.patience import PATIENCE


def append(log: Path) -> int:
    return os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def test_a_log_is_put_aside_and_whoever_writes_to_it_goes_on_at_its_beginning(
    tmp_path: Path,
) -> None:
    log = tmp_path / "server.log"
    writer = append(log)
    os.write(writer, b"first\n" * 20)
    assert not rotate(log, limit=120)
    os.write(writer, b"one more\n")
    assert rotate(log, limit=120)
    os.write(writer, b"afterwards\n")
    os.close(writer)
    assert (tmp_path / "server.log.1").read_text() == "first\n" * 20 + "one more\n"
    assert log.read_text() == "afterwards\n"


def test_only_so_many_are_kept_the_newest_first(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    writer = append(log)
    for n in range(1, 6):
        os.write(writer, b"%d" % n * 10)
        assert rotate(log, limit=5, kept=2)
    os.close(writer)
    found = {path.name: path.read_text()[0] for path in tmp_path.iterdir() if path != log}
    assert found == {"server.log.1": "5", "server.log.2": "4"}
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_log_that_is_not_there_or_cannot_be_put_aside_is_left_as_it_is(tmp_path: Path) -> None:
    assert not rotate(tmp_path / "none.log")
    log = tmp_path / "server.log"
    log.write_text("long")
    (tmp_path / "server.log.0").mkdir()
    assert not rotate(log, limit=1)
    assert log.read_text() == "long"


async def test_a_log_is_kept_short_while_it_is_watched(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"x" * (rotation.LIMIT + 1))
    watching = asyncio.create_task(keep_short(log))
    async with asyncio.timeout(PATIENCE):
        while not (tmp_path / "server.log.1").exists():
            await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait({watching})
    assert log.stat().st_size == 0

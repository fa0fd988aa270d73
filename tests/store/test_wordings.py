"""The desk's scripts in the register: every version is kept, the one loaded last counts (R40)."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from domain.scripts import Script, Wording
from runtime.wording import OWN, load
from starter import wording as starting
from store.connection import Pool
from store.wordings import Wordings

OURS = load(OWN)


def renamed(phrase: str) -> Wording:
    saying = OURS.scripts[Script.SEARCHING][0].model_copy(update={"zh": phrase})
    return OURS.model_copy(update={"scripts": {**OURS.scripts, Script.SEARCHING: (saying,)}})


async def newest(pool: Pool, known: Wordings) -> Wording | None:
    async with pool.acquire() as connection:
        return await known.newest(connection)


async def test_the_scripts_loaded_last_count_for_whoever_asks(database: Pool) -> None:
    known = Wordings()
    assert await newest(database, known) is None
    for wording in (OURS, renamed("请稍候。"), OURS):
        assert await starting.load(database, wording, "why")
        assert await newest(database, known) == await newest(database, Wordings()) == wording
    assert await starting.load(database, OURS, "why") is None
    assert await database.fetchval("SELECT count(*) FROM wordings") == 3


async def test_what_was_loaded_is_never_changed(database: Pool) -> None:
    await starting.load(database, OURS, "why")
    with pytest.raises(asyncpg.PostgresError):
        await database.execute("UPDATE wordings SET version = 'another'")


async def test_a_changed_file_is_loaded_at_the_start_and_else_what_was_loaded_since_stands(
    database: Pool, tmp_path: Path
) -> None:
    policy, file = tmp_path / "policy.toml", tmp_path / "wording.toml"
    assert (await starting.at_start(database, policy)).startswith("wording.toml, version ")
    by_hand = renamed("请稍候。")
    await starting.load(database, by_hand, "by hand")
    assert await starting.at_start(database, policy) == "as loaded before"
    assert await newest(database, Wordings()) == by_hand
    text = OWN.read_text(encoding="utf-8").replace("请您稍等", "麻烦您稍等")
    file.write_text(text, encoding="utf-8")
    assert (await starting.at_start(database, policy)).startswith("wording.toml, version ")
    assert await newest(database, Wordings()) == load(file)

"""The register in which issues are looked for by the benchmark is one in which they are found."""

from __future__ import annotations

import random

import asyncpg
import pytest

from benchmarks.finding.__main__ import QUESTIONS
from benchmarks.finding.register import Made, make
from runtime.embedded.servers import ADMINISTRATOR, EmbeddedPostgres
from store import finding, issue_words
from store.connection import Pool
from store.finding import Searcher


@pytest.fixture
async def known(database: Pool, postgres_server: EmbeddedPostgres) -> list[Made]:
    name = await database.fetchval("SELECT current_database()")
    connection = await asyncpg.connect(postgres_server.url_of(name, ADMINISTRATOR))
    made = list(await make(connection, 300))
    await connection.close()
    return made


async def test_every_kind_of_question_finds_what_is_there(
    database: Pool, known: list[Made]
) -> None:
    assert await issue_words.behind(database) == 0
    drawn = random.Random(7)  # noqa: S311  no secret
    for name, ask in QUESTIONS.items():
        for made in known:
            asked = ask(drawn, made)
            found = await finding.find(database, Searcher.operator(), asked.typed, 300)
            numbers = {each.number for each in found.found}
            assert asked.number is None or asked.number in numbers, f"{name}: {asked.typed}"
            assert not found.short
    nothing = await finding.find(database, Searcher.operator(), "麒麟凤凰")
    assert nothing.found == ()

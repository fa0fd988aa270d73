"""Activities on a register of their own, with the example roster and the standard policy."""

from __future__ import annotations

import pytest

from activities.recording import Recording
from inbound.files.roster import read_roster
from runtime import rulebook
from runtime.settings import ROOT
from store import roster, rulebooks
from store.connection import Pool
from tests.support.builders import LINKS


@pytest.fixture
async def recording(database: Pool) -> Recording:
    current = rulebook.load(ROOT / "policies" / "standard.toml")
    async with database.acquire() as connection, connection.transaction():
        await roster.replace(connection, read_roster(ROOT / "examples" / "roster"))
        await rulebooks.adopt(connection, current, by="test", note="")
    return Recording(database, LINKS)

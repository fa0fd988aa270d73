"""The register's tables stay what they are, whatever becomes of the code around them."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.frozen.subjects import tables
from tests.frozen.write import difference


async def test_the_tables_are_what_was_frozen(owner: asyncpg.Connection[Any]) -> None:
    if different := difference("tables", await tables(owner.fetch)):
        pytest.fail(different, pytrace=False)

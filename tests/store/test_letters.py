"""Letters as they came: kept once, given back byte for byte, forgotten by the policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.deep_audit import DeepAudit
from domain.sla.policy import Letters
from store import letters
from store.connection import Pool
from tests.store.test_quality import STANDARD, adopt

AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
RAW = bytes(range(256)) * 40


async def test_a_letter_is_given_back_byte_for_byte(database: Pool) -> None:
    id_ = await letters.keep(database, "issue:mail:1", RAW, AT)
    assert await letters.read(database, "issue:mail:1", id_) == RAW
    assert await letters.read(database, "issue:mail:2", id_) is None
    packed = await database.fetchval("SELECT length(packed) FROM letters")
    assert packed < len(RAW)


async def test_the_same_letter_is_kept_once_and_another_beside_it(database: Pool) -> None:
    same = [await letters.keep(database, "issue:mail:1", RAW, AT + n * _HOUR) for n in range(2)]
    other = await letters.keep(database, "issue:mail:1", b"another", AT + _HOUR)
    kept = await letters.of_issue(database, "issue:mail:1")
    assert [(each.id, each.size, each.received_at) for each in kept] == [
        (same[0], len(RAW), AT),
        (other, 7, AT + _HOUR),
    ]
    assert same[0] == same[1]


async def test_a_letter_is_kept_as_long_as_the_policy_says_that_counts_now(database: Pool) -> None:
    for days in (364, 366):
        await letters.keep(database, "issue:mail:1", b"%d" % days, AT - timedelta(days=days))
    audit = DeepAudit(database, clock=lambda: AT)
    await audit.forget()  # without a policy nothing is thrown away
    assert len(await letters.of_issue(database, "issue:mail:1")) == 2
    await adopt(database, STANDARD)
    await audit.forget()
    [left] = await letters.of_issue(database, "issue:mail:1")
    assert await letters.read(database, "issue:mail:1", left.id) == b"364"


def test_a_policy_keeps_letters_for_a_time_and_not_for_working_days() -> None:
    assert Letters.model_validate({"keep": "30d"}).model_dump(mode="json")["keep"] == "30d"
    with pytest.raises(ValueError, match="365d"):
        Letters.model_validate({"keep": "3 working days"})


_HOUR = timedelta(hours=1)

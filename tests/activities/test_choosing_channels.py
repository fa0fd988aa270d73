"""A customer is written to where it can arrive, or else telephoned (R6, R34)."""

from __future__ import annotations

from typing import Any

import pytest

from activities.recording import Recording
from domain.issue.lifecycle import register, registered
from domain.issue.state import Issue
from store.connection import Pool
from tests.support.builders import MONDAY, an_intake

MAIL = "zhang.wei@customer.example"


async def opened(
    recording: Recording, phone: str | None, email: str | None, agent: str = "07"
) -> Issue:
    customer = {"name": "张伟", "phone": phone, "email": email}
    intake = an_intake(region="广东", agent=agent, customer=customer)
    step = register(intake, MONDAY).model_copy(update={"run": "run-1"})
    return registered(intake, await recording.record_step(step))


async def to_customer(pool: Pool) -> list[dict[str, Any]]:
    rows = await pool.fetch("SELECT * FROM outbox WHERE audience = 'customer' ORDER BY seq")
    return [dict(row) for row in rows]


@pytest.mark.parametrize(
    ("phone", "email", "way"),
    [
        ("+8613800000001", MAIL, ("sms", "+8613800000001")),
        ("138 0000 0001", MAIL, ("sms", "+8613800000001")),
        ("13800000001 13900000001", None, ("sms", "+8613800000001")),
        ("+852 9123 4567", MAIL, ("sms", "+85291234567")),
        ("+1 415 555 0132", MAIL, ("sms", "+14155550132")),
        ("+862055500101", MAIL, ("email", MAIL)),
        ("+862055500101(801)", MAIL, ("email", MAIL)),
        ("+8613800000001(8)", MAIL, ("email", MAIL)),
        ("400-666-0199", MAIL, ("email", MAIL)),
        ("95588", MAIL, ("email", MAIL)),
        ("1390000765", MAIL, ("email", MAIL)),
        (None, MAIL, ("email", MAIL)),
    ],
)
async def test_a_text_goes_to_a_mobile_alone_and_all_else_is_written_to_by_mail(
    recording: Recording, database: Pool, phone: str, email: str, way: tuple[str, str]
) -> None:
    await opened(recording, phone, email)
    (row,) = await to_customer(database)
    assert (row["recipient"], row["channel"], row["address"]) == ("customer", *way)


@pytest.mark.parametrize("phone", ["020-55500101", "+862055500101(801)", "800-810-0199", "95588"])
async def test_whom_nobody_can_write_to_the_agent_is_to_telephone(
    recording: Recording, database: Pool, phone: str
) -> None:
    await opened(recording, phone, None)
    (row,) = await to_customer(database)
    assert (row["channel"], row["address"]) == ("wecom", "hotline")
    assert (row["recipient"], row["template"], row["not_before"]) == ("07", "registered", None)
    assert "请按登记的电话致电" in row["body"]
    assert "已登记" in row["body"], "what they are to be told"
    assert "/l/" not in row["body"], "links are the customer's alone"
    assert phone not in row["body"], "the number is on the page, not in a group of robots"


async def test_without_an_agent_on_the_roster_it_is_a_message_that_nobody_can_send(
    recording: Recording, database: Pool
) -> None:
    await opened(recording, "020-55500101", None, agent="99")
    (row,) = await to_customer(database)
    assert (row["recipient"], row["channel"], row["address"]) == ("customer", None, None)

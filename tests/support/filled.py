"""Registers filled by hand: rows with the columns that a test has to do with, the rest made up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from store.connection import Connection, Pool
from store.outbox import Message

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""09:00 in Shanghai."""
DAY = timedelta(days=1)

CUSTOMERS = (
    *("张伟", "珠江", "王芳", "1234", "customer.example", "天河", "每两张"),
    *("还是卡", "修不好", "如何对账", "没有用", "customer-1"),
)
"""What of the rows here tells who the customer is, or what they said."""

_ISSUE: dict[str, Any] = {
    "run": "run",
    "source": "hotline",
    "channel": "telephone",
    "kind": "fault",
    "category": "technical",
    "severity": "major",
    "product_line": "ATM",
    "region": "广东",
    "title": "出钞口卡钞",
    "description": "今天早上起, 每两张卡住一张。",
    "customer_name": "张伟",
    "customer_type": "enterprise",
    "customer_existing": True,
    "organisation": "珠江商业银行",
    "contact_person": "王芳",
    "phone": "+86 138 0000 1234",
    "email": "zhang.wei@customer.example",
    "site": "天河支行大堂",
    "agent": "07",
    "reported_at": MONDAY,
    "registered_at": MONDAY,
    "rulebook": "book",
    "centre": "guangzhou",
    "calendar": "desk",
    "department": "technical_service",
    "zone": "Asia/Shanghai",
    "stage": "in_progress",
    "seq": 1,
    "updated_at": MONDAY,
}


async def insert(pool: Pool, table: str, **row: Any) -> None:
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await pool.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - a test's own
        *row.values(),
    )


async def an_issue(pool: Pool, number: str = "20261123-07-0001", **changes: Any) -> str:
    """Write an issue, and return its id."""
    await pool.execute("INSERT INTO rulebooks VALUES ('book', '{}') ON CONFLICT DO NOTHING")
    id_ = f"issue:hotline:{number}"
    await insert(
        pool, "issues", **(_ISSUE | {"id": id_, "number": number, "reference": number} | changes)
    )
    return id_


async def a_person(pool: Pool, id_: str, name: str) -> None:
    await pool.execute(
        "INSERT INTO centres VALUES ('guangzhou', '广州', '{广东}', 'Asia/Shanghai', 'desk')"
        " ON CONFLICT DO NOTHING"
    )
    await insert(
        pool,
        "members",
        id=id_,
        name=name,
        role="engineer",
        department="technical_service",
        centre="guangzhou",
        shift="desk",
        contacts=[],
    )


async def a_step(pool: Pool, issue_id: str, seq: int, action: str, actor: str) -> None:
    """Write a step into the events, and the issue's count of them."""
    await pool.execute("UPDATE issues SET seq = $2 WHERE id = $1", issue_id, seq)
    await insert(
        pool,
        "issue_events",
        issue_id=issue_id,
        seq=seq,
        key=f"key-{seq}",
        action=action,
        actor=actor,
        role="engineer",
        at=MONDAY,
        recorded_at=MONDAY,
        stage="in_progress",
        content={},
        recorded={},
    )


async def one_of_each(pool: Pool) -> str:
    """Write an issue with a row in every register, and return its id."""
    await a_person(pool, "li.na", "李娜")
    origin = await an_issue(pool, "20261123-07-0001")
    issue = await an_issue(
        pool, "20261123-07-0002", kind="complaint", category="service", arises_from=origin
    )
    forms: dict[str, dict[str, Any]] = {
        "handling_forms": {
            "generation": 1,
            "engineer": "li.na",
            "handed_over_at": MONDAY,
            "resolved_at": MONDAY,
            "result": "=更换读卡器",
            "department": "technical_service",
        },
        "consultation_records": {
            "generation": 1,
            "agent": "07",
            "answered_at": MONDAY,
            "question": "如何对账?",
            "answer": "按设置键。",
            "words": "没有用。",
            "on_the_line": True,
            "to_be_tested": False,
        },
        "callback_records": {
            "generation": 1,
            "attempt": 1,
            "clerk": "fan.meiling",
            "called_at": MONDAY,
            "reached": True,
            "running": False,
            "words": "还是卡。",
        },
        "complaint_forms": {
            "against": "customer_service",
            "received_by": "07",
            "apologised_at": MONDAY,
            "verified_by": "li.na",
            "verified_at": MONDAY,
            "verdict": "major",
            "findings": "属实。",
        },
        "remedies": {
            "proposal": 1,
            "remedy": "money",
            "remedy_name": "赔偿金",
            "what": "=退还上门费",
            "amount": Decimal("300.50"),
            "reason": "两次未按约上门。",
            "proposed_by": "li.na",
            "proposed_at": MONDAY,
            "decider": "manager",
            "approved": True,
            "decided_by": "sun.li",
            "decided_at": MONDAY,
            "accepted": True,
            "recorded_by": "li.na",
            "recorded_at": MONDAY,
            "receipt": "收据 0017",
            "words": "可以。",
        },
        "paid_services": {
            "generation": 1,
            "surveyed_by": "li.na",
            "surveyed_at": MONDAY,
            "quotation": 1,
            "work": "加装一台终端",
            "amount": Decimal("12800.50"),
            "agreed": True,
        },
        "expert_panels": {
            "panel": 1,
            "asked_by": "li.na",
            "asked_at": MONDAY,
            "question": "主板还是电源?",
            "experts": ["li.na", "gone.away"],
        },
        "evaluations": {
            "item": "after_sales",
            "person": "customer-1",
            "written_by": "customer-1",
            "at": MONDAY,
            "engineer": "li.na",
            "department": "technical_service",
            "technical": -50,
            "attitude": 200,
            "comment": "来得快, 修不好。",
        },
        "difficulty_ratings": {
            "generation": 1,
            "engineer": "li.na",
            "difficulty": 4,
            "note": "",
            "rated_by": "sun.li",
            "rated_at": MONDAY,
        },
        "promises": {
            "kind": "resolution",
            "generation": 1,
            "attempt": 1,
            "attempts": 1,
            "target": "3 working days",
            "clock": "working",
            "calendar": "desk",
            "rulebook": "book",
            "made_at": MONDAY,
            "due_at": MONDAY + 3 * DAY,
            "provisional": False,
            "pauses": 2,
            "reached": 1,
            "outcome": "kept",
            "ended_at": MONDAY + DAY,
            "consumed": timedelta(hours=26, minutes=30),
            "stops": [
                {"begin": "2026-11-23T02:00:00Z", "end": "2026-11-23T03:00:00Z"},
                {"begin": "2026-11-23T04:00:00Z", "end": "2026-11-23T04:30:00Z"},
            ],
        },
    }
    for table, row in forms.items():
        await insert(pool, table, issue_id=issue, **row)
    await _what_is_learned(pool, issue)
    await _a_call(pool, issue)
    return issue


async def _a_call(pool: Pool, issue: str) -> None:
    call = {"source": "pbx", "id": "4711", "at": MONDAY, "heard_at": MONDAY}
    phoned = {"direction": "incoming", "number": "+8613800001234", "recording": "rec/天河/4711"}
    talked = {"ring_seconds": 6, "talk_seconds": 214, "agent": "07"}
    await insert(pool, "calls", **call, **phoned, **talked, issue_id=issue)


async def _what_is_learned(pool: Pool, issue: str) -> None:
    proposed = {"proposed_by": "li.na", "proposed_at": MONDAY, "change": "propose", "note": ""}
    changed = {"changed_by": "li.na", "changed_at": MONDAY, "keywords": ["卡钞", "E-17"]}
    said = {"title": "卡钞", "question": "出钞口卡住", "solution": "清洁传感器", "search": ""}
    case = {"number": "K0001", "revision": 1, "status": "proposed", "issue_id": issue}
    await insert(pool, "known_cases", **case, generation=1, **said, **proposed, **changed)
    drawn = {"drawn_by": "tian.hui", "drawn_at": MONDAY, "rulebook": "book", "seed": "s"}
    period = {"first_day": MONDAY.date(), "last_day": MONDAY.date(), "zone": "Asia/Shanghai"}
    population = {"population": {"li.na": 5, "hu.bin": 2}, "share": 0.15}
    await insert(pool, "quality_samples", **drawn, **period, **population)
    await insert(pool, "quality_records", sample=1, issue_id=issue, handler="li.na")
    check = {"sample": 1, "issue_id": issue, "checker": "tian.hui", "checked_at": MONDAY}
    await insert(pool, "quality_checks", **check, revision=1, error="没有原因")


async def post(connection: Connection, messages: Iterable[Message]) -> None:
    """Put messages into the outbox, as steps do."""
    columns = tuple(Message.model_fields)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    await connection.executemany(
        f"INSERT INTO outbox ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608
        [tuple(message.model_dump().values()) for message in messages],
    )

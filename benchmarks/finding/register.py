"""The large register: issues of two years with their threads, written as fast as PostgreSQL takes
them, and indexed as the desk indexes them (``store.issue_words``).
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from benchmarks.finding.threads import Thread, a_thread
from benchmarks.reads.plan import Customer, a_customer
from domain.issue.thread import INTAKE, Sort
from store import issue_words

Administrator: TypeAlias = "asyncpg.Connection[Any]"
YEARS = timedelta(days=730)
_OPEN = 0.02
"""Which share is open: the newest."""
_AT_A_TIME = 2_000
_ISSUES_A_CUSTOMER = 5
AGENTS = tuple(f"{n:02d}" for n in range(10, 30))
DEPARTMENTS = ("technical_service", "software_development", "customer_service", "business_unit")
_WEIGHTS = (60, 20, 15, 5)
_ENGINEERS = 500
_LINES = ("ATM", "KIOSK", "VEHICLE", "SECURITY")
_REGIONS = ("广东", "深圳", "上海", "湖北", "北京", "辽宁", "四川", "新疆")


class Made(NamedTuple):
    """What is known of an issue, for questions about it."""

    number: str
    customer: Customer
    thread: Thread
    department: str
    engineer: str


async def make(connection: Administrator, issues: int, seed: int = 0) -> Sequence[Made]:
    """Write so many issues, and return one in a hundred of them to ask about."""
    drawn = random.Random(f"finding-{seed}")  # noqa: S311  no secret
    indexes = await connection.fetch(
        "SELECT indexname AS name, indexdef AS made FROM pg_indexes"
        " WHERE tablename = 'issue_words' AND indexname NOT LIKE '%pkey'"
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    # Nothing is checked that is whole by itself.
    await connection.execute("SET session_replication_role = replica")
    known: list[Made] = []
    written: list[_Written] = []
    for place, each in enumerate(_all(issues, drawn)):
        written.append(each)
        if place % 100 == 0:
            known.append(each.made)
        if len(written) == _AT_A_TIME:
            await _write(connection, written)
            written = []
    await _write(connection, written)
    for index in indexes:
        await connection.execute(index["made"])
    await connection.execute("RESET ALL")
    await connection.execute("VACUUM (ANALYZE)")
    return known


class _Written(NamedTuple):
    made: Made
    issue: dict[str, Any]
    events: list[dict[str, Any]]
    words: list[issue_words.Row]


def _all(issues: int, drawn: random.Random) -> Iterator[_Written]:
    now = datetime.now(UTC)
    customers = [a_customer(drawn) for _ in range(max(1, issues // _ISSUES_A_CUSTOMER))]
    serials: defaultdict[tuple[date, str], int] = defaultdict(int)
    for place in range(issues):
        at = now - YEARS * (1 - place / issues)
        agent = drawn.choice(AGENTS)
        serials[at.date(), agent] += 1
        number = f"{at:%Y%m%d}-{agent}-{serials[at.date(), agent]:04d}"
        made = Made(
            number,
            drawn.choice(customers),
            a_thread(drawn),
            drawn.choices(DEPARTMENTS, _WEIGHTS)[0],
            f"engineer.{drawn.randrange(_ENGINEERS)}",
        )
        is_open = place >= issues * (1 - _OPEN)
        yield _written(made, place, at, agent, drawn, is_open=is_open)


def _written(
    made: Made, place: int, at: datetime, agent: str, drawn: random.Random, *, is_open: bool
) -> _Written:
    id_, thread, customer = f"issue:web:{place:07d}", made.thread, made.customer
    steps = [("registered", "intake", dict[str, Any]())]
    steps += [(each.action, each.role, each.content) for each in thread.events]
    steps = steps[: drawn.randrange(2, 5)] if is_open else steps
    issue = {
        "id": id_,
        "run": "run",
        "number": made.number,
        "source": "web",
        "reference": f"{place:07d}",
        "channel": "website",
        "kind": "fault",
        "category": "technical",
        "severity": "general",
        "product_line": drawn.choice(_LINES),
        "model": None,
        "serial_number": f"SN-{drawn.randrange(10**7):07d}",
        "site": None,
        "region": drawn.choice(_REGIONS),
        "title": thread.title,
        "description": thread.description,
        "customer_name": customer.customer_name,
        "customer_type": "enterprise",
        "customer_existing": True,
        "organisation": customer.organisation,
        "contact_person": customer.contact_person,
        "phone": customer.phone,
        "agent": agent,
        "reported_at": at,
        "registered_at": at,
        "rulebook": "benchmark",
        "centre": "guangzhou",
        "calendar": "guangzhou",
        "department": made.department,
        "zone": "Asia/Shanghai",
        "stage": "in_progress" if is_open else "closed",
        "outcome": None if is_open else "solved",
        "engineer": made.engineer,
        "engineer_name": made.engineer,
        "answered": not is_open,
        "seq": len(steps),
        "updated_at": at,
        "closed_at": None if is_open else at + timedelta(days=1),
        "worded": len(steps),
    }
    events = [
        {
            "issue_id": id_,
            "seq": seq,
            "key": f"page:{seq}",
            "action": str(action),
            "actor": made.engineer,
            "role": role,
            "at": at + timedelta(hours=seq),
            "recorded_at": at + timedelta(hours=seq),
            "stage": "in_progress",
            "content": content,
            "recorded": {},
        }
        for seq, (action, role, content) in enumerate(steps, start=1)
    ]
    return _Written(made, issue, events, [row for e in events for row in _words(issue, e)])


def _words(issue: dict[str, Any], event: dict[str, Any]) -> list[issue_words.Row]:
    row = {**event, "number": issue["number"], "engineer": None, "channel": None}
    row |= {name: issue.get(name) for name in INTAKE}
    spoken = [*issue_words.of_entry(Sort.ACT, row)]
    if event["seq"] == 1:
        spoken += issue_words.of_intake(issue)
    return issue_words.rows(issue["id"], spoken, seq=event["seq"])


async def _write(connection: Administrator, written: Sequence[_Written]) -> None:
    rows = {
        "issues": [each.issue for each in written],
        "issue_events": [event for each in written for event in each.events],
        "issue_words": [row for each in written for row in each.words],
    }
    for table, of_it in rows.items():
        if of_it:
            columns = ", ".join(of_it[0])
            await connection.execute(
                f"INSERT INTO {table} ({columns}) SELECT {columns}"  # noqa: S608  ours
                f" FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)",
                json.dumps(of_it, default=str, ensure_ascii=False),
            )

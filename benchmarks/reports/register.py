"""Registers of a busy desk, drawn at random with all that makes counting hard: reopened and merged
issues, complaints born of others, what was given up, promises kept by own word, skipped and
withdrawn, records checked twice, calls about nothing, instants at the very edge of a day.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from store.connection import Connection

Row: TypeAlias = dict[str, Any]
Tables: TypeAlias = Mapping[str, Sequence[Row]]

DEPARTMENTS = ("technical_service", "software_development", "customer_service", "business_unit")
KINDS = ("fault", "fault", "fault", "consultation", "complaint", "sales", "paid_service", "returns")
_LINES = ("ATM", "KIOSK", "VEHICLE", "SECURITY")
_CHANNELS = ("telephone", "telephone", "website", "email", "chat", "walk_in")
_ENDS = ("solved",) * 8 + ("not_reached", "unfounded", "withdrawn", "cancelled", "terminated")
_OURS = ("hand_over", "response", "resolution", "difficulty", "feedback")
_CUSTOMERS = ("waiting", "evaluation")
_AT_A_TIME = 2_000
_NOT_ANSWERED = {"withdrawn", "cancelled", "terminated", "merged"}
_EDGE = timedelta(hours=16)
"""Midnight in Shanghai, on the clock of UTC."""
FORMS = (
    *("centres", "members"),
    *("issues", "promises", "handling_forms", "consultation_records", "callback_records"),
    *("complaint_forms", "remedies", "evaluations", "difficulty_ratings", "opinions", "calls"),
    *("quality_samples", "quality_records", "quality_checks", "known_cases", "standby_alarms"),
)
"""Tables that reports are counted of, each after those it refers to."""


class Desk(NamedTuple):
    """How big a desk is, and which days it was at work."""

    first: date
    days: int
    issues_a_day: int
    centres: int
    rulebook: str
    seed: int = 0

    @property
    def engineers(self) -> tuple[str, ...]:
        """Its engineers, five a centre."""
        return tuple(f"engineer.{n:03d}" for n in range(self.centres * 5))

    @property
    def agents(self) -> tuple[str, ...]:
        """Its hotline."""
        return tuple(f"{n:02d}" for n in range(10, 10 + max(3, self.issues_a_day // 25)))


class _Drawing:
    """Draws one register."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._engineers, self._agents = desk.engineers, desk.agents
        self._drawn = random.Random(f"reports-{desk.seed}")  # noqa: S311  no secret
        self._serials: defaultdict[tuple[date, str], int] = defaultdict(int)
        self._ids: list[tuple[str, str]] = []
        self._merged: list[str] = []

    def days(self) -> Iterator[dict[str, list[Row]]]:
        """Draw the roster, then day by day what came in, with all that became of it."""
        yield {name: [] for name in FORMS} | self._roster()
        for place in range(self._desk.days):
            day = self._desk.first + timedelta(days=place)
            tables: dict[str, list[Row]] = {name: [] for name in FORMS}
            for _ in range(self._desk.issues_a_day):
                self._issue(day, tables)
            self._calls(day, tables)
            self._cases(day, tables)
            if self._chance(0.3):
                tables["standby_alarms"].append(self._alarm(day))
            yield tables
        yield self._samples()

    def _roster(self) -> dict[str, list[Row]]:
        """Write down who works there: one in ten has left the roster, by name, since."""
        centres = [f"centre.{n:02d}" for n in range(self._desk.centres)]
        people = [(who, "engineer", DEPARTMENTS[n % 2]) for n, who in enumerate(self._engineers)]
        people += [(who, "agent", "customer_service") for who in self._agents]
        return {
            "centres": [
                {
                    "id": c,
                    "name": c,
                    "regions": [],
                    "zone": "Asia/Shanghai",
                    "calendar": "desk",
                    "nearest": [],
                }
                for c in centres
            ],
            "members": [
                {
                    "id": who,
                    "name": f"姓名{who}",
                    "role": role,
                    "department": department,
                    "centre": centres[0],
                    "certified": [],
                    "tests": [],
                    "skills": [],
                    "shift": "day",
                    "contacts": {},
                    "idle_since": datetime(2026, 1, 1, tzinfo=UTC),
                }
                for n, (who, role, department) in enumerate(people)
                if n % 10 != 9
            ],
        }

    def _chance(self, share: float) -> bool:
        return self._drawn.random() < share

    def _at(self, day: date) -> datetime:
        """Draw an instant of a day; now and then the very first of the local day, or the last."""
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if self._chance(0.02):
            return begins + _EDGE - (timedelta.resolution if self._chance(0.5) else timedelta(0))
        return begins + timedelta(seconds=self._drawn.randrange(24 * 3600))

    def _later(self, at: datetime, most: float = 5) -> datetime:
        return at + timedelta(days=self._drawn.random() * most)

    def _speaks_for_it(self) -> str | None:
        """Draw which issue another is merged into; now and then one that was merged itself."""
        if self._merged and self._chance(0.3):
            return self._drawn.choice(self._merged)
        return self._drawn.choice(self._ids)[0] if self._ids else None

    def _issue(self, day: date, tables: dict[str, list[Row]]) -> None:
        drawn, desk = self._drawn, self._desk
        at, agent = self._at(day), drawn.choice(self._agents)
        self._serials[at.date(), agent] += 1
        number = f"{at:%Y%m%d}-{agent}-{self._serials[at.date(), agent]:04d}"
        id_ = f"issue:web:{number}"
        kind, first_contact = drawn.choice(KINDS), self._chance(0.25)
        closed = self._later(at, 12) if self._chance(0.9) else None
        into = self._speaks_for_it() if closed and self._chance(0.03) else None
        born = drawn.choice(self._ids)[0] if self._ids and self._chance(0.15) else None
        outcome = ("merged" if into else drawn.choice(_ENDS)) if closed else None
        engineer = None if first_contact or self._chance(0.03) else drawn.choice(self._engineers)
        answered = outcome not in _NOT_ANSWERED if closed else self._chance(0.5)
        generations = 2 if self._chance(0.08) else 1
        channel = drawn.choice(_CHANNELS)
        issue = {
            "id": id_,
            "run": "run",
            "number": number,
            "source": "web",
            "reference": number,
            "channel": channel,
            "kind": kind,
            "behaves": "plain" if kind == "returns" else None,
            "category": drawn.choice(("technical", "software", "service", "out_of_scope")),
            "severity": "major" if self._chance(0.2) else "general",
            "product_line": drawn.choice(_LINES),
            "region": "广东",
            "title": "吞卡",
            "description": "上午起每两张卡吞一张",
            "customer_name": "张伟",
            "customer_type": drawn.choice(("individual", "enterprise")),
            "customer_existing": True,
            "phone": "+8613800001234",
            "agent": agent,
            "taken_by": drawn.choice(self._agents) if self._chance(0.1) else None,
            "ring_seconds": drawn.randrange(40)
            if channel == "telephone" and self._chance(0.9)
            else None,
            "reported_at": at - timedelta(minutes=drawn.randrange(30)),
            "registered_at": at,
            "rulebook": desk.rulebook,
            "centre": f"centre.{drawn.randrange(desk.centres):02d}",
            "calendar": "desk",
            "department": drawn.choice(DEPARTMENTS),
            "zone": "Asia/Shanghai",
            "stage": "closed" if closed else "in_progress",
            "outcome": outcome,
            "engineer": engineer,
            "engineer_name": engineer,
            "lead": drawn.choice(("lead.1", "lead.2")) if self._chance(0.5) else None,
            "escalation_level": drawn.randrange(4),
            "generation": generations,
            "answered": answered,
            "complex": self._chance(0.1),
            "agitated": self._chance(0.05),
            "first_contact": first_contact,
            "merged_into": into,
            "arises_from": born if kind == "complaint" else None,
            "seq": 5,
            "worded": 5,
            "updated_at": closed or at,
            "closed_at": closed,
        }
        tables["issues"].append(issue)
        self._ids.append((id_, number))
        if into:
            self._merged.append(id_)
        for generation in range(1, generations + 1):
            self._handled(issue, generation, tables)
        for call in range(drawn.choice((0, 0, 1, 2))):
            tables["calls"].append(self._call(f"{number}-{call}", self._later(at), id_))
        if kind == "complaint":
            self._complaint(issue, tables)

    def _handled(self, issue: Row, generation: int, tables: dict[str, list[Row]]) -> None:
        drawn = self._drawn
        at = self._later(issue["registered_at"]) if generation > 1 else issue["registered_at"]
        key = {"issue_id": issue["id"], "generation": generation}
        self._results(issue, key, at, tables)
        for kind in (*_OURS, *_CUSTOMERS):
            if self._chance(0.7):
                tables["promises"].append(self._promise(key, kind, 1, self._later(at, 0.5)))
        self._calls_back(key, at, tables)
        if self._chance(0.5):
            tables["difficulty_ratings"].append(
                key
                | {
                    "engineer": issue["engineer"] if self._chance(0.9) else None,
                    "difficulty": drawn.randrange(1, 6),
                    "note": "",
                    "rated_by": "manager.1",
                    "rated_at": self._later(at, 20),
                }
            )
        if generation == 1:
            self._scored(issue, at, tables)

    def _results(self, issue: Row, key: Row, at: datetime, tables: dict[str, list[Row]]) -> None:
        drawn = self._drawn
        if issue["first_contact"]:
            tables["consultation_records"].append(
                key
                | {
                    "agent": issue["agent"],
                    "question": "怎么办",
                    "answer": "重启",
                    "answered_at": self._later(at, 0.01),
                    "on_the_line": True,
                    "to_be_tested": False,
                }
            )
        if not issue["first_contact"] or self._chance(0.2):
            done = self._chance(0.8)
            tables["handling_forms"].append(
                key
                | {
                    "engineer": drawn.choice(self._engineers) if self._chance(0.9) else None,
                    "handed_over_at": self._later(at, 0.1),
                    "resolved_at": self._later(at, 4) if done else None,
                    "department": drawn.choice(DEPARTMENTS) if self._chance(0.3) else None,
                }
            )

    def _calls_back(self, key: Row, at: datetime, tables: dict[str, list[Row]]) -> None:
        for attempt in range(1, self._drawn.choice((1, 1, 2, 3))):
            due = self._later(at, 6)
            called = self._later(at, 6) if self._chance(0.85) else None
            promise = self._promise(key, "callback", attempt, at, due)
            if called and promise["outcome"] in {"withdrawn", "skipped"}:
                promise["outcome"], promise["ended_at"] = "kept", called
            if called is None or self._chance(0.95):  # records of before have no promise
                tables["promises"].append(promise)
            if called:
                tables["callback_records"].append(self._called(key, attempt, called))

    def _promise(
        self, key: Row, kind: str, attempt: int, made: datetime, due: datetime | None = None
    ) -> Row:
        drawn, due = self._drawn, due or self._later(made, 4)
        outcome = drawn.choice(("kept",) * 6 + ("broken", "broken", "withdrawn", "skipped", "open"))
        if kind in _CUSTOMERS and outcome == "broken":
            outcome = "withdrawn"
        runs = outcome == "open" or (outcome in {"broken", "skipped"} and self._chance(0.3))
        late = self._later(due, 3) if outcome == "broken" else self._later(made, 4)
        marks = [
            {"name": name, "at": due.isoformat(), "level": level, "skipped": self._chance(0.1)}
            for name, level in (("75%", 0), ("100%", 1), ("+2h", 2), ("+1d", 3))
        ]
        return key | {
            "kind": kind,
            "attempt": attempt,
            "attempts": 3,
            "target": "2h",
            "clock": "working",
            "calendar": "desk",
            "rulebook": self._desk.rulebook,
            "made_at": made,
            "opens_at": None,
            "due_at": due,
            "provisional": False,
            "pauses": 0,
            "reached": drawn.randrange(5),
            "outcome": outcome,
            "ended_at": None if runs else late,
            "own_word_at": late if outcome == "kept" and self._chance(0.1) else None,
            "marks": marks,
            "stops": [],
        }

    def _called(self, key: Row, attempt: int, at: datetime) -> Row:
        reached = self._chance(0.85)
        running = self._drawn.choice((True, True, True, False, None)) if reached else None
        said = self._drawn.choice((True, True, True, True, False, None)) if reached else None
        return key | {
            "attempt": attempt,
            "clerk": "clerk.1",
            "called_at": at,
            "reached": reached,
            "running": running,
            "satisfied": said,
            "conflict": reached and said is False and self._chance(0.3),
            "words": "好的" if reached and self._chance(0.5) else "",
        }

    def _scored(self, issue: Row, at: datetime, tables: dict[str, list[Row]]) -> None:
        drawn = self._drawn
        scores = {"technical": drawn.randrange(-50, 201), "attitude": drawn.randrange(-50, 201)}
        item = drawn.choice(("pre_sales", "project", "after_sales"))
        if self._chance(0.2):
            tables["evaluations"].append(
                {
                    "issue_id": issue["id"],
                    "item": item,
                    "person": "customer",
                    "written_by": "customer",
                    "at": self._later(at, 9),
                    "engineer": issue["engineer"],
                    "department": issue["department"],
                    "comment": "",
                    **scores,
                }
            )
        if self._chance(0.05):
            known = self._chance(0.5)
            tables["opinions"].append(
                {
                    "key": f"form-{issue['number']}",
                    "item": item,
                    "at": self._later(at, 9),
                    "way": drawn.choice(("website", "telephone", "paper")),
                    "issue_id": issue["id"] if known else None,
                    "assessor": "王强",
                    "scored_on": at.date(),
                    "opinions": "",
                    "comment": "",
                    "engineer": issue["engineer"] if known else None,
                    "department": issue["department"] if self._chance(0.8) else None,
                    "subject": f"subject-{issue['number']}",
                    "person": "王强",
                    "counting": drawn.choice(("counts", "counts", "unverified", "left_out")),
                    **scores,
                }
            )

    def _complaint(self, issue: Row, tables: dict[str, list[Row]]) -> None:
        at, drawn = issue["registered_at"], self._drawn
        verdict = drawn.choice(("unfounded", "general", "general", "major", None))
        tables["complaint_forms"].append(
            {
                "issue_id": issue["id"],
                "against": issue["department"],
                "received_by": issue["agent"],
                "apologised_at": at,
                "verified_at": self._later(at, 1) if verdict else None,
                "verified_by": "lead.1" if verdict else None,
                "verdict": verdict,
                "told_at": self._later(at, 3) if self._chance(0.8) else None,
                "satisfied": drawn.choice((True, True, False, None)),
            }
        )
        for proposal in range(1, drawn.choice((1, 1, 2, 3))):
            approved = drawn.choice((True, True, False, None))
            accepted = drawn.choice((True, True, False, None)) if approved else None
            given = accepted is not None
            decided = approved is not None
            tables["remedies"].append(
                {
                    "issue_id": issue["id"],
                    "proposal": proposal,
                    "remedy": "voucher",
                    "remedy_name": "代金券",
                    "what": "代金券",
                    "amount": f"{drawn.randrange(50000) / 100:.2f}" if self._chance(0.7) else None,
                    "reason": "延误",
                    "proposed_by": "lead.1",
                    "proposed_at": at,
                    "decider": "manager",
                    "approved": approved,
                    "decided_by": "manager.1" if decided else None,
                    "decided_at": self._later(at, 2) if decided else None,
                    "accepted": accepted,
                    "recorded_by": "lead.1" if given else None,
                    "recorded_at": self._later(at, 3) if given else None,
                }
            )

    def _call(self, id_: str, at: datetime, issue: str | None) -> Row:
        incoming = self._chance(0.7)
        answered = self._chance(0.85)
        return {
            "source": "pbx",
            "id": id_,
            "at": at,
            "direction": "incoming" if incoming else "outgoing",
            "ring_seconds": self._drawn.randrange(60) if self._chance(0.9) else None,
            "talk_seconds": self._drawn.randrange(900) if answered else None,
            "agent": self._drawn.choice(self._agents) if answered else None,
            "issue_id": issue,
            "heard_at": at,
        }

    def _calls(self, day: date, tables: dict[str, list[Row]]) -> None:
        for place in range(self._desk.issues_a_day // 2):
            tables["calls"].append(self._call(f"{day}-{place}", self._at(day), None))

    def _cases(self, day: date, tables: dict[str, list[Row]]) -> None:
        for place in range(max(1, self._desk.issues_a_day // 50)):
            at, status = self._at(day), self._drawn.choice(("proposed", "approved", "retired"))
            reviewed = status != "proposed"
            tables["known_cases"].append(
                {
                    "number": f"K{day:%Y%m%d}-{place:03d}",
                    "revision": 1,
                    "status": status,
                    "title": "吞卡",
                    "product_line": self._drawn.choice((*_LINES, None)),
                    "question": "吞卡",
                    "solution": "重启",
                    "keywords": [],
                    "search": "",
                    "proposed_by": self._drawn.choice((*self._agents, "engineer.000")),
                    "proposed_at": at,
                    "reviewed_by": "lead.1" if reviewed else None,
                    "reviewed_at": self._later(at) if reviewed else None,
                    "change": "propose",
                    "changed_by": "lead.1",
                    "changed_at": at,
                    "note": "",
                    "used": self._drawn.choice((0, 0, 3)),
                }
            )

    def _alarm(self, day: date) -> Row:
        return {
            "department": self._drawn.choice(DEPARTMENTS),
            "centre": "centre.00",
            "day": day,
            "raised_at": self._at(day),
        }

    def _samples(self) -> dict[str, list[Row]]:
        """Draw a sample of each week, and two of one week: by other seeds, so records twice."""
        tables: dict[str, list[Row]] = {name: [] for name in FORMS}
        first = self._desk.first
        weeks = [(first + timedelta(days=7 * n), "a") for n in range(1 + self._desk.days // 7)]
        for number, (since, seed) in enumerate((*weeks, (weeks[0][0], "b")), start=1):
            last = since + timedelta(days=6)
            tables["quality_samples"].append(
                {
                    "number": number,
                    "first_day": since,
                    "last_day": last,
                    "zone": "Asia/Shanghai",
                    "seed": seed,
                    "share": 0.15,
                    "rulebook": self._desk.rulebook,
                    "population": dict.fromkeys((*self._engineers, *self._agents), 9),
                    "drawn_by": "manager.1",
                    "drawn_at": datetime(last.year, last.month, last.day, 20, tzinfo=UTC),
                }
            )
            most = min(len(self._ids), self._desk.issues_a_day)
            for id_, _ in self._drawn.sample(self._ids, most):
                tables["quality_records"].append(
                    {"sample": number, "issue_id": id_, "handler": self._handler()}
                )
                self._check(number, id_, tables)
        return tables

    def _handler(self) -> str:
        return self._drawn.choice((*self._engineers, *self._agents))

    def _check(self, sample: int, id_: str, tables: dict[str, list[Row]]) -> None:
        for checker in ("lead.1", "lead.2"):
            for revision in range(1, self._drawn.choice((1, 2, 2, 3))):
                tables["quality_checks"].append(
                    {
                        "sample": sample,
                        "issue_id": id_,
                        "checker": checker,
                        "error": "漏填型号" if self._chance(0.1) else None,
                        "revision": revision,
                        "checked_at": datetime(2026, 12, 1, tzinfo=UTC),
                    }
                )


def drawn(desk: Desk) -> Iterator[dict[str, list[Row]]]:
    """Draw a register, a day at a time."""
    return _Drawing(desk).days()


async def write(connection: Connection, tables: Tables) -> None:
    """Write rows as fast as PostgreSQL takes them."""
    for table in FORMS:
        rows = tables[table]
        for place in range(0, len(rows), _AT_A_TIME):
            some = rows[place : place + _AT_A_TIME]
            columns = ", ".join(dict.fromkeys(name for row in some for name in row))
            identity = " OVERRIDING SYSTEM VALUE" if table == "quality_samples" else ""
            await connection.execute(
                f"INSERT INTO {table} ({columns}){identity} SELECT {columns}"  # noqa: S608  ours
                f" FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
                " ON CONFLICT DO NOTHING",
                json.dumps(some, default=str, ensure_ascii=False),
            )

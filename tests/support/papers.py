"""The papers of an issue: everything the registers have of it, and what its workflow says of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import asyncpg

from domain.issue.actions import ActionName
from domain.issue.step import Recorded
from domain.issue.view import IssueView
from domain.sla.promise import Promise
from domain.terms import behaviour_of
from domain.vocabulary import Behaviour, Outcome, Stage
from store import issue_reader
from store.connection import Pool

Row = asyncpg.Record
BROKEN_OFF = {Outcome.WITHDRAWN, Outcome.CANCELLED, Outcome.TERMINATED, Outcome.MERGED}
"""How an issue may end although its customer was never answered: they, or an operator, gave up."""
_SHOWN_BY_ISSUE = (
    *("issue_events", "promises", "handling_forms", "consultation_records", "complaint_forms"),
    *("remedies", "paid_services", "expert_panels", "evaluations", "difficulty_ratings"),
    *("callback_records", "outbox"),
)


@dataclass(frozen=True)
class Papers:
    """What the registers have of one issue. ``lived`` is what its workflow says of it."""

    issue: Row
    tables: Mapping[str, Sequence[Row]]
    born: Sequence[Row]
    written: IssueView
    lived: IssueView

    def of(self, table: str) -> Sequence[Row]:
        return self.tables[table]

    @cached_property
    def events(self) -> list[Row]:
        return sorted(self.of("issue_events"), key=lambda event: int(event["seq"]))

    @cached_property
    def steps(self) -> list[Recorded]:
        return [Recorded.model_validate(event["recorded"]) for event in self.events]

    def did(self, *names: ActionName) -> list[Row]:
        return [event for event in self.events if event["action"] in names]

    @property
    def behaves(self) -> Behaviour:
        """What is done about its kind, by what the policy said when it came in (R37)."""
        said = self.issue["behaves"]
        return Behaviour(said) if said else behaviour_of(self.issue["kind"])

    @property
    def closed(self) -> bool:
        return Stage(self.issue["stage"]) is Stage.CLOSED

    @property
    def broken_off(self) -> bool:
        return self.issue["outcome"] in BROKEN_OFF

    @cached_property
    def history(self) -> list[dict[str, Promise]]:
        """The promises as they stood after every step, by their keys."""
        known: dict[str, Promise] = {}
        stood = []
        for recorded in self.steps:
            changed = (*recorded.step.promises, *recorded.promises)
            known = known | {promise.key: promise for promise in changed}
            stood.append(known)
        return stood


async def read(pool: Pool, lived: Mapping[str, IssueView]) -> list[Papers]:
    """Read the papers of these issues."""
    ids = list(lived)
    issues = await pool.fetch("SELECT * FROM issues WHERE id = ANY($1) ORDER BY number", ids)
    assert {row["id"] for row in issues} == set(ids)
    tables = {name: await _rows(pool, name, "issue_id", ids) for name in _SHOWN_BY_ISSUE}
    born = await _rows(pool, "issues", "arises_from", ids)
    papers = []
    for row in issues:
        id_ = row["id"]
        written = await issue_reader.issue(pool, id_)
        assert written is not None
        own = {name: rows.get(id_, []) for name, rows in tables.items()}
        papers.append(Papers(row, own, born.get(id_, []), written, lived[id_]))
    return papers


async def _rows(pool: Pool, table: str, owner: str, ids: Sequence[str]) -> Mapping[str, list[Row]]:
    rows = await pool.fetch(
        f"SELECT * FROM {table} WHERE {owner} = ANY($1)",  # noqa: S608
        ids,
    )
    grouped = defaultdict(list)
    for row in rows:
        grouped[row[owner]].append(row)
    return grouped

"""Writing an issue's row, ledger and forms again out of its events, which are never changed. Inside
the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from domain.issue.folding import facts_of
from domain.issue.state import Issue
from domain.issue.step import Recorded
from domain.vocabulary import Stage
from store import issue_writer
from store.connection import Connection
from store.issue_writer import IssueContext


async def write_again(
    connection: Connection, case: IssueContext, recorded: Sequence[Recorded], issue: Issue
) -> None:
    """Let the registers say what the events do; ``issue`` is what these make of it. What a form
    said before stands in its history.
    """
    for each in recorded:
        await issue_writer.write_again(connection, case, each)
    await _row(connection, recorded, issue)


async def _row(connection: Connection, recorded: Sequence[Recorded], issue: Issue) -> None:
    row = {
        **facts_of(issue),
        "engineer_name": issue.engineer.name if issue.engineer else None,
        "lead_name": issue.lead.name if issue.lead else None,
        "updated_at": recorded[-1].step.recorded_at,
        "closed_at": _closed_at(recorded),
    }
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(row, 2))
    await connection.execute(
        f"UPDATE issues SET {columns} WHERE id = $1",  # noqa: S608  the columns are ours
        *(issue.id, *row.values()),
    )


def _closed_at(recorded: Sequence[Recorded]) -> datetime | None:
    """When it was closed for the last time; None: it is open."""
    since = [*takewhile(lambda r: _stage(r) is Stage.CLOSED, reversed(recorded))]
    return since[-1].step.at if since else None


def _stage(recorded: Recorded) -> Stage:
    return recorded.step.stage_with(recorded.engineer)

"""What the forms and the outbox say of an issue, with instants in the story's local time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.harness import Handle, StoryDesk

FORMS = (
    *("handling_forms", "callback_records", "consultation_records", "complaint_forms"),
    *("remedies", "paid_services", "expert_panels", "evaluations", "difficulty_ratings"),
)

Row = dict[str, Any]


async def forms(desk: StoryDesk, handle: Handle, table: str) -> list[Row]:
    """List the issue's rows in a form, without what is not filled in."""
    rows = await desk.pool.fetch(
        f"SELECT * FROM {table} t WHERE issue_id = $1 ORDER BY t",  # noqa: S608  names are ours
        handle.id,
    )
    return [_told(desk, dict(row)) for row in rows]


async def form(desk: StoryDesk, handle: Handle, table: str) -> Row:
    """Show the one row the issue has in a form."""
    (row,) = await forms(desk, handle, table)
    return row


async def versions(desk: StoryDesk, handle: Handle, table: str) -> list[Row]:
    """List what a form said before each of its changes, the oldest first."""
    rows = await desk.pool.fetch(
        "SELECT was FROM form_history WHERE issue_id = $1 AND form = $2 ORDER BY id",
        handle.id,
        table,
    )
    return [row["was"] for row in rows]


async def brought(desk: StoryDesk, handle: Handle, template: str) -> list[tuple[str, str]]:
    """List when a message in that wording arrived, and with whom; in order."""
    rows = await desk.pool.fetch(
        """
        SELECT settled_at, recipient FROM outbox
        WHERE issue_id = $1 AND template = $2 AND status = 'delivered' ORDER BY settled_at
        """,
        handle.id,
        template,
    )
    return [(desk.story(row["settled_at"]), row["recipient"]) for row in rows]


async def said(desk: StoryDesk, handle: Handle, template: str, recipient: str) -> str:
    """Return the one message in that wording that somebody got."""
    body: str
    (body,) = await _bodies(desk, handle, template, recipient)
    return body


async def _bodies(desk: StoryDesk, handle: Handle, template: str, recipient: str) -> list[str]:
    rows = await desk.pool.fetch(
        "SELECT coalesce(full_text, body) AS body FROM outbox"
        " WHERE issue_id = $1 AND template = $2 AND recipient = $3",
        handle.id,
        template,
        recipient,
    )
    return [row["body"] for row in rows]


async def counted(desk: StoryDesk) -> dict[str, int]:
    """Count what stands in the registers, to see that nothing was half-made."""
    tables = (*FORMS, "issues", "issue_events", "promises", "outbox", "form_history", "serials")
    return {
        table: await desk.pool.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        for table in tables
    }


def _told(desk: StoryDesk, row: Row) -> Row:
    return {
        name: desk.story(value) if isinstance(value, datetime) else value
        for name, value in row.items()
        if name != "issue_id" and value is not None
    }

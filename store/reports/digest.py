"""How the open issues stand in the morning, for the digests of leads."""

from __future__ import annotations

from datetime import datetime

from domain.reports.digest import Standing, WaitsFor
from domain.sla.promise import CUSTOMERS, OVERSIGHT, PAST_DUE, PromiseKind
from domain.vocabulary import Stage
from store.connection import Connection

_CUSTOMERS_TURN = (Stage.WAITING, Stage.CONFIRMING, Stage.REPLIED)
"""Stages in which the customer is to do something."""


async def standing(connection: Connection, until: datetime) -> list[Standing]:
    """List the open issues, those that are due first before others: what is due ``until`` that
    instant is due today.
    """
    rows = await connection.fetch(
        """
        SELECT i.department, i.number, i.answered, p.overdue, p.due_at < $1 AS due_today,
            CASE
                WHEN i.stage = ANY($2) AND NOT p.unread THEN $7
                WHEN i.stage = $3 THEN $8
                WHEN i.stage = $4 THEN $9
                WHEN i.stage = $5 OR p.held OR p.unread AND i.answered THEN $10
                WHEN i.engineer IS NOT NULL THEN coalesce(i.engineer_name, i.engineer)
                ELSE $11
            END AS waits_for
        FROM issues i CROSS JOIN LATERAL (
            SELECT coalesce(bool_or(outcome = ANY($6)), false) AS overdue,
                coalesce(bool_or(kind = $13), false) AS held,
                coalesce(bool_or(kind = $14), false) AS unread,
                min(due_at) FILTER (WHERE paused_at IS NULL AND outcome <> ALL($6)) AS due_at
            FROM promises WHERE issue_id = i.id AND ended_at IS NULL AND kind <> ALL($12)
        ) p
        WHERE i.closed_at IS NULL
        ORDER BY p.due_at NULLS LAST, i.number
        """,
        *(until, list(_CUSTOMERS_TURN), Stage.APPROVING, Stage.CALLBACK, Stage.RESOLVED),
        sorted(PAST_DUE),
        *(WaitsFor.CUSTOMER, WaitsFor.MANAGER, WaitsFor.CLERK, WaitsFor.AGENT, WaitsFor.NOBODY),
        *(sorted(CUSTOMERS | OVERSIGHT), PromiseKind.HAND_OVER, PromiseKind.FEEDBACK),
    )
    return [Standing(**{**dict(row), "due_today": bool(row["due_today"])}) for row in rows]

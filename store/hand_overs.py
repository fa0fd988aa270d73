"""Who handed an issue over to whoever is to handle it, and when (R10, R39), by its events; when it
was first handed over the handling form says itself.
"""

from __future__ import annotations

from domain import words
from domain.issue.act import ActionName
from domain.vocabulary import Instant, Model, Role
from store.connection import Pool

_TO_ONESELF = (ActionName.ACCEPT, ActionName.ASSIGN)
"""By these nobody hands anything over: somebody takes it, or the desk looks again for somebody."""


def hand_over(issue: str, generation: str, order: str) -> str:
    """Write the query for one hand-over of a generation, ``ASC`` the first, ``DESC`` the last:
    ``by`` whom, the desk by name, everybody else by id, and ``at``, when the desk heard of it.
    """
    desk = words.both(words.PARTIES, Role.SYSTEM)
    leaving_out = ", ".join(f"'{name}'" for name in _TO_ONESELF)
    return f"""
        SELECT CASE e.role WHEN '{Role.SYSTEM}' THEN '{desk}' ELSE e.actor END AS by,
            e.recorded_at AS at
        FROM issue_events e
        WHERE e.issue_id = {issue} AND e.action NOT IN ({leaving_out})
            AND e.recorded #>> '{{step,generation}}' = {generation}::text
            AND jsonb_typeof(e.recorded #> '{{step,assignment}}') = 'object'
        ORDER BY e.seq {order} LIMIT 1
    """  # noqa: S608  our own text


class HandOver(Model):
    """One hand-over: by whom, somebody of the roster by their id, and when the desk heard of it."""

    by: str
    at: Instant


async def last(pool: Pool, issue_id: str, generation: int) -> HandOver | None:
    """Return the last hand-over of one generation of an issue; None: nobody was given it yet."""
    row = await pool.fetchrow(hand_over("$1", "$2::int", "DESC"), issue_id, generation)
    return HandOver(**dict(row)) if row else None

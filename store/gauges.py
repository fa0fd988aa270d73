"""How much of everything there is now, for whoever watches the desk from afar. Numbers only."""

from __future__ import annotations

from domain.issue.state import SlaState
from domain.sla.promise import OVERSIGHT, PAST_DUE
from domain.vocabulary import Model
from store.connection import Pool
from store.outbox import UNDELIVERED


class Count(Model):
    """So many of one kind (a stage, a promise) that stand one way."""

    what: str
    state: str
    count: int


class Gauges(Model):
    """What is open, running and unsaid at one moment; ``oldest_unsettled`` in seconds, 0 if all
    that is due has been said.
    """

    issues: tuple[Count, ...]
    """By stage and by how their promises stand, as ``SlaState`` has it."""
    promises: tuple[Count, ...]
    """Running ones by kind: in the same words."""
    undelivered: int
    """Messages handed over to somebody of the desk, because they did not reach their recipient."""
    unsettled: int
    oldest_unsettled: float
    webhooks: tuple[Count, ...] = ()
    """Receivers of events and how they stand, with how many events were looked out for each."""
    findings: tuple[Count, ...] = ()
    """What the last deep audit found, by kind."""
    notices: tuple[Count, ...] = ()
    """By country, the last year whose national notice is loaded (R32): as ``count``."""
    audit_age: float | None = None
    """Seconds since the last deep audit; None: there was none."""


_STATES = (SlaState.OVERDUE, SlaState.PAUSED, SlaState.AT_RISK, SlaState.ON_TIME)
"""How a running promise stands, worst first: an issue stands as the worst of its promises."""

_COUNT = """
    WITH running AS (
        SELECT issue_id, kind, CASE WHEN outcome = ANY($2) THEN 1
                                    WHEN paused_at IS NOT NULL THEN 2
                                    WHEN reached > 0 THEN 3 ELSE 4 END AS state
        FROM promises WHERE ended_at IS NULL
    ), standing AS (
        SELECT issue_id, min(state) AS state FROM running WHERE kind <> ALL($1) GROUP BY issue_id
    ), issues_now AS (
        SELECT stage AS what, ($3::text[])[coalesce(state, 4)] AS state, count(*)::int
        FROM issues LEFT JOIN standing ON issue_id = id WHERE closed_at IS NULL GROUP BY 1, 2
    ), promises_now AS (
        SELECT kind AS what, ($3::text[])[state] AS state, count(*)::int FROM running GROUP BY 1, 2
    ), unsettled AS (
        SELECT count(*)::int AS count, min(greatest(created_at, not_before)) AS oldest
        FROM outbox WHERE settled_at IS NULL AND coalesce(not_before, created_at) <= now()
    ), receivers AS (
        SELECT id AS what, state, (
            SELECT count(*)::int FROM webhook_deliveries WHERE endpoint = e.id
        ) AS count FROM webhook_endpoints e
    ), last_audit AS (
        SELECT id, ended_at FROM audit_runs ORDER BY ended_at DESC, id DESC LIMIT 1
    ), notices_known AS (
        SELECT country AS what, '' AS state, max(year)::int AS count
        FROM rulebooks r
        CROSS JOIN jsonb_object_keys(coalesce(r.body -> 'national', '{}')) country
        CROSS JOIN jsonb_object_keys(r.body -> 'national' -> country -> 'years') year
        WHERE r.version = (SELECT version FROM adoptions ORDER BY id DESC LIMIT 1) GROUP BY 1
    ), findings_then AS (
        SELECT kind AS what, '' AS state, count(*)::int FROM audit_findings
        WHERE run = (SELECT id FROM last_audit) GROUP BY 1
    )
    SELECT (SELECT coalesce(jsonb_agg(i), '[]') FROM issues_now i) AS issues,
           (SELECT coalesce(jsonb_agg(p), '[]') FROM promises_now p) AS promises,
           (SELECT count(*)::int FROM outbox WHERE handed_to IS NOT NULL)
               + (SELECT count(*)::int FROM outbox WHERE settled_at IS NULL AND status = ANY($4))
               AS undelivered,
           (SELECT count FROM unsettled) AS unsettled,
           (SELECT coalesce(extract(epoch FROM now() - oldest), 0)::float8 FROM unsettled)
               AS oldest_unsettled,
           (SELECT coalesce(jsonb_agg(w), '[]') FROM receivers w) AS webhooks,
           (SELECT coalesce(jsonb_agg(f), '[]') FROM findings_then f) AS findings,
           (SELECT coalesce(jsonb_agg(n), '[]') FROM notices_known n) AS notices,
           (SELECT extract(epoch FROM now() - ended_at)::float8 FROM last_audit) AS audit_age
"""


async def read(pool: Pool) -> Gauges:
    """Count everything, by one query at one moment."""
    row = await pool.fetchrow(_COUNT, sorted(OVERSIGHT), sorted(PAST_DUE), _STATES, UNDELIVERED)
    return Gauges.model_validate(dict(row or {}))

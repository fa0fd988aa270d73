"""The large register, made of the seeds: a statement a table, whatever columns it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg

from benchmarks.reads.plan import SLOWED, Copy, Seed, hands, planned
from store import serials

Administrator: TypeAlias = "asyncpg.Connection[Any]"

_SEEDS = """
SELECT id, number, registered_at,
    greatest(updated_at, (SELECT max(settled_at) FROM outbox WHERE issue_id = id)) AS updated_at,
    registered_at >= (SELECT min(registered_at) FROM issues WHERE source = 'open') AS fresh,
    closed_at IS NULL AS open,
    stage IN ('replied', 'callback') AND NOT EXISTS (
        SELECT FROM issues o WHERE o.arises_from = i.id) AS brief
FROM issues i ORDER BY id
"""
_COPIES = """
CREATE TEMP TABLE copies (
    seed text, seed_number text, suffix text, number text, begun timestamptz, origin timestamptz,
    agent text, hand integer, customer_name text, organisation text, contact_person text, phone text
)
"""
_LATER = f"""
CREATE FUNCTION pg_temp.later(said jsonb, begun timestamptz, origin timestamptz) RETURNS jsonb
LANGUAGE sql IMMUTABLE RETURN (
    SELECT coalesce(jsonb_agg((
        SELECT jsonb_object_agg(key, CASE
            WHEN key IN ('at', 'begin', 'end') AND jsonb_typeof(value) = 'string'
            THEN to_jsonb(origin + ((value #>> '{{}}')::timestamptz - begun) * {SLOWED})
            ELSE value END)
        FROM jsonb_each(one)) ORDER BY place), '[]')
    FROM jsonb_array_elements(said) WITH ORDINALITY AS every (one, place))
"""  # noqa: S608  the number is ours
_TABLES = """
SELECT table_name AS table, array_agg(column_name::text) AS columns,
    array_agg(data_type = 'timestamp with time zone') AS instants
FROM information_schema.columns c WHERE table_schema = 'public' AND is_identity = 'NO'
    AND (table_name = 'issues' OR table_name = ANY($1)) GROUP BY 1 ORDER BY table_name <> 'issues'
"""
_OF_ISSUES = (
    *("issue_events", "promises", "outbox", "handling_forms", "callback_records"),
    *("consultation_records", "complaint_forms", "paid_services", "expert_panels", "evaluations"),
    *("difficulty_ratings", "form_history"),
)
"""Tables with rows of an issue each; cases and quality checks come by themselves."""
_OTHERWISE: Mapping[str, str] = {
    "id": "s.id || c.suffix",
    "issue_id": "s.issue_id || c.suffix",
    "arises_from": "s.arises_from || c.suffix",
    "reference": "s.reference || c.suffix",
    "number": "c.number",
    "agent": "c.agent",
    "engineer": "s.engineer || CASE WHEN c.hand > 0 THEN '.' || c.hand ELSE '' END",
    "marks": "pg_temp.later(s.marks, c.begun, c.origin)",
    "stops": "pg_temp.later(s.stops, c.begun, c.origin)",
    **{name: f"c.{name}" for name in ("customer_name", "organisation", "contact_person", "phone")},
}
"""What the columns of these names hold in a copy; instants come later, the rest stays."""
_MESSAGES_OTHERWISE = {"key": "replace(s.key, c.seed_number, c.number)"}
_STAFF = """
INSERT INTO members
SELECT (jsonb_populate_record(m, jsonb_build_object('id', m.id || '.' || hand))).*
FROM members m, generate_series(1, $1::int - 1) AS hand WHERE role IN ('engineer', 'lead')
"""
_LOOKS = """
INSERT INTO door_log (at, person, role, via, address, what, number, outcome)
SELECT registered_at + n * interval '1 minute', agent, 'agent', 'session', '192.0.2.7',
    (ARRAY['open', 'see', 'see_customer'])[n], number, 'done'
FROM issues, generate_series(1, 3) AS n ORDER BY registered_at
"""


async def multiply(connection: Administrator, issues: int, zone: ZoneInfo) -> int:
    """Let a register of seeds have at least so many issues more, and say how many these are."""
    seeds = [Seed(*row) for row in await connection.fetch(_SEEDS)]
    copies = list(planned(seeds, issues, datetime.now(UTC), zone))
    await connection.execute(_COPIES)
    await connection.copy_records_to_table("copies", records=copies, columns=Copy._fields)
    # References are whole by themselves: an issue is lived again with all that belongs to it.
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET enable_mergejoin = off; SET enable_nestloop = off")
    await connection.execute("ANALYZE copies")
    await connection.execute(_LATER)
    for table, columns, instants in await connection.fetch(_TABLES, list(_OF_ISSUES)):
        await connection.execute(_insert(table, columns, instants))
    await connection.execute(_STAFF, hands(issues))
    await connection.execute(_LOOKS)
    await connection.execute("DROP TABLE copies; RESET ALL")
    async with connection.transaction():
        await serials.go_on_above_all(connection)
    # As PostgreSQL itself does sooner or later.
    await connection.execute("VACUUM (ANALYZE)")
    return len(copies)


def _insert(table: str, columns: Sequence[str], instants: Sequence[bool]) -> str:
    """Write the statement that copies a table's rows, in the order of the copies."""
    otherwise = {**_OTHERWISE, **(_MESSAGES_OTHERWISE if table == "outbox" else {})}
    later = "c.origin + (s.{} - c.begun) * {}"
    values = [
        otherwise.get(name) or (later.format(name, SLOWED) if instant else f"s.{name}")
        for name, instant in zip(columns, instants, strict=True)
    ]
    key = "id" if table == "issues" else "issue_id"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608  ours
        f"FROM copies c JOIN {table} s ON s.{key} = c.seed"
    )

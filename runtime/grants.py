"""What the application's database role may do with each table.

Migrations are another role's, which owns the tables: so the application cannot rewrite what is kept
for ever, nor take the triggers away that would refuse it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:  # who only warns need not import it
    from sqlalchemy import Connection

READ = "SELECT"
APPEND = "SELECT, INSERT"
WRITE = "SELECT, INSERT, UPDATE"
KEEP = "SELECT, INSERT, UPDATE, DELETE"

RIGHTS: Mapping[str, str] = {
    "alembic_version": READ,
    "heartbeat": "SELECT, UPDATE",
    "standing": WRITE,
    "epochs": WRITE,
    # Kept for ever, as it was written.
    "rulebooks": APPEND,
    "adoptions": APPEND,
    "wordings": APPEND,
    "issue_events": APPEND,
    "form_history": APPEND,
    "known_case_history": APPEND,
    "quality_samples": APPEND,
    "quality_records": APPEND,
    "quality_checks": APPEND,
    "door_log": APPEND,
    "link_uses": APPEND,
    "standby_alarms": APPEND,
    "kept_words": APPEND,
    "report_editions": APPEND,
    "report_digests": APPEND,
    # Registers: nothing is ever taken out of them.
    "serials": WRITE,
    "issues": WRITE,
    "promises": WRITE,
    "outbox": WRITE,
    "handling_forms": WRITE,
    "callback_records": WRITE,
    "consultation_records": WRITE,
    "complaint_forms": WRITE,
    "remedies": WRITE,
    "paid_services": WRITE,
    "expert_panels": WRITE,
    "evaluations": WRITE,
    "difficulty_ratings": WRITE,
    "issue_links": WRITE,
    "issue_parties": WRITE,
    "calls": WRITE,
    "opinions": WRITE,
    "remarks_read": WRITE,
    "known_cases": WRITE,
    "tokens": WRITE,
    "audit_runs": KEEP,
    "audit_findings": KEEP,
    "ended_sessions": KEEP,
    "letter_senders": KEEP,
    "told_strangers": KEEP,
    "letters": KEEP,
    "attachments": KEEP,
    "webhook_endpoints": KEEP,
    "webhook_deliveries": KEEP,
    # Found by nothing that is kept no longer.
    "issue_words": "SELECT, INSERT, DELETE",
    # The roster goes by its files.
    "centres": KEEP,
    "members": KEEP,
    "channels": KEEP,
    "duty_exceptions": KEEP,
    "roster_version": "SELECT, UPDATE",
}
"""Every table has its line here; one without may be read and appended to until it has."""
REPORTS_READER = "yinuo_reports"
"""Reads the views ``report_…`` and nothing else, if there is such a role: for BI tools (R30)."""

_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
_OWNS_TRAIL = """
SELECT current_user FROM pg_class
WHERE oid = to_regclass('door_log')
    AND (pg_has_role(relowner, 'USAGE') OR has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE'))
"""


def grant(connection: "Connection", role: str) -> None:
    """Give `role` its rights to all tables of this schema, and take every other one away."""
    ask = connection.exec_driver_sql
    quoted = ask("SELECT quote_ident($1)", (role,)).scalar_one()
    schema = ask("SELECT quote_ident(current_schema())").scalar_one()
    tables = ask(f"{_TABLES} AND relkind IN ('r', 'p')").scalars()
    views = ask(f"{_TABLES} AND relkind = 'v'").scalars().all()
    reader = ask("SELECT true FROM pg_roles WHERE rolname = $1", (REPORTS_READER,)).first()
    commands = [
        f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {quoted}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {quoted}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {APPEND} ON TABLES TO {quoted}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {quoted}",
        *(f'GRANT {RIGHTS.get(name, APPEND)} ON "{name}" TO {quoted}' for name in tables),
        *(f'GRANT {READ} ON "{name}" TO {quoted}' for name in views),
    ]
    if reader is not None:
        shown = [name for name in views if name.startswith("report_")]
        commands.append(f"GRANT USAGE ON SCHEMA {schema} TO {REPORTS_READER}")
        commands += [f'GRANT {READ} ON "{name}" TO {REPORTS_READER}' for name in shown]
    for command in commands:
        ask(command)


async def warning(pool: "asyncpg.Pool[Any]") -> str | None:
    """What to tell whoever runs an application that could rewrite its audit trail."""
    role = await pool.fetchval(_OWNS_TRAIL)
    if role is None:
        return None
    return (
        f"the application's database role {role} could rewrite its audit trail: give migrations a"
        " role of their own with YINUO_MIGRATION_URL (docs/operations.md)"
    )

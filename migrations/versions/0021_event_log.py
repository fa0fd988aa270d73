"""The events of all issues in one order, in which whoever reads on misses none.

Revision ID: 0021
Revises: 0020
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE standing ADD COLUMN turns_ahead bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN standing.turns_ahead IS
    'Turns of events begin above it: nobody knows which ones the server before gave out.';

CREATE FUNCTION event_turn() RETURNS bigint LANGUAGE sql VOLATILE
    RETURN (SELECT turns_ahead FROM standing) + pg_current_xact_id()::text::bigint;
COMMENT ON FUNCTION event_turn IS 'The turn of whatever this transaction writes.';

CREATE FUNCTION turns_over() RETURNS bigint LANGUAGE sql STABLE
    RETURN (SELECT turns_ahead FROM standing)
        + pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
COMMENT ON FUNCTION turns_over IS 'Below it no turn brings anything that is not seen already.';

ALTER TABLE issue_events ADD COLUMN turn bigint NOT NULL DEFAULT 0;
ALTER TABLE issue_events ALTER COLUMN turn SET DEFAULT event_turn();
COMMENT ON COLUMN issue_events.turn IS
    'Of the transaction that wrote it; events from before there were turns have 0.';

ALTER TABLE issue_events ADD COLUMN written_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE issue_events ALTER COLUMN written_at SET DEFAULT clock_timestamp();
COMMENT ON COLUMN issue_events.written_at IS
    'When the row was made: later than recorded_at if the register was away.';

CREATE INDEX issue_events_in_order ON issue_events (turn, recorded_at, issue_id, seq);
CREATE INDEX issue_events_by_time ON issue_events USING brin (greatest(written_at, recorded_at));
"""


def upgrade() -> None:
    """Give events their turn. No row is written anew: older ones stand first, by their time."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

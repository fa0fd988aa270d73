"""Receivers of events, and what waits for each of them.

Revision ID: 0022
Revises: 0021
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE webhook_endpoints (
    id           text PRIMARY KEY,
    url          text NOT NULL,
    types        text[] NOT NULL,
    source       text,
    department   text,
    label        text NOT NULL,
    secret       text NOT NULL,
    former       text,
    former_until timestamptz,
    state        text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'failed')),
    why          text,
    created_at   timestamptz NOT NULL,
    cursor       text NOT NULL,
    failures     integer NOT NULL DEFAULT 0,
    rests_until  timestamptz,
    tried_at     timestamptz,
    taken_at     timestamptz,
    last_error   text,
    held_by      text,
    held_until   timestamptz
);
COMMENT ON TABLE webhook_endpoints IS 'Receivers of events, by Standard Webhooks.';
COMMENT ON COLUMN webhook_endpoints.secret IS
    'Sealed by the desk''s secret; so is the former one, which signs as well for a while.';
COMMENT ON COLUMN webhook_endpoints.cursor IS 'How far in the log of events it was looked.';
COMMENT ON COLUMN webhook_endpoints.held_by IS 'The worker that tells it, until held_until.';

CREATE TABLE webhook_deliveries (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint   text NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id   text NOT NULL,
    issue_id   text NOT NULL,
    seq        integer NOT NULL,
    body       text NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    first_at   timestamptz,
    next_at    timestamptz NOT NULL DEFAULT '-infinity',
    last_error text,
    UNIQUE (endpoint, event_id)
);
COMMENT ON TABLE webhook_deliveries IS
    'What was looked out for a receiver and is not accepted yet, in the order of the log.';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (endpoint, issue_id, id);
"""


def upgrade() -> None:
    """Nobody is told yet."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

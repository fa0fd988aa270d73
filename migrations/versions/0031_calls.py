"""Calls that the telephone system recorded, beside the issues they were about (R45).

Revision ID: 0031
Revises: 0030
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE calls (
    source       text NOT NULL,
    id           text NOT NULL,
    at           timestamptz NOT NULL,
    direction    text NOT NULL CHECK (direction IN ('incoming', 'outgoing')),
    number       text,
    ring_seconds integer CHECK (ring_seconds >= 0),
    talk_seconds integer CHECK (talk_seconds >= 0),
    agent        text,
    recording    text,
    issue_id     text REFERENCES issues (id),
    heard_at     timestamptz NOT NULL,
    PRIMARY KEY (source, id)
);
COMMENT ON TABLE calls IS '《通话记录》 (R45): what the telephone system knows of each call.';
COMMENT ON COLUMN calls.id IS 'The telephone system''s own, of the source that sent it.';
COMMENT ON COLUMN calls.talk_seconds IS 'NULL: nobody answered; an incoming call was lost.';
COMMENT ON COLUMN calls.recording IS 'Where the recording lies; the sound is not kept here.';
CREATE INDEX calls_by_issue ON calls (issue_id, at) WHERE issue_id IS NOT NULL;
CREATE INDEX calls_by_time ON calls (at);
"""


def upgrade() -> None:
    """No call is known yet."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

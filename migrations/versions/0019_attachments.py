"""Photographs and files of issues: who attached what; the contents themselves lie outside.

Revision ID: 0019
Revises: 0018
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE attachments (
    id       text PRIMARY KEY,
    issue_id text NOT NULL,
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    role     text NOT NULL,
    door     text NOT NULL,
    name     text NOT NULL,
    kind     text NOT NULL,
    size     bigint NOT NULL CHECK (size > 0),
    digest   text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    shown_to text NOT NULL,
    standing text NOT NULL,
    UNIQUE (issue_id, digest, name)
);
COMMENT ON TABLE attachments IS
    'Photographs and files, as long as the policy keeps them ([attachments]); confidential (R30).';
COMMENT ON COLUMN attachments.id IS '128 bits by chance: nobody guesses one.';
COMMENT ON COLUMN attachments.issue_id IS
    'Workflow id, of an issue that the register may not have yet.';
COMMENT ON COLUMN attachments.kind IS 'The media type that was found in the content.';
COMMENT ON COLUMN attachments.digest IS
    'SHA-256 of the content, and its name where contents are kept (YINUO_ATTACHMENTS).';
COMMENT ON COLUMN attachments.standing IS
    'served; waiting: for the scanner, shown to nobody; removed: its content is kept no longer.';
CREATE INDEX attachments_by_digest ON attachments (digest);
CREATE INDEX attachments_by_time ON attachments (at);
CREATE INDEX attachments_waiting ON attachments (at) WHERE standing = 'waiting';
"""


def upgrade() -> None:
    """Keep attachments."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

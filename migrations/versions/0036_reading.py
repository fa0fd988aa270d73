"""What of customers' words somebody has read, and what became of them (R41).

Revision ID: 0036
Revises: 0035
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE remarks_read (
    key        text PRIMARY KEY,
    read_by    text NOT NULL,
    read_at    timestamptz NOT NULL,
    complaint  text REFERENCES issues (id)
);
COMMENT ON TABLE remarks_read IS
    'Words of customers that somebody who answers for the service has read (R41).';
COMMENT ON COLUMN remarks_read.key IS 'Of the evaluation, or the callback, that they stand in.';
COMMENT ON COLUMN remarks_read.complaint IS 'What they became.';
"""


def upgrade() -> None:
    """Nobody has read anything yet."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

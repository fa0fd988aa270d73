"""Letters as they came, kept with the issues that were made of them.

Revision ID: 0014
Revises: 0013
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE letters (
    issue_id    text NOT NULL,
    id          text NOT NULL,
    received_at timestamptz NOT NULL,
    size        integer NOT NULL,
    packed      bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (issue_id, id)
);
COMMENT ON TABLE letters IS
    'Letters as they came, for as long as the policy keeps them ([letters]); confidential (R30).';
COMMENT ON COLUMN letters.issue_id IS
    'Workflow id, of an issue that the register may not have yet.';
COMMENT ON COLUMN letters.id IS 'What the letter is known by: a hash of all of it.';
COMMENT ON COLUMN letters.packed IS 'The letter, compressed (zlib); size is that of before.';
CREATE INDEX letters_by_time ON letters (received_at);
"""


def upgrade() -> None:
    """Keep letters."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Promises that run, found without looking at those that ended.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEX = """
CREATE INDEX promises_of_issue_running ON promises (issue_id)
    INCLUDE (kind, due_at, paused_at, outcome, provisional) WHERE ended_at IS NULL
"""


def upgrade() -> None:
    """Lists and boards ask how the promises of thousands of issues stand: all of it is in here."""
    op.execute(sa.text(INDEX))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

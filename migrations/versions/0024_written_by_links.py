"""Customers write by their links, so often an hour.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the uses of links be counted by issue."""
    op.execute(sa.text("CREATE INDEX link_uses_by_issue ON link_uses (number, purpose)"))
    op.execute(
        sa.text(
            "COMMENT ON TABLE link_uses IS"
            " 'Links that did what they are for, by their digest; and what was written by links.'"
        )
    )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

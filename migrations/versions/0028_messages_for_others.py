"""What the issue that speaks for another told its customer is found from that one's thread.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Few messages are for another issue's customer."""
    op.execute("CREATE INDEX outbox_for_issue ON outbox (for_issue) WHERE for_issue IS NOT NULL")


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

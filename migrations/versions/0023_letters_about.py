"""Letters that became no issue of their own, but words of the one they name.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the count of letters a place for the issue that one is about."""
    op.execute(sa.text("ALTER TABLE letter_senders ADD COLUMN about text"))
    op.execute(
        sa.text(
            "COMMENT ON COLUMN letter_senders.about IS"
            " 'the issue that it names and was added to; none: it became one itself'"
        )
    )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

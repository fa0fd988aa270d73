"""Customer data that proved wrong can be corrected (R44).

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count how often a customer proved to be reached elsewhere, and a message was rewritten."""
    op.execute(sa.text("ALTER TABLE issues ADD COLUMN redirected integer NOT NULL DEFAULT 0"))
    op.execute(
        sa.text(
            "COMMENT ON COLUMN issues.redirected IS"
            " 'How often telephone or e-mail proved wrong: links sent before open nothing (R44)'"
        )
    )
    op.execute(sa.text("ALTER TABLE outbox ADD COLUMN revision integer NOT NULL DEFAULT 0"))
    op.execute(
        sa.text(
            "COMMENT ON COLUMN outbox.revision IS"
            " 'How often it was written anew before it was sent: another address, other words'"
        )
    )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

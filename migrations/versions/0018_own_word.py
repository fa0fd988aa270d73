"""Promises that are kept by somebody's own word only.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the ledger a place for when such a word was given; of earlier ones nobody kept it."""
    op.execute(sa.text("ALTER TABLE promises ADD COLUMN own_word_at timestamptz"))
    op.execute(
        sa.text(
            "COMMENT ON COLUMN promises.own_word_at IS"
            " 'when somebody said that it had been kept, broken already: R11, R12'"
        )
    )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

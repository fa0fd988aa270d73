"""An issue keeps what the policy said of its kind and category when it came in.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty is what it has always been for that kind or category."""
    op.execute("ALTER TABLE issues ADD COLUMN behaves text, ADD COLUMN outside boolean")
    op.execute(
        "COMMENT ON COLUMN issues.behaves IS"
        " 'What the desk does about its kind (domain/terms.py); empty: as ever.'"
    )
    op.execute(
        "COMMENT ON COLUMN issues.outside IS"
        " 'Whether its category is not ours to solve (R4); empty: as ever.'"
    )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

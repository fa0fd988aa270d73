"""Results have a fault code of the desk's list, with what it was called then (R43).

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Results of before have none."""
    for form in ("handling_forms", "consultation_records"):
        op.execute(f"ALTER TABLE {form} ADD COLUMN fault text, ADD COLUMN fault_name text")


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

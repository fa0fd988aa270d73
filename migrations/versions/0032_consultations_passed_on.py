"""What is passed to a business unit is on the consultation record before it is answered (R38).

Revision ID: 0032
Revises: 0031
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE consultation_records
    ALTER COLUMN agent DROP NOT NULL,
    ALTER COLUMN answered_at DROP NOT NULL,
    ALTER COLUMN answer DROP NOT NULL,
    ALTER COLUMN on_the_line DROP NOT NULL,
    ALTER COLUMN to_be_tested DROP NOT NULL,
    ADD COLUMN passed_to text,
    ADD COLUMN passed_by text,
    ADD COLUMN passed_at timestamptz,
    ADD CONSTRAINT consultation_answered
        CHECK ((answered_at IS NULL) = (answer IS NULL) AND (answer IS NULL) = (agent IS NULL)),
    ADD CONSTRAINT consultation_at_all CHECK (coalesce(passed_to, answer) IS NOT NULL);
"""


def upgrade() -> None:
    """The hotline's records have all of it as before."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

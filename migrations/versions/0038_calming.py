"""An agitated complainant is calmed first, by somebody with a name (R47).

Revision ID: 0038
Revises: 0036
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE issues ADD COLUMN agitated boolean NOT NULL DEFAULT false;
ALTER TABLE complaint_forms
    ADD COLUMN calming_by text,
    ADD COLUMN calmed_by text,
    ADD COLUMN calmed_at timestamptz,
    ADD COLUMN calmed_words text,
    ADD CONSTRAINT calmed_by_somebody CHECK (
        (calmed_at IS NULL) = (calmed_by IS NULL) AND (calmed_by IS NULL) = (calmed_words IS NULL)
    );
"""


def upgrade() -> None:
    """Nobody was said to be agitated before."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

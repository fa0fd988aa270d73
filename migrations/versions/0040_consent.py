"""Whether the customer agrees that their issue is passed on (R35).

Revision ID: 0040
Revises: 0039
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE issues
    ADD COLUMN consent text CONSTRAINT consent_known CHECK (consent IN ('yes', 'no', 'not_asked')),
    ADD COLUMN consent_since text
        CONSTRAINT consent_since_known CHECK (consent_since IN ('yes', 'no', 'not_asked')),
    ADD COLUMN consent_words text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Nobody wrote it down before."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Short messages: what they lead to, and the language that a customer is written to in.

Revision ID: 0017
Revises: 0016
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE issues ADD COLUMN language text;
COMMENT ON COLUMN issues.language IS 'What the customer is written to in; NULL: as the desk does.';

ALTER TABLE outbox ADD COLUMN full_text text;
COMMENT ON COLUMN outbox.full_text IS
    'All there was to say, where the body is short and leads to it by a link.';
"""


def upgrade() -> None:
    """Add what a text message has no room for."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

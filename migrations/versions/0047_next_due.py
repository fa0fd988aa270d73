"""What is due next is found without looking at all that runs.

Revision ID: 0047
Revises: 0046
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE INDEX promises_next_due ON promises (due_at)
    WHERE ended_at IS NULL AND paused_at IS NULL
        AND kind NOT IN ('confirmation', 'customer_test', 'evaluation', 'waiting');
COMMENT ON INDEX promises_next_due IS
    'What the desk owes, its clock moving, by due time: boards and lists begin with it.';

CREATE INDEX issues_open_by_registration ON issues (registered_at DESC, id)
    WHERE closed_at IS NULL;
COMMENT ON INDEX issues_open_by_registration IS
    'Open issues, the newest first: as lists have those of which nothing is due.';
"""


def upgrade() -> None:
    """Index both parts of a list in their order."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Promises that run, and messages that were handed to a person: found without all the others.

Revision ID: 0013
Revises: 0012
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE INDEX promises_of_issue_running ON promises (issue_id)
    INCLUDE (kind, due_at, paused_at, outcome, provisional) WHERE ended_at IS NULL;
COMMENT ON INDEX promises_of_issue_running IS
    'How the promises of thousands of issues stand, as boards and lists ask, is all in here.';

CREATE INDEX outbox_handed_over ON outbox (created_at) WHERE handed_to IS NOT NULL;
"""


def upgrade() -> None:
    """Index what is left over of much that has been settled."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""What goes along with a message as files: an edition of a report (R27).

Revision ID: 0044
Revises: 0043
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE outbox ADD COLUMN encloses jsonb;
ALTER TABLE outbox ADD CONSTRAINT issues_enclose_nothing
    CHECK (encloses IS NULL OR issue_id IS NULL);
COMMENT ON COLUMN outbox.encloses IS 'Which edition of a report, and of whose department.';
"""


def upgrade() -> None:
    """Letters that wait already go as they were written."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

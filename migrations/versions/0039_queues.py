"""What comes in by web and mail waits in a queue until an agent takes it (R36).

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE issues ADD COLUMN queue text;
ALTER TABLE issues ADD COLUMN taken_by text;
COMMENT ON COLUMN issues.queue IS 'The queue of the hotline it came in by (R36); NULL: by none.';
COMMENT ON COLUMN issues.taken_by IS 'The agent who took it out of the queue (R36).';
CREATE INDEX issues_queued ON issues (id) WHERE queue IS NOT NULL AND closed_at IS NULL;
CREATE INDEX issues_taken_by ON issues (taken_by) WHERE taken_by IS NOT NULL;
"""


def upgrade() -> None:
    """Of what is there nobody waits in a queue."""
    for statement in SCRIPT.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

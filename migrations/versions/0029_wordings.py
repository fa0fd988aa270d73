"""The desk's scripts are kept in every version that was loaded (R40).

Revision ID: 0029
Revises: 0028
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE wordings (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version   text NOT NULL,
    body      jsonb NOT NULL,
    loaded_by text NOT NULL,
    note      text NOT NULL DEFAULT '',
    loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE wordings IS 'What is said on the telephone; the one loaded last counts.';
CREATE TRIGGER wordings_append_only BEFORE UPDATE OR DELETE ON wordings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Scripts are the desk's own data."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

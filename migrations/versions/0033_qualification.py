"""What people have shown that they know, and what they can do, is on the roster (R46).

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ROSTER = "id, name, role, department, centre, certified, tests, skills, shift, contacts, left_at"

TRIGGER = f"""
CREATE TRIGGER members_are_the_roster
    AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF {_ROSTER} ON members
    FOR EACH STATEMENT EXECUTE FUNCTION renew_roster_version()
"""


def upgrade() -> None:
    """With a change of either the roster is another."""
    for statement in (
        "ALTER TABLE members ADD COLUMN tests jsonb NOT NULL DEFAULT '[]'",
        "ALTER TABLE members ADD COLUMN skills jsonb NOT NULL DEFAULT '[]'",
        "COMMENT ON COLUMN members.tests IS 'Quarterly tests: day and mark (R46)'",
        "DROP TRIGGER members_are_the_roster ON members",
        TRIGGER,
    ):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

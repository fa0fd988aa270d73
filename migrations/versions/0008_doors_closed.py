"""Sessions that were ended; and who is in the audit trail without a role of the desk's.

Revision ID: 0008
Revises: 0007
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE ended_sessions (
    session  text PRIMARY KEY,
    ended_at timestamptz NOT NULL
);
COMMENT ON TABLE ended_sessions IS
    'Sessions whose people signed out, by their ids, for as long as their cookies are not over.';
CREATE INDEX ended_sessions_by_time ON ended_sessions (ended_at);

ALTER TABLE door_log ALTER COLUMN role DROP NOT NULL;
COMMENT ON COLUMN door_log.role IS
    'None: they were not let in, or have the command line, as users of the operating system.';
COMMENT ON COLUMN door_log.via IS
    'Token by its id, session, link, webhook, mailbox, company or command line; or what was tried.';
"""


def upgrade() -> None:
    """Ended sessions, and rows of the audit trail without a role."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""The doors: who may come in, which links were used, and who did or saw what.

Revision ID: 0007
Revises: 0006
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE tokens (
    id         text PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,
    role       text NOT NULL,
    person     text NOT NULL,
    label      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE tokens IS 'Bearer tokens, by the SHA-256 of their 256 random bits.';
COMMENT ON COLUMN tokens.person IS
    'Id on the roster; of an intake system: the source it registers under.';

CREATE TABLE link_uses (
    link    text PRIMARY KEY,
    number  text NOT NULL,
    purpose text NOT NULL,
    person  text NOT NULL,
    used_at timestamptz NOT NULL,
    address text NOT NULL
);
COMMENT ON TABLE link_uses IS 'Single-purpose links that did what they are for, by their digest.';

CREATE TABLE door_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    person  text NOT NULL,
    role    text NOT NULL,
    via     text NOT NULL,
    address text NOT NULL,
    what    text NOT NULL,
    number  text,
    outcome text NOT NULL
);
COMMENT ON TABLE door_log IS
    'Audit trail: who did or saw what, from which address, when (R30). No customer data.';
COMMENT ON COLUMN door_log.via IS 'Token by its id, session, link, webhook or mailbox.';
COMMENT ON COLUMN door_log.outcome IS
    'done, refused and why, or seen for a look at customer data, written before it is shown.';
CREATE INDEX door_log_by_time ON door_log (at);
CREATE INDEX door_log_by_issue ON door_log (number, at);
CREATE TRIGGER door_log_append_only BEFORE UPDATE OR DELETE ON door_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE INDEX issues_by_agent ON issues (agent, registered_at DESC) WHERE closed_at IS NULL;
CREATE INDEX issues_open_by_department ON issues (department) WHERE closed_at IS NULL;
"""


def upgrade() -> None:
    """Tokens, used links, and the audit trail of the doors."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

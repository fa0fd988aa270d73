"""The standing of the register: its epochs, whether it may be worked on, and numbers never given
out again.

Revision ID: 0010
Revises: 0009
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE FUNCTION this_server() RETURNS text LANGUAGE sql STABLE
    RETURN concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
                     (SELECT oid FROM pg_database WHERE datname = current_database()),
                     pg_relation_filenode('issues'));
COMMENT ON FUNCTION this_server IS
    'Names the register where it now is: another after a restart, a failover, a restored copy.';

CREATE TABLE standing (
    only_one     boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'held')),
    reason       text,
    since        timestamptz,
    proof        text,
    serial_floor integer NOT NULL DEFAULT 0,
    floor_until  date NOT NULL DEFAULT '-infinity',
    CHECK ((state = 'held') = (reason IS NOT NULL)),
    CHECK ((state = 'held') = (since IS NOT NULL))
);
COMMENT ON TABLE standing IS 'Whether the register may be worked on; one row.';
COMMENT ON COLUMN standing.proof IS
    'this_server() for which it was last seen that the register is not older than Temporal.';
COMMENT ON COLUMN standing.serial_floor IS
    'Numbers of days up to floor_until begin above it: nobody knows what a lost register gave out.';

CREATE TABLE epochs (
    number       integer NOT NULL,
    begun_at     timestamptz NOT NULL,
    confirmed_at timestamptz,
    PRIMARY KEY (number, begun_at)
);
COMMENT ON TABLE epochs IS
    'All epochs of the register; Temporal keeps the newest. Confirmed: Temporal had it.';

INSERT INTO standing (proof) VALUES (this_server());
"""


def upgrade() -> None:
    """An existing register counts as it is until it is first compared with Temporal."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

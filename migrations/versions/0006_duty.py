"""Duty rosters: other shifts on some days, people who left, stand-by alarms.

Revision ID: 0006
Revises: 0005
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE members ADD COLUMN left_at timestamptz;
COMMENT ON COLUMN members.left_at IS
    'Not on the roster any more since then; kept while an open issue is still with them.';
ALTER TABLE members ALTER COLUMN centre DROP NOT NULL;
ALTER TABLE members DROP CONSTRAINT members_centre_fkey;
ALTER TABLE members ADD CONSTRAINT members_centre_fkey
    FOREIGN KEY (centre) REFERENCES centres ON DELETE SET NULL;
ALTER TABLE members ADD CONSTRAINT members_work_somewhere
    CHECK (centre IS NOT NULL OR left_at IS NOT NULL);
ALTER TABLE members ADD CONSTRAINT members_who_left_are_off
    CHECK (left_at IS NULL OR shift = 'off');

CREATE TABLE duty_exceptions (
    person      text NOT NULL REFERENCES members ON DELETE CASCADE,
    first       date NOT NULL,
    until       date NOT NULL,
    shift       text NOT NULL,
    reason      text NOT NULL,
    recorded_by text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, first),
    CHECK (until >= first)
);
COMMENT ON TABLE duty_exceptions IS
    'Days of the desk, both counted, on which somebody has another shift than usual, or none (R16)';
COMMENT ON COLUMN duty_exceptions.recorded_by IS
    'Who entered it; null: it came with the roster''s files, and goes with them.';

CREATE TABLE standby_alarms (
    department text NOT NULL,
    centre     text NOT NULL,
    day        date NOT NULL,
    raised_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (department, centre, day)
);
COMMENT ON TABLE standby_alarms IS
    'Core groups that fell under their stand-by share, once a day of the desk (R16)';
"""


def upgrade() -> None:
    """Exceptions from the usual shifts; whoever leaves does so without losing an issue."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""What the deep audit saw each time, and what it found.

Revision ID: 0011
Revises: 0010
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE audit_runs (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at  timestamptz NOT NULL,
    ended_at  timestamptz NOT NULL,
    issues    integer NOT NULL,
    workflows integer NOT NULL
);
COMMENT ON TABLE audit_runs IS 'Deep audits of the whole desk; kept for a year.';
CREATE INDEX audit_runs_by_time ON audit_runs (ended_at);

CREATE TABLE audit_findings (
    run      bigint NOT NULL REFERENCES audit_runs ON DELETE CASCADE,
    kind     text NOT NULL,
    issue_id text NOT NULL,
    number   text,
    about    text NOT NULL,
    seen     text NOT NULL,
    PRIMARY KEY (run, kind, issue_id, about)
);
COMMENT ON TABLE audit_findings IS 'What was wrong, by kind; docs/audit.md says what to do.';
COMMENT ON COLUMN audit_findings.issue_id IS
    'Workflow id, of an issue the register may not have; empty: of the desk as a whole.';
"""


def upgrade() -> None:
    """Keep audits."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Quality checks: which records were drawn, and what was found in them.

Revision ID: 0005
Revises: 0004
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE quality_samples (
    number     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    first_day  date NOT NULL,
    last_day   date NOT NULL,
    zone       text NOT NULL,
    seed       text NOT NULL,
    share      double precision NOT NULL CHECK (share > 0 AND share <= 1),
    rulebook   text NOT NULL REFERENCES rulebooks,
    population jsonb NOT NULL CHECK (population <> '{}'),
    drawn_by   text NOT NULL,
    drawn_at   timestamptz NOT NULL,
    UNIQUE (first_day, last_day, seed),
    CHECK (first_day <= last_day)
);
COMMENT ON TABLE quality_samples IS '《质量抽检单》 quality samples (R28)';
COMMENT ON COLUMN quality_samples.population IS 'Records closed in the period, by handler.';

CREATE TABLE quality_records (
    sample   integer NOT NULL REFERENCES quality_samples,
    issue_id text NOT NULL REFERENCES issues,
    handler  text NOT NULL,
    PRIMARY KEY (sample, issue_id)
);
COMMENT ON TABLE quality_records IS 'The records that were drawn, and whose they were.';

CREATE TABLE quality_checks (
    sample     integer NOT NULL,
    issue_id   text NOT NULL,
    checker    text NOT NULL,
    revision   integer NOT NULL,
    error      text CHECK (error <> ''),
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (sample, issue_id, checker, revision),
    FOREIGN KEY (sample, issue_id) REFERENCES quality_records
);
COMMENT ON TABLE quality_checks IS
    '《质量抽检记录》 what was found; the last revision of each checker counts (R28)';
COMMENT ON COLUMN quality_checks.error IS 'What is wrong with the record; NULL: nothing.';

CREATE INDEX issues_by_closing ON issues (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX callback_records_by_call ON callback_records (called_at);
"""

KEPT = ("quality_samples", "quality_records", "quality_checks")


def upgrade() -> None:
    """Make the tables, and whatever they hold unchangeable."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))
    for table in KEPT:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
        )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

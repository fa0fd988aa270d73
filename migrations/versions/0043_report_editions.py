"""Editions of the reports, as they were issued (R27); messages that are about no issue.

Revision ID: 0043
Revises: 0042
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE report_editions (
    report      text NOT NULL,
    period      text NOT NULL,
    edition     integer NOT NULL CHECK (edition > 0),
    counted     jsonb NOT NULL,
    departments jsonb NOT NULL DEFAULT '{}',
    changes     jsonb NOT NULL DEFAULT '[]',
    rulebook    text NOT NULL,
    counted_at  timestamptz NOT NULL,
    issued_at   timestamptz NOT NULL,
    reason      text,
    request     text UNIQUE,
    PRIMARY KEY (report, period, edition)
);
COMMENT ON TABLE report_editions IS
    'Reports as they were issued: never changed, only followed by another edition (R27).';
COMMENT ON COLUMN report_editions.period IS '2026-W47, 2026-11, 2026-Q4 or 2026.';
COMMENT ON COLUMN report_editions.counted IS 'All figures, with what customers said (R30).';
COMMENT ON COLUMN report_editions.departments IS
    'The same of each department alone, for those who read no more.';
COMMENT ON COLUMN report_editions.changes IS 'What it says otherwise than the one before.';
COMMENT ON COLUMN report_editions.request IS 'What asked for it; null: it was due.';
CREATE TRIGGER report_editions_append_only BEFORE UPDATE OR DELETE ON report_editions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE report_digests (
    day        date PRIMARY KEY,
    messages   integer NOT NULL,
    written_at timestamptz NOT NULL
);
COMMENT ON TABLE report_digests IS 'Mornings whose digests were written, once each.';

ALTER TABLE outbox ALTER COLUMN issue_id DROP NOT NULL;
ALTER TABLE outbox ADD CONSTRAINT customers_hear_of_issues
    CHECK (issue_id IS NOT NULL OR audience <> 'customer');
COMMENT ON COLUMN outbox.issue_id IS 'Null: it is about none, such as a report.';
"""


def upgrade() -> None:
    """Nothing was issued before."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Issues about the same: linked, or one merged into the other.

Revision ID: 0025
Revises: 0024
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE issue_links (
    issue_id  text NOT NULL REFERENCES issues,
    other     text NOT NULL REFERENCES issues,
    linked_by text NOT NULL,
    linked_at timestamptz NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (issue_id, other),
    CHECK (issue_id <> other)
);
COMMENT ON TABLE issue_links IS 'Issues that are about the same; each shows the other.';
CREATE INDEX issue_links_by_other ON issue_links (other);

CREATE TABLE issue_parties (
    issue_id   text NOT NULL REFERENCES issues,
    number     text NOT NULL,
    party_id   text NOT NULL REFERENCES issues,
    since      timestamptz NOT NULL,
    name       text NOT NULL,
    phone      text,
    email      text,
    language   text,
    title      text NOT NULL,
    site       text,
    redirected integer NOT NULL DEFAULT 0,
    PRIMARY KEY (issue_id, number)
);
COMMENT ON TABLE issue_parties IS
    'Whom else an issue answers: the customers of those that were merged into it (R6).';
CREATE INDEX issue_parties_by_party ON issue_parties (party_id);

ALTER TABLE issues ADD COLUMN merged_into text REFERENCES issues;
COMMENT ON COLUMN issues.merged_into IS 'The issue that speaks for this one (R6).';
ALTER TABLE issues DROP CONSTRAINT issues_answered_before_closed;
ALTER TABLE issues ADD CONSTRAINT issues_answered_before_closed CHECK (
    answered OR outcome IS NULL OR outcome IN ('withdrawn', 'cancelled', 'terminated')
    OR (outcome = 'merged' AND merged_into IS NOT NULL));
CREATE INDEX issues_by_survivor ON issues (merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE outbox ADD COLUMN for_issue text REFERENCES issues;
COMMENT ON COLUMN outbox.for_issue IS
    'Whose customer it goes to, if that is not its own: of one that was merged into it.';
"""


def upgrade() -> None:
    """Let issues know of each other."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""By which words an issue is found, and its number from the end.

Revision ID: 0026
Revises: 0025
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE issue_words (
    issue_id text NOT NULL REFERENCES issues,
    seq      integer NOT NULL,
    kept     text NOT NULL,
    takes    text NOT NULL,
    search   tsvector NOT NULL,
    PRIMARY KEY (issue_id, seq, kept, takes)
);
COMMENT ON TABLE issue_words IS
    'Terms of domain/knowledge/search_terms.py, of what was said in a step or is kept beside it.';
COMMENT ON COLUMN issue_words.seq IS 'The step''s; 0: of what is kept beside.';
COMMENT ON COLUMN issue_words.kept IS 'The key of kept_words; else empty.';
COMMENT ON COLUMN issue_words.takes IS
    'The right it takes to find the issue by these words (domain/staff/access.py).';
CREATE INDEX issue_words_search ON issue_words USING gin (search) WITH (fastupdate = off);

ALTER TABLE issues ADD COLUMN worded integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN issues.worded IS 'Up to which step issue_words has what was said.';

CREATE INDEX issues_by_tail ON issues (reverse(translate(number, '-', '')) text_pattern_ops);
CREATE INDEX issues_of_department ON issues (department, registered_at DESC);
CREATE INDEX issues_of_engineer ON issues (engineer, registered_at DESC);
"""


def upgrade() -> None:
    """Make the tables. What was said before is found little by little (store/issue_words.py)."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

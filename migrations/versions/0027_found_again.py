"""What files are called, and telephones of before, find their issue; what a stranger wrote finds it
for those who read it.

Revision ID: 0027
Revises: 0026
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# A file may come before its issue is in the register, so issue_words need not name one that is.
SCRIPT = """
ALTER TABLE issue_words DROP CONSTRAINT issue_words_issue_id_fkey;
COMMENT ON COLUMN issue_words.kept IS
    'The key of kept_words, or the id of attachments; else empty.';

CREATE INDEX issue_events_by_telephone
    ON issue_events (dialled(content #>> '{was,phone}') text_pattern_ops)
    WHERE action = 'amend';
CREATE INDEX issue_events_by_last_digits
    ON issue_events (reverse(dialled(content #>> '{was,phone}')) text_pattern_ops)
    WHERE action = 'amend';
"""
DONE_AGAIN = """
DELETE FROM issue_words w USING issue_events e
WHERE e.issue_id = w.issue_id AND e.seq = w.seq
    AND e.action = 'customer_wrote' AND e.content->>'known' = 'false';
UPDATE issues SET worded = 0
WHERE id IN (SELECT issue_id FROM attachments) OR id IN (
    SELECT issue_id FROM issue_events
    WHERE action = 'customer_wrote' AND content->>'known' = 'false'
);
"""


def upgrade() -> None:
    """Take out what is done again, little by little, by the audit (store/issue_words.py)."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip() + "\n" + DONE_AGAIN.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

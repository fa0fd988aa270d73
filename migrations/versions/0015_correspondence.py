"""Words that came in about an issue and are no issue of their own; who wrote which letter when;
what strangers were told.

Revision ID: 0015
Revises: 0014
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE kept_words (
    key      text PRIMARY KEY,
    issue_id text NOT NULL REFERENCES issues,
    at       timestamptz NOT NULL,
    door     text NOT NULL,
    sender   text NOT NULL,
    subject  text NOT NULL,
    body     text NOT NULL,
    why      text NOT NULL
);
COMMENT ON TABLE kept_words IS
    'What somebody wrote that is no issue of its own, with the issue it is kept with.';
COMMENT ON COLUMN kept_words.key IS 'What it is, so that the same words are kept once.';
CREATE INDEX kept_words_by_issue ON kept_words (issue_id, at);

CREATE TABLE letter_senders (
    issue_id   text PRIMARY KEY,
    message_id text,
    sender     text NOT NULL,
    words      text NOT NULL,
    at         timestamptz NOT NULL
);
COMMENT ON TABLE letter_senders IS
    'Who wrote the letters that became issues, or are just becoming them: counted by the hour.';
COMMENT ON COLUMN letter_senders.message_id IS 'As the letter has it: what our letters answer.';
COMMENT ON COLUMN letter_senders.sender IS 'The address as addresses are compared.';
COMMENT ON COLUMN letter_senders.words IS
    'A hash of what it says, the same for letters that are alike.';
CREATE INDEX letter_senders_by_hour ON letter_senders (sender, at);

CREATE TABLE told_strangers (
    address text PRIMARY KEY,
    told    timestamptz[] NOT NULL
);
COMMENT ON TABLE told_strangers IS
    'When an address that nobody vouches for was written to in the last hour: so often, no more.';

CREATE INDEX issues_by_email ON issues (lower(email)) WHERE email IS NOT NULL;
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""Evaluations without a link: on the website, by telephone, on paper (R26).

Revision ID: 0035
Revises: 0034
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE opinions (
    key        text NOT NULL,
    item       text NOT NULL CHECK (item IN ('pre_sales', 'project', 'after_sales')),
    at         timestamptz NOT NULL,
    way        text NOT NULL CHECK (way IN ('website', 'telephone', 'paper')),
    written_by text,
    issue_id   text REFERENCES issues (id),
    number     text,
    phone      text,
    unit       text,
    month      text,
    project    text,
    place      text,
    assessor   text NOT NULL,
    scored_on  date NOT NULL,
    technical  integer NOT NULL CHECK (technical BETWEEN -50 AND 200),
    attitude   integer NOT NULL CHECK (attitude BETWEEN -50 AND 200),
    opinions   text NOT NULL,
    comment    text NOT NULL,
    engineer   text,
    department text,
    subject    text NOT NULL,
    person     text NOT NULL,
    counting   text NOT NULL CHECK (counting IN ('counts', 'unverified', 'repeated', 'left_out')),
    settled_by text,
    settled_at timestamptz,
    PRIMARY KEY (key, item)
);
COMMENT ON TABLE opinions IS
    'What customers scored without a link (R26); the register of evaluations has it, too.';
COMMENT ON COLUMN opinions.key IS 'Of the form that was sent: sent twice, it is one.';
COMMENT ON COLUMN opinions.number IS 'As it was given; issue_id is whose it proved to be.';
COMMENT ON COLUMN opinions.subject IS
    'By what somebody scores once: an issue, or unit, month, project.';
COMMENT ON COLUMN opinions.person IS
    'By whom once: customer is whoever has the telephone of the issue''s customer.';
CREATE UNIQUE INDEX opinions_once ON opinions (subject, item, lower(person))
    WHERE counting = 'counts';
CREATE INDEX opinions_by_issue ON opinions (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX opinions_unverified ON opinions (at) WHERE counting = 'unverified';
"""


def upgrade() -> None:
    """Nobody said anything without a link yet."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""The case library: known solutions, found by what they say, and their history.

Revision ID: 0004
Revises: 0003
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CASES = """
CREATE SEQUENCE known_case_numbers;

CREATE TABLE known_cases (
    number       text PRIMARY KEY,
    revision     integer NOT NULL CHECK (revision > 0),
    status       text NOT NULL CHECK (status IN ('proposed', 'approved', 'retired')),
    title        text NOT NULL,
    question     text NOT NULL,
    solution     text NOT NULL,
    product_line text,
    keywords     text[] NOT NULL,
    issue_id     text REFERENCES issues,
    generation   integer,
    proposed_by  text NOT NULL,
    proposed_at  timestamptz NOT NULL,
    reviewed_by  text,
    reviewed_at  timestamptz,
    change       text NOT NULL,
    changed_by   text NOT NULL,
    changed_at   timestamptz NOT NULL,
    note         text NOT NULL,
    used         integer NOT NULL DEFAULT 0,
    last_used_at timestamptz,
    search       tsvector NOT NULL,
    UNIQUE (issue_id, generation),
    CHECK ((issue_id IS NULL) = (generation IS NULL)),
    CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL)),
    CHECK (status = 'proposed' OR reviewed_by IS NOT NULL)
);
COMMENT ON TABLE known_cases IS '《案例库》 case library (R8, R29)';
COMMENT ON COLUMN known_cases.search IS
    'Terms of domain/knowledge/search_terms.py: title and keywords A, question B, solution C.';
COMMENT ON COLUMN known_cases.note IS 'What was said about the last change.';
CREATE INDEX known_cases_search ON known_cases USING gin (search) WHERE status = 'approved';
CREATE INDEX known_cases_by_status ON known_cases (status, changed_at DESC);

CREATE TABLE known_case_history (
    number     text NOT NULL REFERENCES known_cases,
    revision   integer NOT NULL,
    change     text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    note       text NOT NULL,
    said       jsonb NOT NULL,
    PRIMARY KEY (number, revision)
);
COMMENT ON TABLE known_case_history IS 'Every case as each change left it; never changed.';
CREATE TRIGGER known_case_history_append_only BEFORE UPDATE OR DELETE ON known_case_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""

HISTORY = """
CREATE FUNCTION keep_case_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO known_case_history VALUES (NEW.number, NEW.revision, NEW.change, NEW.changed_by,
        NEW.changed_at, NEW.note, to_jsonb(NEW) - ARRAY['number', 'revision', 'change',
        'changed_by', 'changed_at', 'note', 'used', 'last_used_at', 'search']);
    RETURN NULL; END $$;
CREATE TRIGGER known_cases_first AFTER INSERT ON known_cases
    FOR EACH ROW EXECUTE FUNCTION keep_case_history();
CREATE TRIGGER known_cases_changed AFTER UPDATE ON known_cases FOR EACH ROW
    WHEN (to_jsonb(OLD) - ARRAY['used', 'last_used_at', 'search']
        IS DISTINCT FROM to_jsonb(NEW) - ARRAY['used', 'last_used_at', 'search'])
    EXECUTE FUNCTION keep_case_history();
"""


def upgrade() -> None:
    """Make the library. A change that does not count the revision up is refused by the history."""
    for script in (CASES, HISTORY):
        for statement in re.split(r";\n+(?=[A-Z])", script.strip()):
            op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

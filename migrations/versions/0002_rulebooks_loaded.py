"""Loading rulebooks while the desk runs, and planning again what is open.

Revision ID: 0002
Revises: 0001
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE adoptions (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version    text NOT NULL REFERENCES rulebooks,
    file       text,
    loaded_by  text NOT NULL,
    note       text NOT NULL DEFAULT '',
    adopted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE adoptions IS 'Which rulebook counts since when; the last one counts now.';
COMMENT ON COLUMN adoptions.file IS 'Version of the policy file it was read from.';
CREATE TRIGGER adoptions_append_only BEFORE UPDATE OR DELETE ON adoptions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE promises ADD COLUMN marks jsonb NOT NULL DEFAULT '[]';
ALTER TABLE promises ADD COLUMN stops jsonb NOT NULL DEFAULT '[]';
ALTER TABLE promises ADD COLUMN consumed interval;
COMMENT ON COLUMN promises.marks IS 'Thresholds: name, instant, whom to tell, level.';
COMMENT ON COLUMN promises.stops IS 'When the clock stood still, from and to.';
COMMENT ON COLUMN promises.consumed IS 'Time used up on its own clock when it stopped or ended.';

UPDATE promises p SET marks = coalesce((
    SELECT known->'marks' FROM issue_events e
    CROSS JOIN jsonb_array_elements(
        (e.recorded->'step'->'promises') || (e.recorded->'promises')
    ) WITH ORDINALITY AS k(known, place)
    WHERE e.issue_id = p.issue_id AND known->>'kind' = p.kind
        AND (known->>'generation')::int = p.generation AND (known->>'attempt')::int = p.attempt
    ORDER BY e.seq DESC, place DESC LIMIT 1), '[]');

ALTER TABLE promises DROP CONSTRAINT promises_outcome_check;
ALTER TABLE promises ADD CONSTRAINT promises_outcome_check
    CHECK (outcome IN ('open', 'kept', 'broken', 'withdrawn', 'skipped'));

CREATE INDEX issues_open ON issues (id, rulebook) WHERE closed_at IS NULL;
CREATE INDEX issue_events_replanned ON issue_events (((content->>'adoption')::int))
    WHERE action = 'replan';

ALTER TABLE outbox ADD COLUMN not_before timestamptz;
COMMENT ON COLUMN outbox.not_before IS 'When its recipient is at work again.';
"""


def upgrade() -> None:
    """Rulebooks can be loaded while the desk runs; the ledger knows all of a promise."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

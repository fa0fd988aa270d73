"""A remedy for a complainant: what was proposed, who said yes or no, what became of it (R42).

Revision ID: 0041
Revises: 0040
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE remedies (
    issue_id     text NOT NULL REFERENCES issues,
    proposal     integer NOT NULL CHECK (proposal > 0),
    remedy       text NOT NULL,
    remedy_name  text NOT NULL,
    what         text NOT NULL,
    amount       numeric(12, 2) CHECK (amount >= 0),
    reason       text NOT NULL,
    proposed_by  text NOT NULL,
    proposed_at  timestamptz NOT NULL,
    decider      text NOT NULL CHECK (decider IN ('manager', 'gm_office')),
    approved     boolean,
    decided_by   text,
    decided_at   timestamptz,
    decision     text,
    accepted     boolean,
    recorded_by  text,
    recorded_at  timestamptz,
    receipt      text,
    words        text,
    PRIMARY KEY (issue_id, proposal),
    CONSTRAINT decided_by_somebody CHECK (
        (approved IS NULL) = (decided_by IS NULL) AND (approved IS NULL) = (decided_at IS NULL)
    ),
    CONSTRAINT nobody_decides_for_themselves CHECK (decided_by <> proposed_by),
    CONSTRAINT only_what_is_agreed_is_given CHECK (
        accepted IS NULL OR (approved AND recorded_by IS NOT NULL AND recorded_at IS NOT NULL)
    )
);
COMMENT ON TABLE remedies IS '《投诉补偿登记表》 remedies for complainants (R42)';
CREATE TRIGGER remedies_history AFTER UPDATE ON remedies FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION keep_history();
"""


def upgrade() -> None:
    """Nobody was promised one before."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

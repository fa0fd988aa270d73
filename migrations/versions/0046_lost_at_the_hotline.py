"""A call that nobody answered is the hotline's, whose report said that none was lost (R45).

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_HOTLINE = """(SELECT CASE WHEN count(DISTINCT m.department) = 1 THEN min(m.department) END
        FROM members m WHERE m.role = 'agent' AND m.left_at IS NULL)"""
"""Where all agents are; of agents in several departments nobody can say whose such a call was."""

SCRIPT = f"""
CREATE OR REPLACE VIEW report_calls AS
SELECT i.number AS issue, true AS reported, NULL::text AS direction, i.registered_at AS at,
    i.agent, i.kind, i.first_contact, i.ring_seconds, NULL::int AS talk_seconds, false AS lost,
    (SELECT m.department FROM members m WHERE m.id = i.agent) AS department
FROM issues i WHERE i.channel = 'telephone'
UNION ALL
SELECT i.number, false, c.direction, c.at, c.agent, NULL, false, c.ring_seconds, c.talk_seconds,
    c.direction = 'incoming' AND c.talk_seconds IS NULL,
    CASE WHEN c.agent IS NULL AND c.direction = 'incoming' THEN {_HOTLINE}
        ELSE (SELECT m.department FROM members m WHERE m.id = c.agent) END
FROM calls c LEFT JOIN issues i ON i.id = c.issue_id
"""  # noqa: S608  our own text
_SAYS = """COMMENT ON COLUMN report_calls.department IS
    'The agent''s; of what came in and nobody took, the one where all agents are (R45).'"""


def upgrade() -> None:
    """Nothing is kept anew: it shows what is there."""
    op.execute(sa.text(SCRIPT))
    op.execute(sa.text(_SAYS))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""An issue that was merged twice over has the answer of the one that speaks for it in the end (R6).

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_HANDLER = """CASE WHEN i.first_contact THEN coalesce(i.taken_by, i.agent)
        ELSE coalesce(i.engineer, i.lead, i.taken_by, i.agent) END"""

SCRIPT = f"""
CREATE OR REPLACE VIEW report_issues AS
SELECT i.number AS issue, i.channel, i.kind,
    coalesce(i.behaves, CASE i.kind
        WHEN 'consultation' THEN 'enquiry' WHEN 'sales' THEN 'enquiry'
        WHEN 'fault' THEN 'fault' WHEN 'complaint' THEN 'complaint'
        WHEN 'suggestion' THEN 'suggestion' WHEN 'paid_service' THEN 'paid_service'
        ELSE 'plain' END) AS behaves,
    i.category, i.severity, i.product_line, i.region, i.centre, i.department, i.customer_type,
    i.engineer, coalesce(i.taken_by, i.agent) AS agent, {_HANDLER} AS handler,
    i.reported_at, i.registered_at, i.closed_at, i.stage, i.outcome,
    i.generation - 1 AS reopened, i.escalation_level AS level, i.complex, i.first_contact,
    i.answered, i.ring_seconds,
    (SELECT o.number FROM issues o WHERE o.id = i.arises_from) AS born_of,
    (SELECT o.number FROM issues o WHERE o.id = i.merged_into) AS merged_into,
    coalesce(i.answered, false) OR (i.merged_into IS NOT NULL AND EXISTS (
        WITH RECURSIVE speaks AS (
            SELECT o.answered, o.merged_into FROM issues o WHERE o.id = i.merged_into
            UNION
            SELECT o.answered, o.merged_into FROM speaks s JOIN issues o ON o.id = s.merged_into
        )
        SELECT FROM speaks WHERE answered)) AS spoken_for,
    extract(epoch FROM least(
        (SELECT min(h.resolved_at) FROM handling_forms h WHERE h.issue_id = i.id),
        (SELECT min(c.answered_at) FROM consultation_records c WHERE c.issue_id = i.id)
    ) - i.reported_at)::float8 AS handle_seconds,
    (SELECT sum(c.talk_seconds) FROM calls c WHERE c.issue_id = i.id)::int AS talk_seconds
FROM issues i
"""  # noqa: S608  our own text
_SAYS = """COMMENT ON COLUMN report_issues.spoken_for IS
    'Its customer has an answer: its own, or by the issue that speaks for it in the end (R6).'"""


def upgrade() -> None:
    """Nothing is kept anew: it shows what is there."""
    op.execute(sa.text(SCRIPT))
    op.execute(sa.text(_SAYS))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

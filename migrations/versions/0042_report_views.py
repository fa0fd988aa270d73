"""What reports and BI tools count: views that name no customer and hold none of their words (R27).

Revision ID: 0042
Revises: 0041
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_HANDLER = """CASE WHEN i.first_contact THEN coalesce(i.taken_by, i.agent)
        ELSE coalesce(i.engineer, i.lead, i.taken_by, i.agent) END"""
"""Whose work an issue is, as quality checks have it (R28)."""

SCRIPT = f"""
CREATE VIEW report_issues AS
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
    coalesce(i.answered, false) OR coalesce(
        (SELECT o.answered FROM issues o WHERE o.id = i.merged_into), false) AS spoken_for,
    extract(epoch FROM least(
        (SELECT min(h.resolved_at) FROM handling_forms h WHERE h.issue_id = i.id),
        (SELECT min(c.answered_at) FROM consultation_records c WHERE c.issue_id = i.id)
    ) - i.reported_at)::float8 AS handle_seconds,
    (SELECT sum(c.talk_seconds) FROM calls c WHERE c.issue_id = i.id)::int AS talk_seconds
FROM issues i;
COMMENT ON VIEW report_issues IS 'An issue a row, merged and complaints born of others included.';
COMMENT ON COLUMN report_issues.handler IS
    'Whose work it is: of what the hotline answered the agent''s, else the engineer''s or lead''s.';
COMMENT ON COLUMN report_issues.spoken_for IS
    'Its customer has an answer: its own, or by the issue it was merged into (R6).';
COMMENT ON COLUMN report_issues.handle_seconds IS
    'From when the customer told us to the first result, nights included; NULL: none yet.';
COMMENT ON COLUMN report_issues.talk_seconds IS 'Talked in calls known to be about it (R45).';
COMMENT ON COLUMN report_issues.reopened IS 'How often it was opened again (R24).';

CREATE VIEW report_promises AS
SELECT i.number AS issue, p.kind, p.generation, p.attempt, p.target, p.clock,
    p.made_at, p.opens_at, p.due_at, p.ended_at, p.outcome, p.provisional,
    p.paused_at IS NOT NULL AS paused,
    p.outcome = 'kept' AND p.own_word_at IS NOT NULL AS by_own_word,
    p.kind NOT IN ('waiting', 'customer_test', 'confirmation', 'evaluation') AS ours,
    (SELECT coalesce(max((mark ->> 'level')::int), 0)
        FROM jsonb_array_elements(p.marks) WITH ORDINALITY m (mark, place)
        WHERE place <= p.reached AND NOT coalesce((mark ->> 'skipped')::boolean, false)) AS level,
    extract(epoch FROM p.consumed)::float8 AS consumed_seconds,
    i.kind AS issue_kind, i.severity, i.product_line, i.centre, i.channel,
    coalesce(h.department, i.department) AS department,
    coalesce(i.taken_by, i.agent) AS agent,
    CASE WHEN i.first_contact THEN coalesce(i.taken_by, i.agent)
        ELSE coalesce(h.engineer, i.engineer, i.lead, i.taken_by, i.agent) END AS handler
FROM promises p JOIN issues i ON i.id = p.issue_id
LEFT JOIN handling_forms h ON h.issue_id = p.issue_id AND h.generation = p.generation;
COMMENT ON VIEW report_promises IS
    'The ledger: a promise a row, each attempt and generation its own.';
COMMENT ON COLUMN report_promises.ours IS
    'The desk''s to keep; the others are what customers have time for, and nobody breaks them.';
COMMENT ON COLUMN report_promises.by_own_word IS
    'Kept as somebody said when it was broken already (R11, R12).';
COMMENT ON COLUMN report_promises.level IS
    'How high it rose by its alarms: 0 nobody beyond its handler, 1 lead, 2 manager, 3 GM office.';

CREATE VIEW report_callbacks AS
SELECT i.number AS issue, coalesce(p.generation, r.generation) AS generation,
    coalesce(p.attempt, r.attempt) AS attempt, p.opens_at, p.due_at, p.ended_at, p.outcome,
    r.called_at, r.clerk, r.reached, r.running, r.satisfied, r.conflict,
    i.kind, i.severity, i.product_line, i.centre,
    coalesce(h.department, i.department) AS department,
    CASE WHEN i.first_contact THEN coalesce(i.taken_by, i.agent)
        ELSE coalesce(h.engineer, i.engineer, i.lead, i.taken_by, i.agent) END AS handler
FROM (SELECT * FROM promises WHERE kind = 'callback') p
FULL JOIN callback_records r ON r.issue_id = p.issue_id AND r.generation = p.generation
    AND r.attempt = p.attempt
JOIN issues i ON i.id = coalesce(p.issue_id, r.issue_id)
LEFT JOIN handling_forms h ON h.issue_id = i.id
    AND h.generation = coalesce(p.generation, r.generation);
COMMENT ON VIEW report_callbacks IS
    'A call to a customer a row, promised and made or not; of several attempts each (R22-R25).';
COMMENT ON COLUMN report_callbacks.handler IS 'Whose work was asked about.';
COMMENT ON COLUMN report_callbacks.called_at IS 'NULL: nobody called, or not yet.';

CREATE VIEW report_evaluations AS
SELECT i.number AS issue, 'link' AS way, e.at, e.item, e.technical, e.attitude,
    e.engineer, e.department, i.product_line
FROM evaluations e JOIN issues i ON i.id = e.issue_id
UNION ALL
SELECT i.number, o.way, o.at, o.item, o.technical, o.attitude,
    o.engineer, o.department, i.product_line
FROM opinions o LEFT JOIN issues i ON i.id = o.issue_id WHERE o.counting = 'counts';
COMMENT ON VIEW report_evaluations IS
    'A scored item a row, by a link or without, if it counts (R26); no issue: of a month''s work.';

CREATE VIEW report_complaints AS
SELECT i.number AS issue, i.registered_at, i.closed_at, i.stage, i.outcome, i.severity,
    i.category, i.channel, i.product_line, i.centre, i.department, f.against, i.agitated,
    f.verdict, f.verdict IN ('general', 'major') AS founded, f.verified_at, f.result_at, f.told_at,
    f.satisfied, f.archived_at, f.handled_by, f.calmed_at,
    (SELECT o.number FROM issues o WHERE o.id = i.merged_into) AS merged_into,
    o.number AS born_of,
    CASE WHEN o.first_contact THEN coalesce(o.taken_by, o.agent)
        ELSE coalesce(o.engineer, o.lead, o.taken_by, o.agent) END AS about,
    (SELECT count(*) FROM remedies r WHERE r.issue_id = i.id AND r.accepted)::int AS remedies,
    (SELECT sum(r.amount) FROM remedies r WHERE r.issue_id = i.id AND r.accepted) AS remedy_amount
FROM complaint_forms f JOIN issues i ON i.id = f.issue_id
LEFT JOIN issues o ON o.id = i.arises_from;
COMMENT ON VIEW report_complaints IS 'A complaint a row (R19-R21).';
COMMENT ON COLUMN report_complaints.about IS
    'Of one born of another issue: whose work that was; else NULL, nobody is named.';

CREATE VIEW report_difficulty AS
SELECT i.number AS issue, d.generation, d.difficulty, d.rated_at, d.rated_by,
    coalesce(d.engineer, i.taken_by, i.agent) AS engineer,
    i.first_contact AS on_the_line, i.product_line, i.centre, i.department
FROM difficulty_ratings d JOIN issues i ON i.id = d.issue_id;
COMMENT ON VIEW report_difficulty IS
    'A rated repair a row, those on the line included; the last rating counts (R18).';

CREATE VIEW report_calls AS
SELECT i.number AS issue, true AS reported, NULL::text AS direction, i.registered_at AS at,
    i.agent, i.kind, i.first_contact, i.ring_seconds, NULL::int AS talk_seconds, false AS lost,
    (SELECT m.department FROM members m WHERE m.id = i.agent) AS department
FROM issues i WHERE i.channel = 'telephone'
UNION ALL
SELECT i.number, false, c.direction, c.at, c.agent, NULL, false, c.ring_seconds, c.talk_seconds,
    c.direction = 'incoming' AND c.talk_seconds IS NULL,
    (SELECT m.department FROM members m WHERE m.id = c.agent)
FROM calls c LEFT JOIN issues i ON i.id = c.issue_id;
COMMENT ON VIEW report_calls IS
    'Calls by two books: those that issues came by, and the telephone system''s (R7, R45).';
COMMENT ON COLUMN report_calls.reported IS
    'By the issue register; else by the telephone system: never add the two up.';

CREATE VIEW report_samples AS
SELECT i.number AS issue, s.number AS sample, s.first_day, s.last_day,
    ((s.last_day + 1)::timestamp AT TIME ZONE s.zone) - interval '1 microsecond' AS until,
    s.drawn_at, r.handler, i.department, i.kind, i.product_line,
    found.checked, found.in_error
FROM quality_records r JOIN quality_samples s ON s.number = r.sample
JOIN issues i ON i.id = r.issue_id
CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS checked, coalesce(bool_or(c.error IS NOT NULL), false) AS in_error
    FROM (
        SELECT DISTINCT ON (checker) error FROM quality_checks q
        WHERE q.sample = r.sample AND q.issue_id = r.issue_id ORDER BY checker, revision DESC
    ) c
) found;
COMMENT ON VIEW report_samples IS 'A record drawn for a check a row, with what was found (R28).';
COMMENT ON COLUMN report_samples.until IS 'The last instant of the days it was drawn from.';

CREATE VIEW report_cases AS
SELECT (SELECT i.number FROM issues i WHERE i.id = k.issue_id) AS issue, k.number AS known_case,
    k.status, k.product_line, k.proposed_by, k.proposed_at, k.reviewed_at, k.used, k.last_used_at,
    m.department, m.role
FROM known_cases k LEFT JOIN members m ON m.id = k.proposed_by;
COMMENT ON VIEW report_cases IS 'A case of the library a row, by whoever proposed it (R29, R46).';

CREATE VIEW report_standby AS
SELECT NULL::text AS issue, department, centre, day, raised_at FROM standby_alarms;
COMMENT ON VIEW report_standby IS
    'When a core group fell under its stand-by share: once a day and group (R16)';
"""  # noqa: S608  our own text

_READER = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'yinuo_reports') THEN
        CREATE ROLE yinuo_reports NOLOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$
"""
"""Who reads them and nothing else; whoever may not make roles is told how in docs/reports.md."""


def upgrade() -> None:
    """Nothing is kept anew: they show what is there."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip().rstrip(";")):
        op.execute(sa.text(statement))
    op.execute(sa.text(_READER))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

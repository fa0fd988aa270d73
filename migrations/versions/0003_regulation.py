"""The whole regulation: a form for every branch an issue can take, and the history of each form.

Revision ID: 0003
Revises: 0002
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ISSUES = """
ALTER TABLE issues ADD COLUMN arises_from text REFERENCES issues;
ALTER TABLE issues ADD COLUMN ring_seconds integer CHECK (ring_seconds >= 0);
ALTER TABLE issues ADD COLUMN complex boolean NOT NULL DEFAULT false;
ALTER TABLE issues ADD COLUMN first_contact boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN issues.arises_from IS 'The issue whose callback or evaluation it came from (R21)';
COMMENT ON COLUMN issues.ring_seconds IS 'How long the telephone rang, by the intake system (R7)';
COMMENT ON COLUMN issues.first_contact IS 'The hotline''s answer stands (R8)';
CREATE INDEX issues_arising ON issues (arises_from) WHERE arises_from IS NOT NULL;

ALTER TABLE issues DROP CONSTRAINT issues_check2;
ALTER TABLE issues ADD CONSTRAINT issues_answered_before_closed CHECK (
    answered OR outcome IS NULL OR outcome IN ('withdrawn', 'cancelled', 'terminated'));

ALTER TABLE handling_forms ADD COLUMN department text;
ALTER TABLE callback_records ADD COLUMN conflict boolean NOT NULL DEFAULT false;
ALTER TABLE callback_records ADD COLUMN call text;
COMMENT ON COLUMN callback_records.call IS 'One call may ask about several faults (R22).';
"""

FORMS = """
CREATE TABLE consultation_records (
    issue_id     text NOT NULL REFERENCES issues,
    generation   integer NOT NULL,
    agent        text NOT NULL,
    answered_at  timestamptz NOT NULL,
    question     text NOT NULL,
    answer       text NOT NULL,
    known_case   text,
    on_the_line  boolean NOT NULL,
    to_be_tested boolean NOT NULL,
    worked       boolean,
    tested_at    timestamptz,
    words        text,
    PRIMARY KEY (issue_id, generation)
);
COMMENT ON TABLE consultation_records IS '《客户咨询记录表》 consultation record (R8, R9)';

CREATE TABLE complaint_forms (
    issue_id      text PRIMARY KEY REFERENCES issues,
    against       text NOT NULL,
    received_by   text NOT NULL,
    apologised_at timestamptz NOT NULL,
    verified_by   text,
    verified_at   timestamptz,
    verdict       text CHECK (verdict IN ('unfounded', 'general', 'major')),
    findings      text,
    handled_by    text,
    result        text,
    result_at     timestamptz,
    told_at       timestamptz,
    called_at     timestamptz,
    satisfied     boolean,
    archived_at   timestamptz,
    CHECK ((verified_at IS NULL) = (verdict IS NULL))
);
COMMENT ON TABLE complaint_forms IS
    '《投诉登记表》《投诉处理表》 complaint register and complaint form (R19)';

INSERT INTO complaint_forms (issue_id, against, received_by, apologised_at, archived_at)
SELECT id, department, agent, reported_at, closed_at FROM issues WHERE kind = 'complaint';

CREATE TABLE paid_services (
    issue_id      text NOT NULL REFERENCES issues,
    generation    integer NOT NULL,
    surveyed_by   text,
    surveyed_at   timestamptz,
    findings      text,
    quoted_by     text,
    quoted_at     timestamptz,
    quotation     integer NOT NULL DEFAULT 0,
    work          text,
    amount        numeric(12, 2) CHECK (amount >= 0),
    confirmed_by  text,
    confirmed_at  timestamptz,
    agreed        boolean,
    words         text,
    approval      boolean,
    approved_by   text,
    approved_at   timestamptz,
    approved      boolean,
    reason        text,
    accepted_at   timestamptz,
    accepted      boolean,
    PRIMARY KEY (issue_id, generation)
);
COMMENT ON TABLE paid_services IS '《有费服务单》 paid service, from survey to acceptance (R17)';
COMMENT ON COLUMN paid_services.quotation IS 'Which one this is; history has the rest.';
COMMENT ON COLUMN paid_services.approval IS 'Whether the price needs the manager''s approval.';

CREATE TABLE expert_panels (
    issue_id   text NOT NULL REFERENCES issues,
    panel      integer NOT NULL,
    asked_by   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    question   text NOT NULL,
    experts    text[] NOT NULL,
    advised_by text,
    advised_at timestamptz,
    advice     text,
    PRIMARY KEY (issue_id, panel)
);
COMMENT ON TABLE expert_panels IS '《专家会诊记录》 expert panels (R15)';

CREATE TABLE evaluations (
    issue_id   text NOT NULL REFERENCES issues,
    item       text NOT NULL CHECK (item IN ('pre_sales', 'project', 'after_sales')),
    person     text NOT NULL,
    written_by text NOT NULL,
    at         timestamptz NOT NULL,
    engineer   text,
    department text NOT NULL,
    technical  integer NOT NULL CHECK (technical BETWEEN -50 AND 200),
    attitude   integer NOT NULL CHECK (attitude BETWEEN -50 AND 200),
    comment    text NOT NULL,
    PRIMARY KEY (issue_id, item, person)
);
COMMENT ON TABLE evaluations IS '《绩效评定表》 evaluation form (R26)';

CREATE TABLE difficulty_ratings (
    issue_id   text NOT NULL REFERENCES issues,
    generation integer NOT NULL,
    engineer   text,
    difficulty integer NOT NULL CHECK (difficulty BETWEEN 1 AND 5),
    note       text NOT NULL,
    rated_by   text NOT NULL,
    rated_at   timestamptz NOT NULL,
    PRIMARY KEY (issue_id, generation)
);
COMMENT ON TABLE difficulty_ratings IS '《维修难度评定》 difficulty of each repair (R18)';
"""

HISTORY = """
CREATE TABLE form_history (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form        text NOT NULL,
    issue_id    text NOT NULL,
    replaced_by integer NOT NULL,
    replaced_at timestamptz NOT NULL DEFAULT now(),
    was         jsonb NOT NULL
);
COMMENT ON TABLE form_history IS 'What a form said before it was changed.';
COMMENT ON COLUMN form_history.replaced_by IS 'The step of the issue that changed it.';
CREATE INDEX form_history_by_issue ON form_history (issue_id, form, id);
CREATE TRIGGER form_history_append_only BEFORE UPDATE OR DELETE ON form_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO form_history (form, issue_id, replaced_by, was)
    SELECT TG_TABLE_NAME, OLD.issue_id, seq, to_jsonb(OLD) FROM issues WHERE id = OLD.issue_id;
    RETURN NULL; END $$;
"""

KEPT = (
    "handling_forms",
    "callback_records",
    "consultation_records",
    "complaint_forms",
    "paid_services",
    "expert_panels",
    "evaluations",
    "difficulty_ratings",
)
"""Forms with a history. The register itself has one already: its events."""


def upgrade() -> None:
    """Make the forms."""
    for script in (ISSUES, FORMS, HISTORY):
        for statement in re.split(r";\n+(?=[A-Z])", script.strip()):
            op.execute(sa.text(statement))
    for form in KEPT:
        op.execute(
            sa.text(
                f"CREATE TRIGGER {form}_history AFTER UPDATE ON {form} FOR EACH ROW "
                "WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION keep_history()"
            )
        )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

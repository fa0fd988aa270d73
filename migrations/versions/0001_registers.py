"""The registers: roster, issues, their events, promises, forms, and the outbox.

Revision ID: 0001
Revises:
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROSTER = """
CREATE TABLE rulebooks (
    version   text PRIMARY KEY,
    body      jsonb NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rulebooks IS 'Policies with their calendars, immutable, named by content.';

CREATE TABLE centres (
    id       text PRIMARY KEY,
    name     text NOT NULL,
    regions  text[] NOT NULL,
    zone     text NOT NULL,
    calendar text NOT NULL,
    nearest  text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX centres_by_region ON centres USING gin (regions);

CREATE TABLE members (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    role       text NOT NULL,
    department text NOT NULL,
    centre     text NOT NULL REFERENCES centres,
    certified  jsonb NOT NULL DEFAULT '[]',
    shift      text NOT NULL,
    contacts   jsonb NOT NULL,
    idle_since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX members_by_department ON members (department, role);

CREATE TABLE channels (
    id         text PRIMARY KEY,
    position   integer NOT NULL,
    url        text NOT NULL,
    per_minute integer CHECK (per_minute > 0),
    customers  text CHECK (customers IN ('phone', 'email')),
    next_slot  timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON COLUMN channels.next_slot IS 'When the channel may carry its next message.';
"""

ISSUES = """
CREATE TABLE serials (
    day   date NOT NULL,
    agent text NOT NULL,
    last  integer NOT NULL,
    PRIMARY KEY (day, agent)
);
COMMENT ON TABLE serials IS 'The last serial of each agent and day, third part of the number.';

CREATE TABLE issues (
    id                text PRIMARY KEY,
    run               text NOT NULL,
    number            text NOT NULL UNIQUE,
    source            text NOT NULL,
    reference         text NOT NULL,
    channel           text NOT NULL,
    kind              text NOT NULL,
    category          text NOT NULL,
    severity          text NOT NULL,
    product_line      text NOT NULL,
    model             text,
    serial_number     text,
    site              text,
    region            text NOT NULL,
    title             text NOT NULL,
    description       text NOT NULL,
    customer_name     text NOT NULL,
    customer_type     text NOT NULL,
    customer_existing boolean NOT NULL,
    organisation      text,
    contact_person    text,
    phone             text,
    email             text,
    agent             text NOT NULL,
    occurred_at       timestamptz,
    reported_at       timestamptz NOT NULL,
    registered_at     timestamptz NOT NULL,
    rulebook          text NOT NULL REFERENCES rulebooks,
    centre            text NOT NULL,
    calendar          text NOT NULL,
    department        text NOT NULL,
    zone              text NOT NULL,
    stage             text NOT NULL,
    outcome           text,
    engineer          text,
    engineer_name     text,
    lead              text,
    lead_name         text,
    escalation_level  integer NOT NULL DEFAULT 0,
    generation        integer NOT NULL DEFAULT 1,
    answered          boolean NOT NULL DEFAULT false,
    seq               integer NOT NULL,
    updated_at        timestamptz NOT NULL,
    closed_at         timestamptz,
    UNIQUE (source, reference),
    CHECK ((closed_at IS NULL) = (stage <> 'closed')),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (answered OR outcome IS NULL OR outcome NOT IN ('solved', 'not_reached'))
);
COMMENT ON TABLE issues IS '《用户问题受理登记表》 issue register';
CREATE INDEX issues_open_by_engineer ON issues (engineer) WHERE closed_at IS NULL;
CREATE INDEX issues_by_registration ON issues (registered_at DESC, id);

CREATE TABLE issue_events (
    issue_id     text NOT NULL REFERENCES issues,
    seq          integer NOT NULL,
    key          text NOT NULL,
    action       text NOT NULL,
    actor        text NOT NULL,
    role         text NOT NULL,
    at           timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    stage_before text,
    stage        text NOT NULL,
    content      jsonb NOT NULL,
    recorded     jsonb NOT NULL,
    PRIMARY KEY (issue_id, seq),
    UNIQUE (issue_id, key)
);
COMMENT ON TABLE issue_events IS 'What happened, once each, in order; never changed.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER issue_events_append_only BEFORE UPDATE OR DELETE ON issue_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rulebooks_append_only BEFORE UPDATE OR DELETE ON rulebooks
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE promises (
    issue_id    text NOT NULL REFERENCES issues,
    kind        text NOT NULL,
    generation  integer NOT NULL,
    attempt     integer NOT NULL,
    attempts    integer NOT NULL,
    target      text NOT NULL,
    clock       text NOT NULL,
    calendar    text NOT NULL,
    rulebook    text NOT NULL REFERENCES rulebooks,
    made_at     timestamptz NOT NULL,
    opens_at    timestamptz,
    due_at      timestamptz NOT NULL,
    provisional boolean NOT NULL,
    paused_at   timestamptz,
    pauses      integer NOT NULL,
    reached     integer NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('open', 'kept', 'broken', 'withdrawn')),
    ended_at    timestamptz,
    PRIMARY KEY (issue_id, kind, generation, attempt),
    CHECK (outcome <> 'kept' OR ended_at IS NOT NULL)
);
COMMENT ON TABLE promises IS 'The ledger: what was promised to whom until when, and how it ended.';
CREATE INDEX promises_running ON promises (kind, due_at) WHERE ended_at IS NULL;

CREATE TABLE handling_forms (
    issue_id       text NOT NULL REFERENCES issues,
    generation     integer NOT NULL,
    engineer       text,
    handed_over_at timestamptz NOT NULL,
    accepted_at    timestamptz,
    expected_at    timestamptz,
    resolved_at    timestamptz,
    result         text,
    cause          text,
    PRIMARY KEY (issue_id, generation)
);
COMMENT ON TABLE handling_forms IS '《客户问题处理表》 handling form, one a generation';

CREATE TABLE callback_records (
    issue_id   text NOT NULL REFERENCES issues,
    generation integer NOT NULL,
    attempt    integer NOT NULL,
    clerk      text NOT NULL,
    called_at  timestamptz NOT NULL,
    reached    boolean NOT NULL,
    running    boolean,
    satisfied  boolean,
    words      text NOT NULL,
    PRIMARY KEY (issue_id, generation, attempt)
);
COMMENT ON TABLE callback_records IS '《客户回访记录表》 callback record';
"""

OUTBOX = """
CREATE TABLE outbox (
    key          text PRIMARY KEY,
    issue_id     text NOT NULL REFERENCES issues,
    seq          integer NOT NULL,
    template     text NOT NULL,
    audience     text NOT NULL,
    recipient    text NOT NULL,
    channel      text,
    address      text,
    subject      text NOT NULL,
    body         text NOT NULL,
    status       text NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'sending', 'delivered', 'unknown', 'handed_over')),
    attempts     integer NOT NULL DEFAULT 0,
    slot_at      timestamptz,
    last_error   text,
    handed_to    text,
    created_at   timestamptz NOT NULL,
    settled_at   timestamptz
);
COMMENT ON TABLE outbox IS 'Every message once, under a key that says what it is about.';
CREATE INDEX outbox_by_issue ON outbox (issue_id, seq);
CREATE INDEX outbox_unsettled ON outbox (created_at) WHERE settled_at IS NULL;
"""


def upgrade() -> None:
    """Make the registers."""
    for script in (ROSTER, ISSUES, OUTBOX):
        for statement in re.split(r";\n(?=\s*[A-Z])", script):  # asyncpg takes one at a time
            op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading past the first revision")

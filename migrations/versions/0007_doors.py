"""The doors: who may come in, which links were used, and who did or saw what.

Revision ID: 0007
Revises: 0006
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE tokens (
    id         text PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,
    role       text NOT NULL,
    person     text NOT NULL,
    label      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE tokens IS 'Bearer tokens, by the SHA-256 of their 256 random bits.';
COMMENT ON COLUMN tokens.person IS
    'Id on the roster; of an intake system: the source it registers under.';

CREATE TABLE link_uses (
    link    text PRIMARY KEY,
    number  text NOT NULL,
    purpose text NOT NULL,
    person  text NOT NULL,
    used_at timestamptz NOT NULL,
    address text NOT NULL
);
COMMENT ON TABLE link_uses IS 'Single-purpose links that did what they are for, by their digest.';

CREATE TABLE door_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    person  text NOT NULL,
    role    text NOT NULL,
    via     text NOT NULL,
    address text NOT NULL,
    what    text NOT NULL,
    number  text,
    outcome text NOT NULL
);
COMMENT ON TABLE door_log IS
    'Audit trail: who did or saw what, from which address, when (R30). No customer data.';
COMMENT ON COLUMN door_log.via IS 'Token by its id, session, link, webhook or mailbox.';
COMMENT ON COLUMN door_log.outcome IS
    'done, refused and why, or seen for a look at customer data, written before it is shown.';
CREATE INDEX door_log_by_time ON door_log (at);
CREATE INDEX door_log_by_issue ON door_log (number, at);
CREATE TRIGGER door_log_append_only BEFORE UPDATE OR DELETE ON door_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE INDEX issues_by_agent ON issues (agent, registered_at DESC) WHERE closed_at IS NULL;
CREATE INDEX issues_open_by_department ON issues (department) WHERE closed_at IS NULL;

CREATE FUNCTION dialled(phone text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'),
                          '^0*(86(?=0?[0-9]{10}))?0*', '');
COMMENT ON FUNCTION dialled IS
    'The digits of a telephone number however it was written, without 86 and trunk 0.';
CREATE FUNCTION said_of(name text, organisation text, contact text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(normalize(
        name || chr(10) || coalesce(organisation, '') || chr(10) || coalesce(contact, ''), NFKC));
COMMENT ON FUNCTION said_of IS 'What a customer is called, written one way.';
CREATE FUNCTION pairs(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT coalesce(array_agg(DISTINCT pair), '{}')
            FROM (SELECT substr(said, n, 2) AS pair FROM generate_series(1, length(said) - 1) AS n)
            AS cut WHERE strpos(pair, chr(10)) = 0);
COMMENT ON FUNCTION pairs IS
    'Neighbouring characters: what is found anywhere in a name has its pairs among the name''s.';
CREATE INDEX issues_by_telephone ON issues (dialled(phone) text_pattern_ops);
CREATE INDEX issues_by_last_digits ON issues (reverse(dialled(phone)) text_pattern_ops);
CREATE INDEX issues_by_customer ON issues
    USING gin (pairs(said_of(customer_name, organisation, contact_person)))
    WITH (fastupdate = off);
"""


def upgrade() -> None:
    """Tokens, used links, and the audit trail of the doors."""
    for statement in re.split(r";\n+(?=[A-Z])", SCRIPT.strip()):
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""A version of the roster, new with every change of it: whoever keeps the roster in memory reads
with what else they need whether it is still the same.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Chance, no counter: a register that was restored must not come to a number that a worker knows.
TABLE = """
CREATE TABLE roster_version (version uuid NOT NULL DEFAULT gen_random_uuid())
"""
RENEW = """
CREATE FUNCTION renew_roster_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE roster_version SET version = gen_random_uuid(); RETURN NULL; END $$
"""
CHANGES = {
    "centres": "UPDATE",
    # Not since when somebody has nothing to do: that is read each time.
    "members": "UPDATE OF id, name, role, department, centre, certified, shift, contacts, left_at",
    # Nor when a channel may carry its next message.
    "channels": "UPDATE OF id, position, url, per_minute, customers",
    "duty_exceptions": "UPDATE",
}


def upgrade() -> None:
    """Begin with one."""
    op.execute(sa.text(TABLE))
    op.execute(sa.text("COMMENT ON TABLE roster_version IS 'One row: another with every change.'"))
    op.execute(sa.text("INSERT INTO roster_version DEFAULT VALUES"))
    op.execute(sa.text(RENEW))
    for table, changed in CHANGES.items():
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_are_the_roster"
                f" AFTER INSERT OR DELETE OR TRUNCATE OR {changed} ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION renew_roster_version()"
            )
        )


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

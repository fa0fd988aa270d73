"""Who is behind a switchboard is found by its number, by its last digits too.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# As domain/telephone.py keeps a number: `+862055500101(801)`.
DIALLED = """
CREATE OR REPLACE FUNCTION dialled(phone text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(
        regexp_replace(regexp_replace(phone, '^(\\+?[0-9]{5,})\\([0-9]{1,8}\\)$', '\\1'),
                       '[^0-9]', '', 'g'),
        '^0*(86(?=0?[0-9]{10}))?0*', '')
"""
COMMENT = """
COMMENT ON FUNCTION dialled IS
    'The digits of a telephone number however it was written, without 86, trunk 0 and extension.'
"""


def upgrade() -> None:
    """Leave the extension out of what is dialled, and of what numbers are found by."""
    op.execute(sa.text(DIALLED))
    op.execute(sa.text(COMMENT))
    for index in ("issues_by_telephone", "issues_by_last_digits"):
        op.execute(sa.text(f"REINDEX INDEX {index}"))


def downgrade() -> None:
    """Registers are not thrown away."""
    raise NotImplementedError("restore a backup instead of downgrading")

"""A secret of the database's own, for ids made from what documents say"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_META = sa.table("meta", sa.column("key", sa.String), sa.column("value", sa.Text))
_KEY = "ids.secret"


def upgrade() -> None:
    """Forward. A database that is in use goes on without one: a document that comes again must find
    what it made before."""
    used = op.get_bind().execute(sa.select(sa.literal(1)).select_from(sa.table("party"))).first()
    made = "" if used else secrets.token_hex(32)
    op.bulk_insert(_META, [{"key": _KEY, "value": made}])


def downgrade() -> None:
    """Back."""
    op.execute(sa.delete(_META).where(_META.c.key == _KEY))

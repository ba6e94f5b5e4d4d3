"""The request line of a message that came over REST; a part's own last whole document"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Until now every message was a whole document."""
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("part", schema=None) as batch_op:
        batch_op.add_column(sa.Column("document_inbox", sa.String(length=64), nullable=True))
    part = sa.table("part", sa.column("document_inbox"), sa.column("source_inbox"))
    op.execute(part.update().values(document_inbox=part.c.source_inbox))

"""The order of one sender's messages, whatever the clocks said"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. What an older process writes meanwhile has no turn, and is ordered by its time."""
    for table in ("inbox", "consent"):
        op.add_column(table, sa.Column("turn", sa.BigInteger(), nullable=True))
    op.create_index("ix_inbox_sender_turn", "inbox", ["sender", "turn"])


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_inbox_sender_turn", table_name="inbox")
    for table in ("consent", "inbox"):
        op.drop_column(table, "turn")

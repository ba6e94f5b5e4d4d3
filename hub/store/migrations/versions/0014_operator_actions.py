"""What operators do with deliveries that went wrong: their rulings, and actions on many at once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("delivery", sa.Column("ruling", sa.String(16), nullable=True))
    op.create_table(
        "action",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
    )
    op.create_index("ix_action_done_at", "action", ["done_at"])
    op.create_table(
        "action_item",
        sa.Column("action_id", sa.String(64), sa.ForeignKey("action.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("delivery_id", sa.String(64), sa.ForeignKey("delivery.id"), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
    )
    op.create_index("ix_action_item_action_id_outcome", "action_item", ["action_id", "outcome"])


def downgrade() -> None:
    """Back."""
    op.drop_table("action_item")
    op.drop_table("action")
    op.drop_column("delivery", "ruling")

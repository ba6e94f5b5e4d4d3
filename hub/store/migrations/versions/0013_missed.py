"""Numbers per subscription, and when each receiver was last heard of"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBERED = ["plan_id", "receiver", "subscription", "format", "sequence"]


def upgrade() -> None:
    """Forward. What was numbered keeps its number: those of one (plan, receiver) had one each, so
    no two of one format are the same, and the next one in a format is higher than all of them."""
    op.create_index("ux_delivery_sequence", "delivery", _NUMBERED, unique=True)
    op.add_column("party", sa.Column("silent_hours", sa.Integer(), nullable=True))
    op.create_table(
        "heard",
        sa.Column("party", sa.String(64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_heard")),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_heard_party")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("heard")
    op.drop_column("party", "silent_hours")
    op.drop_index("ux_delivery_sequence", table_name="delivery")

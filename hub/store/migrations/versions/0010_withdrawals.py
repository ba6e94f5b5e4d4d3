"""Withdrawals of consent, and queues that are taken back for them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    # What was frozen before this was written down: its sections are worked out from the consents.
    op.add_column("delivery", sa.Column("sections", sa.JSON(), nullable=True))
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.String(64), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("may_have_left", sa.JSON(), nullable=False),
        sa.Column("wait_until", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_withdrawal_plan_id")),
    )
    op.create_index(op.f("ix_withdrawal_plan_id"), "withdrawal", ["plan_id"])
    op.create_table(
        "recall",
        sa.Column("party", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_recall")),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_recall_party")),
    )
    op.create_table(
        "retraction",
        sa.Column("part_id", sa.String(64), nullable=False),
        sa.Column("plan_id", sa.String(64), nullable=False),
        sa.Column("below", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("part_id", "plan_id", "below", name=op.f("pk_retraction")),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_retraction_part_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_retraction_plan_id")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("retraction")
    op.drop_table("recall")
    op.drop_index(op.f("ix_withdrawal_plan_id"), table_name="withdrawal")
    op.drop_table("withdrawal")
    op.drop_column("delivery", "sections")

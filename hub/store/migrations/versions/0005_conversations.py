"""Threads with what they have said, letters from receivers, and messages' own ids"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import hub.store.tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    moment = hub.store.tables.Moment(timezone=True)
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("delivery_id", sa.String(length=64), nullable=True))
        for name in ("versions", "sections", "shown"):
            # What a thread said before this was written down is not known: it is not continued.
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "thread_key",
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_thread_key_plan_id")),
        sa.PrimaryKeyConstraint("party", "key", name=op.f("pk_thread_key")),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("addressee", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_letter_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index(op.f("ix_letter_plan_id"), "letter", ["plan_id"], unique=False)
    op.create_table(
        "envelope",
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.String(length=255), nullable=False),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column("inbox_id", sa.String(length=64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("sender", "envelope", name=op.f("pk_envelope")),
    )
    op.create_index(
        op.f("ix_envelope_sender_message"), "envelope", ["sender", "message"], unique=False
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outcome", sa.String(length=16), nullable=True))
    delivery = sa.table("delivery", sa.column("state"), sa.column("retry_at"))
    # From now on a sent delivery's time says when its answer is missed.
    op.execute(delivery.update().where(delivery.c.state == "sent").values(retry_at=None))

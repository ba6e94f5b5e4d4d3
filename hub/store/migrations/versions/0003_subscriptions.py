"""One table for how parties receive; deliveries that are notifications of a FHIR Subscription"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

import hub.store.subscription_tables
import hub.store.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "post"


def upgrade() -> None:
    """Forward."""
    moment = hub.store.tables.Moment(timezone=True)
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("versions", sa.String(length=16), nullable=False),
        sa.Column("receipt", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("heartbeat", sa.Integer(), nullable=True),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("ends_at", moment, nullable=True),
        sa.Column("suspended_by", sa.Text(), nullable=True),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=True),
        sa.Column("deleted_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_subscription_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_index(op.f("ix_subscription_party"), "subscription", ["party"], unique=False)
    op.create_table(
        "subscription_seen",
        sa.Column("subscription", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription"], ["subscription.id"], name=op.f("fk_subscription_seen_subscription")
        ),
        sa.PrimaryKeyConstraint("subscription", "object", name=op.f("pk_subscription_seen")),
    )
    _move()
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_column("subscriptions")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.alter_column("plan_id", existing_type=sa.String(length=64), nullable=True)
        batch_op.add_column(
            sa.Column("subscription", sa.String(length=64), nullable=False, server_default="")
        )
        batch_op.add_column(
            sa.Column("about", sa.String(length=128), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("event", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_delivery_subscription_event"), ["subscription", "event"], unique=False
        )


def _move() -> None:
    """What stood in the party's row becomes rows."""
    party = sa.table("party", sa.column("id", sa.String), sa.column("subscriptions", sa.JSON))
    connection = op.get_bind()
    for party_id, subscriptions in connection.execute(sa.select(party)).all():
        for position, one in enumerate(subscriptions):
            connection.execute(
                hub.store.subscription_tables.SUBSCRIPTION.insert().values(
                    id=str(uuid.uuid4()), party=party_id, source="file", position=position,
                    status="active", events=0, **one,
                )
            )  # fmt: skip

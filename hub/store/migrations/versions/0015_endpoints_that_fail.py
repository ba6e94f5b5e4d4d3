"""Endpoints that fail and are left alone for a while, and how each party is tried again"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from hub.model.breaker import endpoint_of
from hub.store.tables import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. What an older process writes meanwhile has no endpoint, and is never left alone."""
    op.create_table(
        "breaker",
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("until", Moment(), nullable=True),
        sa.Column("probe", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name="pk_breaker"),
    )
    for table in ("party", "subscription"):
        op.add_column(table, sa.Column("endpoint", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("retry", sa.JSON(), nullable=True))
        op.create_index(f"ix_{table}_endpoint", table, ["endpoint"])
    db = op.get_bind()
    for party, transport, address in db.execute(
        sa.text("SELECT id, transport, address FROM party")
    ).all():
        _name(db, "party", party, endpoint_of(transport, address))
    for subscription, options in db.execute(
        sa.text("SELECT id, options FROM subscription WHERE source = 'fhir'")
    ).all():
        wish = json.loads(options) if isinstance(options, str) else options
        _name(db, "subscription", subscription, endpoint_of("hook", wish["endpoint"]))


def _name(db: sa.Connection, table: str, key: str, endpoint: str) -> None:
    rows = sa.table(table, sa.column("id", sa.String), sa.column("endpoint", sa.Text))
    db.execute(rows.update().where(rows.c.id == key).values(endpoint=endpoint))


def downgrade() -> None:
    """Back."""
    for table in ("subscription", "party"):
        op.drop_index(f"ix_{table}_endpoint", table_name=table)
        op.drop_column(table, "retry")
        op.drop_column(table, "endpoint")
    op.drop_table("breaker")

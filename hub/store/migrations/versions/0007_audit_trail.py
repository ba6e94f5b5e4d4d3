"""The audit trail: who acted for whom on what basis, a hash in each row, seals over them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import hub.store.tables
from hub.model.trail import row_hash

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
phase = "post"


def upgrade() -> None:
    """Forward. What was audited before is hashed as it stands now, and waits for the sealer."""
    moment = hub.store.tables.Moment(timezone=True)
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("role", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("unit", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("unit_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("citizen", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("plan_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sections", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("purpose", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("consent_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("row_hash", sa.String(length=64), nullable=False, server_default="")
        )
        batch_op.create_index(op.f("ix_audit_at"), ["at"])
        batch_op.create_index(op.f("ix_audit_plan_id"), ["plan_id"])
        batch_op.create_index("ix_audit_citizen_id", ["citizen", "id"])
    op.create_table(
        "audit_tail",
        sa.Column("audit_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_tail")),
    )
    op.create_table(
        "audit_seal",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.Column("row_hash", sa.String(length=64), nullable=False),
        sa.Column("segment", sa.Integer(), nullable=False),
        sa.Column("sealed_at", moment, nullable=False),
        sa.Column("chain_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_seal_audit_id")),
    )
    op.create_index(op.f("ix_audit_seal_chain_hash"), "audit_seal", ["chain_hash"])
    op.create_index(op.f("ix_audit_seal_segment"), "audit_seal", ["segment"])
    op.create_table(
        "audit_segment",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opened_on", sa.String(length=10), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("expired_at", moment, nullable=True),
        sa.Column("expired_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_segment")),
    )
    op.create_table(
        "pseudonym",
        sa.Column("citizen_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("citizen_id", name=op.f("pk_pseudonym")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_legal_hold")),
    )
    _hash_what_is_there(moment)


def _hash_what_is_there(moment: hub.store.tables.Moment) -> None:
    kept = ("actor", "action", "object", "party", "basis", "outcome", "detail")
    columns = [sa.column("id"), sa.column("at", moment), *(sa.column(n) for n in kept)]
    audit = sa.table("audit", *columns, sa.column("row_hash"))
    tail = sa.table("audit_tail", sa.column("audit_id"))
    rows = [r._asdict() for r in op.get_bind().execute(sa.select(*columns))]
    for row in rows:
        own = audit.update().where(audit.c.id == row["id"]).values(row_hash=row_hash(row))
        op.execute(own)
    if rows:
        op.bulk_insert(tail, [{"audit_id": row["id"]} for row in rows])

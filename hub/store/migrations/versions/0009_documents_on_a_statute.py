"""Who may look up a document on a statute, and until when"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import hub.store.tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    moment = hub.store.tables.Moment(timezone=True)
    op.create_table(
        "document_access",
        sa.Column("part_id", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["part.id"], name=op.f("fk_document_access_part_id")),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name=op.f("fk_document_access_party")),
        sa.PrimaryKeyConstraint("part_id", "party", "since", name=op.f("pk_document_access")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("document_access")

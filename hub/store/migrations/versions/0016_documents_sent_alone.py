"""Deliveries of documents that stand alone, and legal holds on a citizen"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBERED = ["document", "receiver", "format", "sequence"]


def upgrade() -> None:
    """Forward. An older process takes what is due of a document for an acknowledgement that is not
    frozen, and leaves it."""
    op.add_column("delivery", sa.Column("document", sa.String(64), nullable=True))
    op.create_index("ix_delivery_document_receiver", "delivery", ["document", "receiver"])
    op.create_index("ux_delivery_document_sequence", "delivery", _NUMBERED, unique=True)
    op.create_table(
        "citizen_hold",
        sa.Column("citizen_id", sa.String(64), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("citizen_hold")
    op.drop_index("ux_delivery_document_sequence", table_name="delivery")
    op.drop_index("ix_delivery_document_receiver", table_name="delivery")
    op.drop_column("delivery", "document")

"""Kinds of loss that a subscription's receiver does not accept without a person's leave"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("subscription", sa.Column("unacceptable", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("subscription", "unacceptable")

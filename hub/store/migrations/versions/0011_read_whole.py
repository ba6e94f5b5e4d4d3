"""The newest version of a plan that a party has read whole over REST"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "read_whole",
        sa.Column("plan_id", sa.String(64), sa.ForeignKey("plan.id"), primary_key=True),
        sa.Column("party", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("read_whole")

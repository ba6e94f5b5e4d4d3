"""A queue is taken back more than once for one withdrawal"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("recall", sa.Column("looks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("recall", sa.Column("look_at", Moment(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("recall", "look_at")
    op.drop_column("recall", "looks")

"""Tasks about documents that stand alone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; tasks from before name no document and are closed as they were."""
    op.add_column("task", sa.Column("document", sa.String(64), nullable=True))
    op.create_index("ix_task_document", "task", ["document"])


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_task_document", table_name="task")
    op.drop_column("task", "document")

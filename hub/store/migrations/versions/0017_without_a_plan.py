"""Tasks about documents that stand alone, and whom received documents are about"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward; what is there already names neither, and is treated as it was."""
    op.add_column("task", sa.Column("document", sa.String(64), nullable=True))
    op.create_index("ix_task_document", "task", ["document"])
    op.add_column("inbox", sa.Column("citizen_id", sa.String(64), nullable=True))
    op.create_index("ix_inbox_citizen_id", "inbox", ["citizen_id"])


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_inbox_citizen_id", table_name="inbox")
    op.drop_column("inbox", "citizen_id")
    op.drop_index("ix_task_document", table_name="task")
    op.drop_column("task", "document")

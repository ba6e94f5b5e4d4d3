"""Tasks about documents that stand alone, whom received documents are about, and logins"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

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
    op.create_table(
        "console_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("began", Moment(), nullable=False),
        sa.Column("used", Moment(), nullable=False),
    )
    op.create_index("ix_console_session_began", "console_session", ["began"])
    op.create_index("ix_console_session_used", "console_session", ["used"])
    op.create_table(
        "console_login",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
    )
    op.create_index("ix_console_login_at", "console_login", ["at"])


def downgrade() -> None:
    """Back."""
    op.drop_table("console_login")
    op.drop_table("console_session")
    op.drop_index("ix_inbox_citizen_id", table_name="inbox")
    op.drop_column("inbox", "citizen_id")
    op.drop_index("ix_task_document", table_name="task")
    op.drop_column("task", "document")

"""Machine clients, their used assertions, and how much each party has sent"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.store.tables import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "client",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("jwks", sa.JSON(), nullable=True),
        sa.Column("jwks_url", sa.Text(), nullable=True),
        sa.Column("certificate", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_client"),
    )
    op.create_index("ix_client_owner", "client", ["owner"])
    op.create_table(
        "used_assertion",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("jti_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client"], ["client.id"], name="fk_used_assertion_client", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("client", "jti_hash", name="pk_used_assertion"),
    )
    op.create_index("ix_used_assertion_expires_at", "used_assertion", ["expires_at"])
    op.create_table(
        "intake",
        sa.Column("party", sa.String(64), nullable=False),
        sa.Column("span", sa.String(16), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["party.id"], name="fk_intake_party"),
        sa.PrimaryKeyConstraint("party", "span", name="pk_intake"),
    )
    op.add_column("party", sa.Column("documents_a_minute", sa.Integer(), nullable=True))
    op.add_column("party", sa.Column("bytes_a_day", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("party", "bytes_a_day")
    op.drop_column("party", "documents_a_minute")
    op.drop_table("intake")
    op.drop_table("used_assertion")
    op.drop_table("client")

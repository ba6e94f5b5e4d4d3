"""The table of changes that wait for a person."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

PROPOSAL = Table(
    "proposal",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("part_id", String(64), nullable=False),
    Column("piece", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("author", ForeignKey("party.id"), nullable=False),
    Column("actor", String(64)),
    Column("inbox_id", String(64)),
    Column("base_version", Integer),
    Column("version", Integer, nullable=False),
    Column("base", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("carried", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Moment),
    Column("created_at", Moment, nullable=False),
)
"""A change of a part by one who does not own it (``proposal``), or of a piece that another
entitled writer had changed (``conflict``)."""

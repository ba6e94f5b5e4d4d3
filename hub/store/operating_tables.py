"""An operator's action on many deliveries, and what became of each."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

ACTION = Table(
    "action",
    METADATA,
    id_column(),
    Column("kind", String(16), nullable=False),
    Column("wanted", JSON, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment, index=True),
)

ACTION_ITEM = Table(
    "action_item",
    METADATA,
    Column("action_id", ForeignKey("action.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("delivery_id", ForeignKey("delivery.id"), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("told", Text, nullable=False),
    Index("ix_action_item_action_id_outcome", "action_id", "outcome"),
)

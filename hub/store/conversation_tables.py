"""The tables of correspondence: threads, what people wrote in them, and messages' own ids."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

THREAD = Table(
    "thread",
    METADATA,
    Column("plan_id", String(64), primary_key=True),
    Column("party", String(64), primary_key=True),
    Column("format", String(64), primary_key=True),
    Column("state", JSON, nullable=False),
    Column("key", Text),
    Column("delivery_id", String(64)),
    Column("versions", JSON, nullable=False),
    Column("sections", JSON, nullable=False),
    Column("shown", JSON, nullable=False),
)

THREAD_KEY = Table(
    "thread_key",
    METADATA,
    Column("party", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), nullable=False),
)

LETTER = Table(
    "letter",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("sender", String(64), nullable=False),
    Column("addressee", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

ENVELOPE = Table(
    "envelope",
    METADATA,
    Column("sender", String(64), primary_key=True),
    Column("envelope", String(255), primary_key=True),
    Column("message", String(255), nullable=False),
    Column("inbox_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_envelope_sender_message", "sender", "message"),
)

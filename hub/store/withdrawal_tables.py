"""The tables of withdrawals: what they took back, and the queues that are looked through for it."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

WITHDRAWAL = Table(
    "withdrawal",
    METADATA,
    id_column(),
    Column("plan_id", ForeignKey("plan.id"), nullable=False, index=True),
    Column("cause", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("units", JSON, nullable=False),
    Column("may_have_left", JSON, nullable=False),
    Column("wait_until", Moment, nullable=False),
    Column("settled_at", Moment),
)
"""``units``: party to the kind of its loss. ``may_have_left``: rows of delivery, receiver,
version and how far it came."""

RECALL = Table(
    "recall",
    METADATA,
    Column("party", ForeignKey("party.id"), primary_key=True),
    Column("round", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("taken", JSON, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("lease_until", Moment),
    Column("looks", Integer, nullable=False, server_default="0"),
    Column("look_at", Moment),
)
"""A party's queue on the broker that is taken back and filled anew with what is still permitted;
``taken``: rows of key and whether it had been handed out before, in the queue's order. ``looks``:
how often it was done since it was asked for; ``look_at``: when it is done once more."""

RETRACTION = Table(
    "retraction",
    METADATA,
    Column("part_id", ForeignKey("part.id"), primary_key=True),
    Column("plan_id", ForeignKey("plan.id"), primary_key=True),
    Column("below", Integer, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
"""A part that was published in error: versions below that one are shown without it."""

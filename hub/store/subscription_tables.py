"""The tables of how parties receive."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

SUBSCRIPTION = Table(
    "subscription",
    METADATA,
    id_column(),
    Column("party", ForeignKey("party.id"), nullable=False, index=True),
    Column("source", String(16), nullable=False),
    Column("position", Integer, nullable=False),
    Column("format", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("versions", String(16), nullable=False),
    Column("receipt", Boolean, nullable=False),
    Column("options", JSON, nullable=False),
    Column("unacceptable", JSON),
    Column("retry", JSON(none_as_null=True)),
    # Of a FHIR Subscription alone; its resource is in ``resource``.
    Column("status", String(16), nullable=False),
    Column("error", Text),
    Column("version", Integer),
    Column("endpoint", Text, index=True),
    Column("events", Integer, nullable=False),
    Column("heartbeat", Integer),
    Column("told_at", Moment),
    Column("ends_at", Moment),
    Column("suspended_by", Text),
    Column("suspended_reason", Text),
    Column("created_at", Moment),
    Column("deleted_at", Moment),
)
"""How parties receive: by the parties file (``source`` ``file``), or by a FHIR Subscription
(``fhir``)."""

SEEN = Table(
    "subscription_seen",
    METADATA,
    Column("subscription", ForeignKey("subscription.id"), primary_key=True),
    Column("object", String(128), primary_key=True),
    Column("version", Integer, nullable=False),
)
"""The newest version of each thing that was there when a FHIR Subscription began, or that it has
an event about."""

"""The tables of machine clients and of how much has come in."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

CLIENT = Table(
    "client",
    METADATA,
    id_column(),
    Column("kind", String(16), nullable=False),
    Column("owner", String(64), nullable=False, index=True),
    Column("scopes", Text, nullable=False),
    Column("jwks", JSON),
    Column("jwks_url", Text),
    Column("certificate", String(64)),
)
"""Machine clients of parties and operators, as the parties file has them."""

USED_ASSERTION = Table(
    "used_assertion",
    METADATA,
    Column("client", ForeignKey("client.id", ondelete="CASCADE"), primary_key=True),
    Column("jti_hash", String(64), primary_key=True),
    Column("expires_at", Moment, nullable=False, index=True),
)
"""Assertions that were used; kept until they would have expired by themselves."""

INTAKE = Table(
    "intake",
    METADATA,
    Column("party", ForeignKey("party.id"), primary_key=True),
    Column("span", String(16), primary_key=True),
    Column("began_at", Moment, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""What each party has sent in the running minute and day (``span``)."""

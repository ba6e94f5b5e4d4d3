"""The tables of the audit trail: rows, the seals over them, pseudonyms of citizens, legal holds."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("object", Text, nullable=False),
    Column("party", String(64)),
    Column("basis", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("role", String(32)),
    Column("unit", Text),
    Column("unit_name", Text),
    Column("citizen", String(64)),
    Column("plan_id", String(64), index=True),
    Column("version", Integer),
    Column("sections", Text),
    Column("purpose", Text),
    Column("consent_id", String(64)),
    Column("reason", Text),
    Column("row_hash", String(64), nullable=False),
    Index("ix_audit_citizen_id", "citizen", "id"),
)
"""One act. ``unit``: ``system|value`` of the acting unit as it was then, of the receiving one where
the hub acts; ``citizen``: a pseudonym; ``sections``: labels with spaces between."""

AUDIT_TAIL = Table(
    "audit_tail",
    METADATA,
    Column("audit_id", Integer, primary_key=True, autoincrement=False),
)
"""Rows that wait for the sealer; written with the row, taken away with its seal."""

AUDIT_SEAL = Table(
    "audit_seal",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", Integer, nullable=False, unique=True),
    Column("row_hash", String(64), nullable=False),
    Column("segment", Integer, nullable=False, index=True),
    Column("sealed_at", Moment, nullable=False),
    Column("chain_hash", String(64), nullable=False, index=True),
)

AUDIT_SEGMENT = Table(
    "audit_segment",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("opened_on", String(10), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("expired_at", Moment),
    Column("expired_by", Integer),
)
"""``opened_on``: the first day; ``expired_by``: the id of the audit row that let its rows go."""

PSEUDONYM = Table(
    "pseudonym",
    METADATA,
    id_column("citizen_id"),
    Column("key", String(64), nullable=False),
    Column("made_at", Moment, nullable=False),
)

CITIZEN_HOLD = Table(
    "citizen_hold",
    METADATA,
    id_column("citizen_id"),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Moment, nullable=False),
)
"""Nothing about this citizen may be deleted: of any plan, or of none."""

LEGAL_HOLD = Table(
    "legal_hold",
    METADATA,
    id_column("plan_id"),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Moment, nullable=False),
)

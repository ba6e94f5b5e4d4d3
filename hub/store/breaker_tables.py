"""The table of endpoints that failed."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from hub.store.tables import METADATA, Moment

BREAKER = Table(
    "breaker",
    METADATA,
    Column("endpoint", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("probes", Integer, nullable=False),
    Column("since", Moment),
    Column("until", Moment),
    Column("probe", String(64)),
    Column("reason", Text, nullable=False),
)
"""One row for each endpoint that something failed at; see :class:`hub.model.breaker.Breaker`."""

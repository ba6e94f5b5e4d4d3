"""Who is logged in to the console, and who has gone to the provider to log in."""

from __future__ import annotations

from sqlalchemy import JSON, Column, String, Table, Text

from hub.store.tables import METADATA, Moment, id_column

CONSOLE_SESSION = Table(
    "console_session",
    METADATA,
    id_column(),
    Column("area", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("began", Moment, nullable=False, index=True),
    Column("used", Moment, nullable=False, index=True),
)
"""By the hash of a random id that only the browser has."""

CONSOLE_LOGIN = Table(
    "console_login",
    METADATA,
    id_column(),
    Column("area", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)
"""The same; what is in it is of use to that browser alone, once, for some minutes."""

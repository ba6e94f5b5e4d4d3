"""Bring a database to this version's schema; safe to start twice at once."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from hub.errors import Misconfigured
from hub.store.dialect import Database, migration_lock

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS: Final = files("hub.store") / "migrations"
_VERSION: Final = sa.table("alembic_version", sa.column("version_num", sa.String))


def migrate(database: Database) -> str:
    """Run what is missing, under a lock; returns the revision now in force."""
    from alembic import command  # noqa: PLC0415  (slow to load)

    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "head")
        found = _in_force(connection)
    return found or ""


def check_schema(database: Database) -> None:
    """Raises Misconfigured if the database is not at this version's schema.

    Every command asks this first, so it does without Alembic, which takes 0.15 s to load.
    """
    with database.reading() as connection:
        found = _in_force(connection)
    if found != newest():
        raise Misconfigured("The database has another schema; run: ki-hub migrate")


def newest() -> str:
    """The last revision there is: the name of its file begins with it."""
    names = (file.name for file in (_MIGRATIONS / "versions").iterdir())
    return max(name.partition("_")[0] for name in names if name.endswith(".py"))


def _in_force(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.scalar(sa.select(_VERSION.c.version_num))
    return found


def _config(connection: sa.Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415  (slow to load)

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config

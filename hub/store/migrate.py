"""Bring a database to this version's schema; safe to start twice at once."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.errors import Misconfigured
from hub.store.dialect import Database, migration_lock


def migrate(database: Database) -> str:
    """Run what is missing, under a lock; returns the revision now in force."""
    with migration_lock(database.engine) as connection:
        config = _config(connection)
        command.upgrade(config, "head")
        found = MigrationContext.configure(connection).get_current_revision()
    return found or ""


def check_schema(database: Database) -> None:
    """Raises Misconfigured if the database is not at this version's schema."""
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    if found != head:
        raise Misconfigured("The database has another schema; run: ki-hub migrate")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("hub.store") / "migrations"))
    config.attributes["connection"] = connection
    return config

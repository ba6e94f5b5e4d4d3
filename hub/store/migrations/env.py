"""Alembic's environment: runs on the connection that ``hub.store.migrate`` holds the lock on."""

from alembic import context

from hub.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
context.run_migrations()

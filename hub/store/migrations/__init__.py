"""Alembic migrations, run by ``ki-hub migrate``."""

"""A row that may be there already, or be written by another process at this moment."""

from __future__ import annotations

from sqlalchemy import Connection, Insert
from sqlalchemy.exc import IntegrityError


def inserted(db: Connection, row: Insert) -> bool:
    """Insert it; False if its place is taken. The transaction goes on either way."""
    try:
        with db.begin_nested():
            db.execute(row)
    except IntegrityError:
        return False
    return True

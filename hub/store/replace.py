"""Rows that follow from others: written anew when they came out otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select


def replace_rows(
    db: Connection, table: Table, whose: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Make ``rows`` all that stands in the table under the columns ``whose``.

    Most often nothing changed, and then nothing is written.
    """
    wanted = [{**whose, **row} for row in rows]
    own = [table.c[column] == value for column, value in whose.items()]
    stands = db.execute(select(table).where(*own))
    if {frozenset(r.items()) for r in stands.mappings()} == {frozenset(w.items()) for w in wanted}:
        return
    db.execute(table.delete().where(*own))
    if wanted:
        db.execute(table.insert(), wanted)

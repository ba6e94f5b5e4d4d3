"""What stands in a busy hub's database, as it would have stood in each earlier schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alembic import command
from sqlalchemy import Column, Connection, MetaData, Table, inspect, select

import hub.store.work  # noqa: F401  (every table)
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import Step, _config, _steps
from hub.store.tables import METADATA

Rows = Mapping[str, list[dict[str, Any]]]
"""Table to its rows, in an order in which they can be put in."""
_COPIED = ("content", "format", "versions", "receipt", "options")


def contents(connection: Connection) -> Rows:
    """Everything, by the newest schema's own types."""
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in METADATA.sorted_tables
    }


def steps() -> tuple[Step, ...]:
    """Every step there ever was."""
    database = Database("sqlite://")
    with database.engine.connect() as connection:
        found = _steps(connection)
    database.close()
    return found


def upgrade(database: Database, revision: str) -> None:
    """To that step and not further."""
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), revision)


@dataclass(frozen=True)
class OldSchema:
    """The tables as they are in a database now, which no class describes any more."""

    tables: Mapping[str, Table]
    needed: Mapping[str, frozenset[str]]
    """Table to the columns that every row must fill."""

    def rows_of(self, rich: Rows) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
        """What of the rows can stand here; a row without what was needed then is left out, with
        what refers to it. The table ``meta`` is the hub's own of today."""
        put: dict[Column[Any], set[Any]] = {}
        for name, rows in rich.items():
            table = self.tables.get(name)
            if table is None or name == "meta":
                continue
            newest = METADATA.tables[name]
            whole = [
                r for row in rows if self._stands(r := _as_then(table, row, rich), newest, put)
            ]
            for column in newest.primary_key:
                put[column] = {r[column.name] for r in whole if column.name in r}
            if whole:
                yield table, whole

    def _stands(
        self, row: Mapping[str, Any], table: Table, put: Mapping[Column[Any], set[Any]]
    ) -> bool:
        there = all(
            row.get(key.parent.name) in {None, *put.get(key.column, ())}
            for key in table.foreign_keys
            if key.column.table is not table
        )
        return there and all(row.get(c) is not None for c in self.needed[table.name])


def old_schema(connection: Connection) -> OldSchema:
    """Reflected; values have the types they have in the newest schema."""
    look = inspect(connection)
    tables, needed = {}, {}
    for name in look.get_table_names():
        if name == "alembic_version":
            continue
        newest = METADATA.tables.get(name)
        keys = set(look.get_pk_constraint(name)["constrained_columns"])
        columns = look.get_columns(name)
        tables[name] = Table(
            name, MetaData(),
            *(Column(c["name"], _type(newest, c), primary_key=c["name"] in keys) for c in columns),
        )  # fmt: skip
        needed[name] = frozenset(
            c["name"] for c in columns if not c["nullable"] and c["default"] is None
        )
    return OldSchema(tables, needed)


def _type(newest: Table | None, column: Mapping[str, Any]) -> Any:
    known = newest is not None and column["name"] in newest.c
    return newest.c[column["name"]].type if newest is not None and known else column["type"]


def _as_then(table: Table, row: Mapping[str, Any], rich: Rows) -> dict[str, Any]:
    gone = {
        c.name: _GONE[table.name, c.name](row, rich)
        for c in table.c
        if c.name not in row and (table.name, c.name) in _GONE
    }
    return {c.name: row[c.name] for c in table.c if c.name in row} | gone


def _subscriptions(party: Mapping[str, Any], rich: Rows) -> list[dict[str, Any]]:
    """They stood in the party's row until 0003."""
    own = [r for r in rich["subscription"] if r["party"] == party["id"]]
    return [{name: r[name] for name in _COPIED} for r in own]


_GONE: Mapping[tuple[str, str], Callable[[Mapping[str, Any], Rows], Any]] = {
    ("party", "subscriptions"): _subscriptions,
}
"""Columns that no newer schema has; a step that drops another one names it here."""

"""From every schema that was ever released, with data in it, to the newest, while old code runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, and_, select, text, update

from hub.model.party import SYSTEM
from hub.runtime.bootstrap import build, close
from hub.runtime.settings import Settings
from hub.services import overview, trail
from hub.services.seal import seal
from hub.services.worker import maintain, work_once
from hub.store.dialect import Database
from hub.store.migrate import check_schema, migrate
from hub.store.tables import METADATA
from tests.console.seed import seed
from tests.contract.schemas.history import Rows, contents, old_schema, steps, upgrade
from tests.servers.postgres import PostgresServer

STEPS = steps()
FULL = bool(os.environ.get("KI_HUB_TEST_FULL"))
ON_POSTGRESQL = {s.revision for s in STEPS} if FULL else {STEPS[0].revision, STEPS[-2].revision}
"""There a schema costs more; those in between differ from SQLite's by nothing of the hub's."""


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """A busy day's rows."""
    seeded = seed(tmp_path_factory.mktemp("rich") / "data")
    seal(seeded.hub)
    with seeded.hub.store.database.reading() as connection:
        found = contents(connection)
    close(seeded.hub)
    filled = [name for name, rows in found.items() if rows]
    assert len(filled) > 20, filled
    return found


@contextmanager
def empty(kind: str, folder: Path, server: PostgresServer | None) -> Iterator[str]:
    if server is None:
        yield f"sqlite:///{folder / 'hub.db'}"
        return
    with server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    kind = request.param
    server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    with empty(kind, tmp_path, server) as found:
        yield found


CASES = [("sqlite", s.revision) for s in STEPS] + [("postgresql", r) for r in sorted(ON_POSTGRESQL)]


@pytest.mark.parametrize(("kind", "revision"), CASES)
def test_what_stood_there_is_there_and_in_use(
    kind: str, revision: str, rich: Rows, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    with empty(kind, tmp_path, server) as url:
        with closing(Database(url)) as database:
            upgrade(database, revision)
            before = fill(database, rich)
            migrate(database)
            check_schema(database)
            with database.reading() as connection:
                now = contents(connection)
            for name, rows in before.items():
                assert rows == _as_they_were(rows, METADATA.tables[name], now[name]), name
        used(url, rich)


def fill(database: Database, rich: Rows) -> Rows:
    """Put in what can stand in the schema as it is; gives it back."""
    put = {}
    with database.writing() as connection:
        for table, rows in old_schema(connection).rows_of(rich):
            connection.execute(table.insert(), rows)
            put[table.name] = rows
            if not database.embedded and isinstance(rows[0].get("id"), int):
                last = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id))"
                connection.execute(text(f"{last} FROM {table.name}"))
        connection.commit()
    return put


REWRITTEN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "row_hash": lambda row: not row["row_hash"],
    "retry_at": lambda row: row["state"] == "sent",
}
"""Columns whose values a step writes (0007, 0005), and in which rows."""


def _as_they_were(
    before: list[dict[str, Any]], table: Table, now: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The same rows, with the same columns, as they stand now; gone columns as they were."""
    keys = [c.name for c in table.primary_key]
    standing = {tuple(row[k] for k in keys): row for row in now}
    found = []
    for row in before:
        there = standing[tuple(row[k] for k in keys)]
        kept = {k: there.get(k, v) for k, v in row.items()}
        found.append(
            kept | {k: row[k] for k, is_it in REWRITTEN.items() if k in row and is_it(row)}
        )
    return found


def used(url: str, rich: Rows) -> None:
    """The hub goes on with it: it works, every plan is shown, the audit trail is whole."""
    hub = build(Settings(database_url=url))
    try:
        work_once(hub)
        maintain(hub)
        for row in rich["plan"]:
            assert overview.plan_history(hub, SYSTEM, row["id"]).versions
        assert len(overview.party_rows(hub)) == len(rich["party"])
        seal(hub)
        checked = trail.check(hub, None)
        assert (checked.found, checked.unsealed) == (None, 0)
        assert checked.rows >= len(rich["audit"])
    finally:
        close(hub)


def test_an_older_program_reads_and_writes_while_more_is_added(url: str, rich: Rows) -> None:
    """Every step that adds is run beside a program that knows the schema before it."""
    with closing(Database(url)) as database:
        upgrade(database, STEPS[0].revision)
        for step in STEPS[1:]:
            with database.reading() as connection:
                old = old_schema(connection)
            upgrade(database, step.revision)
            if step.phase == "post":
                continue
            with database.writing() as connection:  # rolled back
                for table, rows in old.rows_of(rich):
                    connection.execute(table.insert(), rows)
                    mine = and_(*(c == rows[0][c.name] for c in table.primary_key))
                    connection.execute(update(table).where(mine).values(**rows[0]))
                    read = connection.execute(select(table).where(mine)).mappings().one()
                    assert read == rows[0], (step.revision, table.name)

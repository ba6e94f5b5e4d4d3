"""The only module that knows SQLite from PostgreSQL."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from hub.errors import Misconfigured, StoreUnavailable
from hub.store.tables import META

BUSY_MILLISECONDS = 15_000


class Database:
    """An engine, and how to write through it.

    SQLite: WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` for writing, and one write lock in
    the process, so that writers queue here instead of failing there. PostgreSQL: READ
    COMMITTED; writers of one plan queue on its row.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.embedded = parsed.get_backend_name() == "sqlite"
        if self.embedded:
            if parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(
                parsed,
                hide_parameters=True,
                connect_args={"timeout": BUSY_MILLISECONDS / 1000},
            )
            event.listen(self.engine, "connect", _sqlite_settings)
        else:
            self.engine = create_engine(
                parsed,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_size=10,
                connect_args={"connect_timeout": 5},
            )
        self._write_lock = RLock()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; rolled back unless the caller commits."""
        if not self.embedded:
            with _translated(), self.engine.connect() as connection:
                yield connection
            return
        with self._write_lock, _translated(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot that is never committed."""
        with _translated(), self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                )
            yield connection

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Hold that name against every other process on this database; False if one holds it.

        It is let go with the process, however that ends.
        """
        if not self.embedded:
            with self._advisory_lock(name) as held:
                yield held
            return
        file = self.engine.url.database
        if not file:
            yield True
            return
        with Path(f"{file}.{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _advisory_lock(self, name: str) -> Iterator[bool]:
        """PostgreSQL's lock of a session: on a connection of its own, closed afterwards."""
        wanted = text("SELECT pg_try_advisory_lock(4711002, hashtext(:name))")
        with _translated():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        with connection:
            try:
                with _translated():
                    held = connection.execute(wanted, {"name": name}).scalar_one()
                yield held
            finally:
                connection.invalidate()

    def check(self) -> None:
        """Really ask; raises StoreUnavailable."""
        file = self.engine.url.database if self.embedded else None
        if file and not Path(file).is_file():
            # An open SQLite connection goes on reading a file that is gone.
            raise StoreUnavailable("The database file is gone")
        with _translated(), self.engine.connect() as connection:
            connection.execute(META.select().limit(1))

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def take_turn(connection: Connection, name: str) -> bool:
    """Be the only one with that name until this writing transaction ends; False if one is.

    On SQLite a writing transaction is the only one anyway.
    """
    if connection.dialect.name == "sqlite":
        return True
    wanted = text("SELECT pg_try_advisory_xact_lock(4711003, hashtext(:name))")
    return bool(connection.execute(wanted, {"name": name}).scalar_one())


@contextmanager
def migration_lock(engine: Engine) -> Iterator[Connection]:
    """One migration at a time, whoever starts it."""
    with _translated(), engine.connect() as connection:
        embedded = connection.dialect.name == "sqlite"
        if embedded:
            # SQLite changes a column by making the table anew, and dropping the old one would
            # break what refers to it; the whole is checked instead before it is committed.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(4711001)"))
        yield connection
        if embedded and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise Misconfigured("The migration would leave rows that refer to nothing")
        connection.commit()
        if embedded:
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _sqlite_settings(connection: Any, _record: Any) -> None:
    # SQLAlchemy must not begin by itself: the kind of BEGIN is chosen per unit of work.
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Turn a new file to WAL; the change needs the file alone and does not wait for it itself."""
    until = monotonic() + BUSY_MILLISECONDS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as e:
        raise StoreUnavailable from e
    except DBAPIError as e:
        # SQLite says DatabaseError itself, no subclass of it, for a file that is no database.
        if e.connection_invalidated or type(e) is DatabaseError:
            raise StoreUnavailable from e
        raise

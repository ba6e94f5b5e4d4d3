"""The only module that knows SQLite from PostgreSQL."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import Any, Final

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from hub.errors import Misconfigured, StoreFull, StoreReadOnly, StoreUnavailable
from hub.store.tables import META

LOG = structlog.get_logger()
BUSY_MILLISECONDS = 15_000
_SQLITE_ERRORS: Final[dict[int, type[StoreUnavailable]]] = {
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
}
"""https://www.sqlite.org/rescode.html"""
_SQL_STATES: Final[dict[str, type[StoreUnavailable]]] = {
    "53100": StoreFull,
    "25006": StoreReadOnly,
    "58030": StoreUnavailable,
}
"""disk_full, read_only_sql_transaction, io_error; https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_PROBE: Final = "probe/"
_PROBE_BYTES: Final = 64 * 1024
"""More than fits in what a full disk has left of pages that are allocated already."""


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
        self._trouble: StoreUnavailable | None = None
        """Why the last write did not go through."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; rolled back unless the caller commits."""
        turn: AbstractContextManager[Any] = self._write_lock if self.embedded else nullcontext()
        with turn, self._remembered(), _translated(), self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            if self._trouble is not None and not connection.in_transaction():
                LOG.info("store.written_again")
                self._trouble = None

    def _expect_writable(self) -> None:
        """A file on a read-only disk cannot even be opened, and SQLite does not say why."""
        file = self.engine.url.database if self.embedded else None
        if file and Path(file).exists() and not os.access(file, os.W_OK):
            raise StoreReadOnly

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        """Whoever asks how the hub is hears of a write that failed; the log hears it once."""
        try:
            self._expect_writable()
            yield
        except StoreUnavailable as e:
            if type(e) is not type(self._trouble):
                LOG.error("store.not_written", number=e.number, why=e.text)
            self._trouble = e
            if isinstance(e, StoreReadOnly):
                # A connection that began on a read-only database stays so.
                self.engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent snapshot that is never committed."""
        with _translated(writing=False), self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN")
            else:
                # By a statement: with the driver's own setting the pool would make later
                # transactions READ WRITE, also in a database that is to take no changes.
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
        """Really ask, and write if the last write failed; raises StoreUnavailable."""
        file = self.engine.url.database if self.embedded else None
        if file and not Path(file).is_file():
            # An open SQLite connection goes on reading a file that is gone.
            raise StoreUnavailable("The database file is gone")
        self._expect_writable()
        if not self._answers():
            # A connection that began on a standby is on one still, whatever is there by now.
            self.engine.dispose()
            if not self._answers():
                raise StoreReadOnly
        if self._trouble is not None:
            self.check_writing()

    def _answers(self) -> bool:
        """False if it does and takes no changes."""
        with _translated(), self.engine.connect() as connection:
            connection.execute(META.select().limit(1))
            return self.embedded or not connection.execute(_TAKES_NO_CHANGES).scalar_one()

    def check_writing(self) -> None:
        """Write as much as a small document, and take it away again; raises StoreUnavailable."""
        value = secrets.token_hex(_PROBE_BYTES // 2)
        with self.writing() as connection:
            connection.execute(META.insert().values(key=_PROBE + value[:32], value=value))
            connection.commit()
        with self.writing() as connection:
            connection.execute(META.delete().where(META.c.key.startswith(_PROBE)))
            connection.commit()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


_TAKES_NO_CHANGES: Final = text("SELECT current_setting('transaction_read_only') = 'on'")
"""Also on a standby."""


def inserted(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row; False if its place is taken, also by a transaction that has just committed."""
    made = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = made(table).values(**values).on_conflict_do_nothing()
    counted = connection.execute(row, execution_options={"preserve_rowcount": True})
    return counted.rowcount > 0


def next_id(connection: Connection, table: Table) -> ColumnElement[int]:
    """The number that the table's next row would get; to be written down in this transaction."""
    (column,) = table.primary_key
    if connection.dialect.name == "sqlite":
        return select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
    return func.nextval(func.pg_get_serial_sequence(table.name, column.name))


def take_turn(connection: Connection, name: str) -> bool:
    """Be the only one with that name until this writing transaction ends; False if one is.

    On SQLite a writing transaction is the only one anyway.
    """
    if connection.dialect.name == "sqlite":
        return True
    wanted = text("SELECT pg_try_advisory_xact_lock(4711003, hashtext(:name))")
    return bool(connection.execute(wanted, {"name": name}).scalar_one())


def wait_turn(connection: Connection, name: str) -> None:
    """As :func:`take_turn`, but waits for who has that name."""
    if connection.dialect.name != "sqlite":
        wanted = text("SELECT pg_advisory_xact_lock(4711004, hashtext(:name))")
        connection.execute(wanted, {"name": name})


_MIGRATING: Final = 4711001
_WHO_MIGRATES: Final = text(
    "SELECT format('process %s, since %s', a.pid, a.xact_start) FROM pg_locks l"
    " JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.objid = :lock AND l.granted"
)


def _wait_for_turn(connection: Connection, waits: Callable[[str], None]) -> None:
    """Be the one that migrates; ``waits`` is told who is, if another one is."""
    if connection.dialect.name == "sqlite":
        # SQLite changes a column by making the table anew, and dropping the old one would
        # break what refers to it; the whole is checked instead before it is committed.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    lock = {"lock": _MIGRATING}
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), lock).scalar_one():
        who = connection.execute(_WHO_MIGRATES, lock).scalar() or "it has just ended"
        waits(f"Another migration holds the lock ({who}); this one waits for it")
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), lock)
    # Whoever reads a table for long is not to keep everybody else waiting behind the change.
    connection.execute(text(f"SET LOCAL lock_timeout = '{BUSY_MILLISECONDS}ms'"))


@contextmanager
def migration_lock(
    engine: Engine, waits: Callable[[str], None] = lambda _: None
) -> Iterator[Connection]:
    """One migration at a time, whoever starts it."""
    with _translated(), engine.connect() as connection:
        _wait_for_turn(connection, waits)
        embedded = connection.dialect.name == "sqlite"
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


def _unavailable(error: DBAPIError) -> StoreUnavailable | None:
    """What the database's error means to the hub; None for a mistake of the hub's own."""
    cause: BaseException | None = error.orig
    while cause is not None:
        # SQLite ends a transaction on a full disk by itself; going back to a savepoint then fails
        # as well, and is what is raised.
        number = getattr(cause, "sqlite_errorcode", None) or 0
        known = _SQLITE_ERRORS.get(number & 0xFF) or _SQL_STATES.get(getattr(cause, "sqlstate", ""))
        if known is not None:
            return known()
        cause = cause.__context__
    # SQLite says DatabaseError itself, no subclass of it, for a file that is no database.
    lost = error.connection_invalidated or type(error) is DatabaseError
    return StoreUnavailable() if lost or isinstance(error, OperationalError) else None


@contextmanager
def _translated(*, writing: bool = True) -> Iterator[None]:
    try:
        yield
    except DBAPIError as e:
        found = _unavailable(e)
        if found is None or (isinstance(found, StoreReadOnly) and not writing):
            # Who only reads and yet writes has a mistake in it.
            raise
        raise found from e

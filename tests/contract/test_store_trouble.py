"""A database that takes no changes says why, and is well again by itself."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
import structlog
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError
from structlog.testing import capture_logs

from hub.errors import StoreFull, StoreReadOnly, StoreUnavailable
from hub.model.delivery import State
from hub.store.dialect import Database
from hub.store.work import Store, UnitOfWork
from tests.contract.store_cases import (
    NOW,
    PSYK,
    RUS,
    delivery,
    inbox_item,
    opened,
    put,
    together,
)
from tests.faults.disk import SmallDisk
from tests.servers.postgres import PostgresServer


@pytest.fixture(autouse=True)
def _every_level() -> None:
    """A command that another test ran in this process may have told the log to be short."""
    structlog.reset_defaults()


def keep(store: Store, message_id: str, size: int = 100) -> None:
    with store.writing() as work:
        assert work.inbox.add(inbox_item(message_id, body=bytes(size)))
        work.commit()


def _needs_root(disk: SmallDisk) -> None:
    with pytest.raises(AssertionError, match="never filled"):
        disk.fill()


def test_a_full_disk_is_told_once_and_is_over_when_there_is_room() -> None:
    with SmallDisk(megabytes=8) as disk, opened(f"sqlite:///{disk.path / 'hub.db'}") as store:
        if not disk.own:
            _needs_root(disk)
            return
        keep(store, "m-1")
        disk.fill()
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(StoreFull) as refused:
                    keep(store, "m-2", 9_000_000)
                assert refused.value.move == "operator"
            with pytest.raises(StoreFull):
                store.check()
        assert [line["event"] for line in logs] == ["store.not_written"]
        with store.reading() as work:
            assert work.inbox.find("rus-havneby", "m-2") is None
        disk.empty()
        with capture_logs() as logs:
            store.check()
            keep(store, "m-2", 2_000_000)
        assert [line["event"] for line in logs] == ["store.written_again"]


def test_a_read_only_file_is_told_and_written_when_it_may_be() -> None:
    with SmallDisk(megabytes=8) as disk:
        if not disk.own:
            _needs_root(disk)
            return
        url = f"sqlite:///{disk.path / 'hub.db'}"
        with opened(url) as store:
            keep(store, "m-1")
        with closing(Store(Database(url))) as store:
            with disk.read_only():
                for ask in (store.check, lambda: keep(store, "m-2")):
                    with pytest.raises(StoreUnavailable) as refused:
                        ask()
                    assert type(refused.value) is StoreReadOnly
            store.check()
            keep(store, "m-2")


def test_a_read_only_postgresql_is_told_and_written_when_it_may_be(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as url, opened(url) as store:
        name = make_url(url).database or ""
        keep(store, "m-1")
        _only_reading(postgres_server, name, "on")
        with pytest.raises(StoreReadOnly):
            store.check()
        with pytest.raises(StoreReadOnly):
            keep(store, "m-2")
        with store.reading() as work:
            assert work.inbox.find("rus-havneby", "m-2") is None
        _only_reading(postgres_server, name, "off")
        store.check()
        keep(store, "m-2")
        store.check_writing()


def _only_reading(server: PostgresServer, name: str, wanted: str) -> None:
    """As after a switch to a standby: what was connected is cut off."""
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    said = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    with server.connect() as connection:
        connection.execute(said.format(sql.Identifier(name), sql.Literal(wanted)))
        if wanted == "on":
            connection.execute(cut, [name])


def test_who_only_names_a_plan_does_not_wait_for_who_writes_it(
    postgres_server: PostgresServer,
) -> None:
    """Or a sender that holds a delivery and one that routes the plan wait for each other."""
    with postgres_server.database() as url, opened(url) as store:
        put(store, delivery(RUS))
        with store.writing() as holds:
            assert holds.plans.lock("plan-1") is not None
            assert holds.deliveries.lock(delivery(RUS).id) is not None
            (late,) = together(lambda: _named(store))
            assert late == 1
            holds.commit()


def _named(store: Store) -> int:
    with store.database.writing() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        made = UnitOfWork(connection)
        made.deliveries.add(delivery(PSYK), "test")
        made.deliveries.note(delivery(RUS).id, NOW, State.DUE, "named", "test")
        connection.commit()
    return 1


def test_a_write_where_only_reading_was_meant_is_a_mistake(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as url, opened(url) as store:
        with pytest.raises(InternalError) as raised, store.reading() as work:
            work.journal.set_meta("a", "b")
        assert isinstance(raised.value.orig, psycopg.errors.ReadOnlySqlTransaction)

"""What the store promises, on SQLite and on PostgreSQL: transactions, schema, being away."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from hub.contract import Identifier
from hub.errors import Misconfigured, StoreUnavailable
from hub.fhir import names
from hub.model.party import CITIZEN, SYSTEM
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import _config, check_schema, migrate, newest
from hub.store.tables import METADATA
from hub.store.work import Store
from tests.contract.store_cases import (
    NOW,
    RUS,
    committed,
    inbox_item,
    opened,
    plan,
    together,
)
from tests.servers.postgres import PostgresServer


def test_nothing_stays_that_was_not_committed(store: Store) -> None:
    with store.writing() as work:
        work.inbox.add(inbox_item())
        work.plans.add(plan(), NOW)
    with store.reading() as work:
        assert work.inbox.find(RUS, "m-1") is None
        assert work.plans.get("plan-1", SYSTEM, NOW) is None


def test_a_failure_rolls_everything_back(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as work:  # noqa: PT012
        work.inbox.add(inbox_item())
        raise RuntimeError
    with store.reading() as work:
        assert work.inbox.find(RUS, "m-1") is None


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.reading() as reader:
        assert reader.inbox.find(RUS, "m-1") is None
        with committed(store) as work:
            work.inbox.add(inbox_item())
        assert reader.inbox.find(RUS, "m-1") is None
    with store.reading() as reader:
        assert reader.inbox.find(RUS, "m-1") is not None


def test_a_taken_message_id_leaves_the_transaction_usable(store: Store) -> None:
    with committed(store) as work:
        assert work.inbox.add(inbox_item())
    with committed(store) as work:
        assert not work.inbox.add(inbox_item(id="another"))
        assert work.inbox.add(inbox_item("m-2"))
    with store.reading() as work:
        assert work.inbox.find(RUS, "m-2") is not None


def test_of_two_with_one_message_id_one_wins(store: Store) -> None:
    gate = threading.Barrier(2)

    def send(name: str) -> bool:
        gate.wait(10)
        with committed(store) as work:
            return work.inbox.add(inbox_item(id=name))

    assert sorted(together(lambda: send("a"), lambda: send("b"))) == [False, True]


def test_writers_of_one_plan_come_one_after_the_other(url: str, store: Store) -> None:
    """In one process, and in another one: which has a store of its own."""
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    gate = threading.Barrier(6)

    def bump(writer: Store) -> None:
        gate.wait(10)
        with committed(writer) as work:
            before = work.plans.lock("plan-1")
            assert before is not None
            time.sleep(0.02)
            # Written from what was read: a writer in between would lose its own.
            work.plans.bump_epoch("plan-1")
            after = work.plans.get("plan-1", SYSTEM, NOW)
            assert after is not None
            assert after.consent_epoch == before.consent_epoch + 1

    other = Store(Database(url))
    together(*[partial(bump, store)] * 3, *[partial(bump, other)] * 3)
    other.close()
    with store.reading() as work:
        found = work.plans.get("plan-1", SYSTEM, NOW)
    assert found is not None
    assert found.consent_epoch == 7


def test_a_number_is_nobody_else_s_while_somebody_writes_about_its_citizen(
    store: Store,
) -> None:
    number = Identifier(names.CPR, "0201609996")
    with committed(store) as work:
        work.plans.add_citizen("first", [number])
    begun = threading.Event()

    def write() -> None:
        with committed(store) as work:
            assert work.plans.hold_citizens([number]) == {"first"}
            begun.set()
            time.sleep(0.1)
            assert work.plans.citizen([number]) == "first"

    def move() -> None:
        begun.wait(10)
        with committed(store) as work:
            work.plans.hold_numbers([number])
            work.plans.move_number(number, "second")

    together(write, move)
    with store.reading() as work:
        assert work.plans.citizen([number]) == "second"
        assert work.plans.numbers("first") == ()


def test_the_migrated_schema_is_the_one_the_code_has(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_what_was_kept_before_a_migration_is_a_document(url: str) -> None:
    """0002: until then every message was one, and a part's last message its last document."""
    database = Database(url)
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO party (id, name, kind, organisation, identifiers, transport, address,"
                " subscriptions, paused, updated_at) VALUES ('p', 'P', 'gp', 'O', '[]', 'mailbox',"
                " 'p', '[]', false, '2026-09-20 10:00:00')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO inbox (id, sender, message_id, format, media_type, channel, body_hash,"
                " state, answered, attempts, received_at) VALUES ('i', 'p', 'm', 'fhir', 'x',"
                " 'http', 'h', 'applied', true, 0, '2026-09-20 10:00:00')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO part (id, citizen_id, owner, kind, case_id, members, source_inbox,"
                " updated_at) VALUES ('part', 'c', 'p', 'shared', 'k', '[]', 'i',"
                " '2026-09-20 10:00:00')"
            )
        )
    migrate(database)
    store = Store(database)
    with store.reading() as work:
        item, part = work.inbox.get("i", SYSTEM), work.plans.part_by_id("part")
    store.close()
    assert item is not None
    assert item.request is None
    assert part is not None
    assert (part.source_inbox, part.document_inbox) == ("i", "i")


def test_a_request_line_is_kept_as_it_came(store: Store) -> None:
    line = {"method": "PUT", "url": "Goal/x", "ifMatch": 'W/"1"'}
    with committed(store) as work:
        work.inbox.add(inbox_item(request=line))
        work.inbox.add(inbox_item("m-2"))
    with store.reading() as work:
        kept = [work.inbox.find(RUS, name) for name in ("m-1", "m-2")]
    assert [k.request for k in kept if k is not None] == [line, None]


def test_migrating_again_changes_nothing(store: Store) -> None:
    check_schema(store.database)
    assert migrate(store.database) == migrate(store.database)
    with store.reading() as work:
        assert work.parties.get(RUS) is not None


def test_another_schema_is_refused(url: str) -> None:
    with closing(Database(url)) as database:
        with pytest.raises(Misconfigured, match="ki-hub migrate"):
            check_schema(database)
        with migration_lock(database.engine) as connection:
            command.upgrade(_config(connection), "0001")
            last = ScriptDirectory.from_config(_config(connection)).get_current_head()
        with pytest.raises(Misconfigured, match="ki-hub migrate"):
            check_schema(database)
        assert migrate(database) == newest() == last
        check_schema(database)


def test_migrating_at_once_from_several_processes_works(url: str) -> None:
    program = (
        "import sys; from hub.store.dialect import Database; from hub.store.migrate import migrate;"
        "database = Database(sys.argv[1]); print('ready', flush=True); sys.stdin.readline();"
        "print(migrate(database)); database.close()"
    )
    command = [sys.executable, "-W", "error", "-c", program, url]
    pipe = subprocess.PIPE
    several = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)
    ]
    for process in several:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = together(*(partial(p.communicate, "go\n", 60) for p in several))
    assert [p.returncode for p in several] == [0, 0, 0], said
    assert len({out for out, _ in said} - {""}) == 1
    database = Database(url)
    check_schema(database)
    database.close()


def test_opening_a_new_file_waits_for_who_is_writing_it(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE of_another_process (id INTEGER)")
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.commit).start()
        database = Database(f"sqlite:///{file}")
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        database.close()


def test_a_stopped_postgresql_is_said_to_be_unavailable() -> None:
    with PostgresServer() as server, server.database() as url, opened(url) as store:
        store.check()
        server.stop()
        with pytest.raises(StoreUnavailable):
            store.check()
        with pytest.raises(StoreUnavailable), store.writing() as work:
            work.parties.get(RUS)
        with pytest.raises(StoreUnavailable), store.reading() as work:
            work.parties.get(RUS)
        server.start()
        store.check()
        with store.reading() as work:
            assert work.parties.get(RUS) is not None


def test_a_postgresql_that_dies_in_a_transaction_is_unavailable() -> None:
    with PostgresServer() as server, server.database() as url, opened(url) as store:
        with pytest.raises(StoreUnavailable), store.writing() as work:  # noqa: PT012
            work.inbox.add(inbox_item())
            server.stop()
            work.commit()
        server.start()
        with store.reading() as work:
            assert work.inbox.find(RUS, "m-1") is None


def test_a_database_file_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    with opened(f"sqlite:///{file}") as store:
        file.unlink()
        with pytest.raises(StoreUnavailable):
            store.check()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "hub.db"
    file.write_bytes(b"not a database at all " * 400)
    store = Store(Database(f"sqlite:///{file}"))
    with pytest.raises(StoreUnavailable):
        store.check()
    with pytest.raises(StoreUnavailable), store.reading() as work:
        work.parties.get(RUS)
    store.close()


def test_an_error_of_the_database_hides_its_parameters(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    with pytest.raises(IntegrityError) as caught, store.writing() as work:
        work.plans.add(plan(), NOW)
    assert caught.value.hide_parameters
    assert "parameters hidden" in str(caught.value)


def test_the_citizen_is_no_party(store: Store) -> None:
    with store.reading() as work:
        assert work.parties.get(CITIZEN) is None


def test_a_name_is_held_by_one_at_a_time(url: str) -> None:
    with closing(Database(url)) as one, closing(Database(url)) as other:
        with one.alone("demo") as held:
            assert held
            with other.alone("demo") as second, other.alone("else") as another:
                assert (second, another) == (False, True)
        with other.alone("demo") as held:
            assert held


def test_a_held_name_is_let_go_when_its_process_is_killed(url: str) -> None:
    program = (
        "import sys, time; from hub.store.dialect import Database\n"
        "with Database(sys.argv[1]).alone('demo') as held:\n"
        "    print(held, flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with closing(Database(url)) as other:
        assert holder.stdout.readline() == b"True\n"
        with other.alone("demo") as held:
            assert not held
        holder.kill()
        holder.communicate()
        until = time.monotonic() + 30
        while True:
            with other.alone("demo") as held:
                if held or time.monotonic() > until:
                    break
            time.sleep(0.05)
        assert held

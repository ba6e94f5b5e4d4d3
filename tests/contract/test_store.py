"""What the store promises, on SQLite and on PostgreSQL: one suite."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from hub.contract import Identifier, Outgoing, Resource
from hub.errors import StoreUnavailable
from hub.fhir import names
from hub.model.delivery import State
from hub.model.party import CITIZEN, SYSTEM, Viewer
from hub.model.records import Delivery, Hop, Task
from hub.store.dialect import Database
from hub.store.migrate import check_schema, migrate
from hub.store.tables import METADATA
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    HOUR,
    LEASE,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    access,
    committed,
    copy_for_citizen,
    delivery,
    inbox_item,
    opened,
    plan,
    together,
)
from tests.servers.postgres import PostgresServer

PARTY_VIEW = Viewer("party", PSYK)
OPERATOR_VIEW = Viewer("operator", "Drift Demo")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    found: str = request.getfixturevalue("database_url")
    return found


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with opened(url) as found:
        yield found


# Transactions


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


def test_two_writers_of_one_plan_come_one_after_the_other(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
    gate = threading.Barrier(4)

    def bump() -> None:
        gate.wait(10)
        with committed(store) as work:
            before = work.plans.lock("plan-1")
            assert before is not None
            time.sleep(0.02)
            # Written from what was read: a writer in between would lose its own.
            work.plans.bump_epoch("plan-1")
            after = work.plans.get("plan-1", SYSTEM, NOW)
            assert after is not None
            assert after.consent_epoch == before.consent_epoch + 1

    together(bump, bump, bump, bump)
    with store.reading() as work:
        found = work.plans.get("plan-1", SYSTEM, NOW)
    assert found is not None
    assert found.consent_epoch == 5


# Claims


def put(store: Store, *deliveries: Delivery) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        for one in deliveries:
            work.deliveries.add(one, "test")


def claim(store: Store, at: datetime = NOW, token: str = "w-1", limit: int = 20) -> list[str]:
    with committed(store) as work:
        return work.deliveries.claim(at, LEASE, token, limit)


def test_each_delivery_goes_to_one_worker(store: Store) -> None:
    put(store)
    with committed(store) as work:
        for n in range(30):
            work.plans.add(plan(f"p-{n}"), NOW)
            work.deliveries.add(delivery(PSYK, 1, f"p-{n}"), "test")
    gate = threading.Barrier(4)

    def worker(token: str) -> list[str]:
        gate.wait(10)
        taken: list[str] = []
        for _ in range(10):
            taken += claim(store, token=token, limit=4)
        return taken

    shares = together(*(lambda t=t: worker(t) for t in "abcd"))
    everything = [one for share in shares for one in share]
    assert len(everything) == len(set(everything)) == 30
    with store.reading() as work:
        for token, share in zip("abcd", shares, strict=True):
            assert all(work.deliveries.holds_claim(one, token) for one in share)


def test_the_citizen_s_copy_is_made_before_anyone_else_s(store: Store) -> None:
    put(store, delivery(PSYK), delivery(RUS), copy_for_citizen())
    assert claim(store) == ["plan-1-citizen-1"]
    assert claim(store) == []
    with committed(store) as work:
        mine = work.deliveries.lock("plan-1-citizen-1")
        assert mine is not None
        work.deliveries.move(mine, State.SENDING, "frozen", "test", NOW)
        work.deliveries.lease(mine.id, NOW + LEASE, "w-1")
    assert set(claim(store)) == {f"plan-1-{PSYK}-1", f"plan-1-{RUS}-1"}


def test_a_newer_copy_for_the_citizen_holds_up_no_older_one(store: Store) -> None:
    put(store, delivery(PSYK, 1), copy_for_citizen(2))
    assert set(claim(store)) == {f"plan-1-{PSYK}-1", "plan-1-citizen-2"}


def test_the_oldest_version_goes_first_and_alone(store: Store) -> None:
    put(store, delivery(PSYK, 2), delivery(PSYK, 1, minute=1), delivery(RUS, 2))
    assert set(claim(store)) == {f"plan-1-{PSYK}-1", f"plan-1-{RUS}-2"}
    assert claim(store) == []


@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.RETRY_AT])
def test_one_is_under_way_for_each_plan_and_receiver(store: Store, state: State) -> None:
    put(store, delivery(PSYK, 1), delivery(PSYK, 2), delivery(RUS, 2))
    with committed(store) as work:
        for step in (State.SENDING, state):
            first = work.deliveries.lock(f"plan-1-{PSYK}-1")
            assert first is not None
            if first.state is not step:
                work.deliveries.move(first, step, "on its way", "test", NOW, retry_at=NOW + HOUR)
        work.deliveries.lease(f"plan-1-{PSYK}-1", NOW + LEASE, "w-0")
    assert claim(store) == [f"plan-1-{RUS}-2"]


def test_what_waits_for_a_person_is_overtaken(store: Store) -> None:
    put(store, delivery(PSYK, 1), delivery(PSYK, 2))
    with committed(store) as work:
        first = work.deliveries.lock(f"plan-1-{PSYK}-1")
        assert first is not None
        work.deliveries.move(first, State.BLOCKED, "waits", "test", NOW)
    assert claim(store) == [f"plan-1-{PSYK}-2"]


def test_a_paused_party_gets_nothing_until_it_is_resumed(store: Store) -> None:
    put(store, delivery(PSYK), delivery(RUS))
    with committed(store) as work:
        work.parties.pause(PSYK, "drift", "flytter server")
    assert claim(store) == [f"plan-1-{RUS}-1"]
    with committed(store) as work:
        work.parties.pause(PSYK, None, None)
    assert claim(store) == [f"plan-1-{PSYK}-1"]


def test_an_expired_lease_is_taken_over_and_the_first_worker_knows(store: Store) -> None:
    put(store, delivery(PSYK))
    assert claim(store, token="first") == [f"plan-1-{PSYK}-1"]
    assert claim(store, NOW + LEASE, token="second") == []
    later = NOW + LEASE + timedelta(seconds=1)
    assert claim(store, later, token="second") == [f"plan-1-{PSYK}-1"]
    with store.reading() as work:
        assert not work.deliveries.holds_claim(f"plan-1-{PSYK}-1", "first")
        assert work.deliveries.holds_claim(f"plan-1-{PSYK}-1", "second")


def test_a_retry_waits_for_its_time(store: Store) -> None:
    put(store, delivery(PSYK))
    with committed(store) as work:
        for step in (State.SENDING, State.RETRY_AT):
            found = work.deliveries.lock(f"plan-1-{PSYK}-1")
            assert found is not None
            work.deliveries.move(found, step, "later", "test", NOW, retry_at=NOW + HOUR)
    assert claim(store, NOW + HOUR - timedelta(microseconds=1)) == []
    assert claim(store, NOW + HOUR) == [f"plan-1-{PSYK}-1"]


def test_a_message_is_processed_by_one(store: Store) -> None:
    with committed(store) as work:
        work.inbox.add(inbox_item())
    gate = threading.Barrier(3)

    def take() -> bool:
        gate.wait(10)
        with committed(store) as work:
            return work.inbox.claim("item-m-1", NOW, LEASE)

    assert sorted(together(take, take, take)) == [False, False, True]
    with committed(store) as work:
        assert work.inbox.waiting(NOW + LEASE, 10) == []
        assert work.inbox.waiting(NOW + 2 * LEASE, 10) == ["item-m-1"]
        assert work.inbox.claim("item-m-1", NOW + 2 * LEASE, LEASE)
        found = work.inbox.get("item-m-1", SYSTEM)
    assert found is not None
    assert found.attempts == 2


# Viewers


@pytest.mark.parametrize(
    ("rows", "visible"),
    [
        ([], False),
        ([access(PSYK, NOW - HOUR, NOW + HOUR)], True),
        ([access(PSYK, NOW, NOW + HOUR)], True),
        ([access(PSYK, NOW - HOUR, NOW)], False),
        ([access(PSYK, NOW + HOUR, NOW + 2 * HOUR)], False),
        ([access(RUS, NOW - HOUR, NOW + HOUR)], False),
        ([access(PSYK, NOW - 2 * HOUR, NOW - HOUR), access(PSYK, NOW, NOW + HOUR)], True),
        ([access(PSYK, NOW - HOUR, NOW + HOUR, "social")], True),
    ],
)
def test_a_party_knows_of_a_plan_only_while_an_access_row_says_so(
    store: Store, rows: list[dict[str, object]], visible: bool
) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        work.plans.set_access("plan-1", rows)
    with store.reading() as work:
        assert (work.plans.get("plan-1", PARTY_VIEW, NOW) is not None) == visible
        assert bool(work.plans.of_citizen(CITIZEN_1, PARTY_VIEW, NOW)) == visible
        assert bool(work.plans.listing(PARTY_VIEW, NOW)) == visible
        assert work.plans.get("plan-1", SYSTEM, NOW) is not None


def test_new_access_rows_replace_the_old(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        work.plans.set_access("plan-1", [access(PSYK, NOW, NOW + HOUR)])
        work.plans.set_access("plan-1", [access(SOCIAL, NOW, NOW + HOUR)])
    with store.reading() as work:
        assert work.plans.get("plan-1", PARTY_VIEW, NOW) is None
        assert work.plans.get("plan-1", Viewer("party", SOCIAL), NOW) is not None


def test_sealed_bytes_are_for_nobody_s_eyes(store: Store) -> None:
    with committed(store) as work:
        work.inbox.add(inbox_item())
        work.inbox.settle("item-m-1", "sealed", 403, "{}", delete_after=NOW + HOUR)
    with store.reading() as work:
        bodies = [
            work.inbox.get("item-m-1", v) for v in (OPERATOR_VIEW, Viewer("party", RUS), SYSTEM)
        ]
        listed = work.inbox.listing(OPERATOR_VIEW, ("sealed",))
    assert [b.body for b in bodies if b] == [None, None, b"{}"]
    assert [i.body for i in listed] == [None]


def test_sealed_bytes_are_deleted_when_their_time_is_up(store: Store) -> None:
    with committed(store) as work:
        work.inbox.add(inbox_item())
        work.inbox.settle("item-m-1", "sealed", 403, "{}", delete_after=NOW + HOUR)
        assert work.inbox.delete_expired_seals(NOW + HOUR) == 0
        assert work.inbox.delete_expired_seals(NOW + 2 * HOUR) == 1
        assert work.inbox.delete_expired_seals(NOW + 2 * HOUR) == 0
        found = work.inbox.get("item-m-1", SYSTEM)
    assert found is not None
    assert (found.body, found.message_id) == (None, "m-1")


def test_what_was_sealed_is_taken_up_again_when_it_comes_again(store: Store) -> None:
    with committed(store) as work:
        work.inbox.add(inbox_item())
        assert not work.inbox.reopen("item-m-1", b"{}", NOW)
        work.inbox.settle("item-m-1", "sealed", 403, "{}", delete_after=NOW + HOUR)
        assert work.inbox.reopen("item-m-1", b"{}", NOW + HOUR)
        assert work.inbox.delete_expired_seals(NOW + 9 * HOUR) == 0
        assert work.inbox.waiting(NOW + HOUR, 10) == ["item-m-1"]


def test_a_message_is_its_sender_s_and_a_delivery_its_receiver_s(store: Store) -> None:
    put(store, delivery(PSYK))
    with committed(store) as work:
        work.inbox.add(inbox_item())
    with store.reading() as work:
        assert work.inbox.get("item-m-1", PARTY_VIEW) is None
        assert work.inbox.listing(PARTY_VIEW, ("received",)) == []
        stranger = Viewer("party", RUS)
        assert work.deliveries.get(f"plan-1-{PSYK}-1", stranger) is None
        assert work.deliveries.listing(stranger) == []
        assert work.deliveries.by_message(RUS, f"plan-1-{PSYK}-1") is None
        assert [d.receiver for d in work.deliveries.listing(PARTY_VIEW)] == [PSYK]


def test_a_task_that_is_asked_for_again_is_open_again(store: Store) -> None:
    task = Task("t-1", "approve", RUS, "Register the decision", None, "d-1", None, NOW)
    with committed(store) as work:
        work.journal.open_task(task)
        work.journal.open_task(task)
        work.journal.close_tasks("person", NOW, delivery_id="d-1")
        assert work.journal.tasks(Viewer("party", RUS)) == []
        work.journal.open_task(task)
        assert work.journal.tasks(Viewer("party", RUS)) == [task]
        assert work.journal.tasks(PARTY_VIEW) == []


# Values


def test_a_moment_keeps_its_instant_and_is_utc(store: Store) -> None:
    danish = NOW.astimezone(timezone(timedelta(hours=2)))
    with committed(store) as work:
        work.inbox.add(inbox_item(received_at=danish))
        work.plans.add(plan(), danish)
        work.journal.add_hop("h-1", Hop("plan-1", RUS, PSYK, "Vagten", danish))
    with store.reading() as work:
        found = work.inbox.get("item-m-1", SYSTEM)
        (hop,) = work.journal.hops("plan-1")
    assert found is not None
    for moment in (found.received_at, hop.at):
        assert moment == NOW
        assert moment.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(Exception, match="without a zone"), store.writing() as work:
        work.inbox.add(inbox_item(received_at=naive))


def test_a_number_in_a_resource_keeps_its_lexeme(store: Store) -> None:
    value = {"value": Decimal("1.500")}
    resource: Resource = {"resourceType": "Observation", "id": "o-1", "valueQuantity": value}
    with committed(store) as work:
        key = work.plans.save_resource(resource, "d-1", "part-1", RUS, NOW)
        again = work.plans.save_resource(resource, "d-1", "part-1", RUS, NOW)
        changed = work.plans.save_resource(resource, "d-2", "part-1", RUS, NOW)
        with pytest.raises(ValueError, match="belongs to another"):
            work.plans.save_resource(resource, "d-3", "part-2", PSYK, NOW)
        found = work.plans.resources([key])["Observation/o-1"]
    assert (key, again, changed) == (
        ("Observation", "o-1", 1),
        ("Observation", "o-1", 1),
        ("Observation", "o-1", 2),
    )
    assert str(found["valueQuantity"]["value"]) == "1.500"


def test_a_queue_keeps_a_key_once_and_in_order(store: Store) -> None:
    with committed(store) as work:
        for key in ("b", "a", "b"):
            work.queues.add("q", Outgoing(key, key.encode(), "text/plain", {"n": key}), NOW)
        assert [m.key for m in work.queues.waiting("q")] == ["b", "a"]
        assert work.queues.settle("q", "b", NOW)
        assert work.queues.settle("q", "b", NOW)
        assert not work.queues.settle("q", "c", NOW)
        assert [m.key for m in work.queues.waiting("q")] == ["a"]
        assert work.queues.depths() == {"q": 1}


# Schema


def test_the_migrated_schema_is_the_one_the_code_has(store: Store) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    check_schema(store.database)
    assert migrate(store.database) == migrate(store.database)
    with store.reading() as work:
        assert work.parties.get(RUS) is not None


def test_migrating_twice_at_once_from_two_processes_works(url: str) -> None:
    program = (
        "import sys; from hub.store.dialect import Database; from hub.store.migrate import migrate;"
        "database = Database(sys.argv[1]); print(migrate(database)); database.close()"
    )
    command = [sys.executable, "-W", "error", "-c", program, url]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [p.communicate(timeout=60) for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert said[0][0] == said[1][0] != "\n"
    database = Database(url)
    check_schema(database)
    database.close()


# Unavailable


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
    number = Identifier(names.CPR, "0201609996")
    with committed(store) as work:
        work.plans.add_citizen("c-1", [number])
    with pytest.raises(IntegrityError) as caught, store.writing() as work:
        work.plans.add_citizen("c-2", [number])
    assert caught.value.hide_parameters
    assert "parameters hidden" in str(caught.value)


def test_the_citizen_is_no_party(store: Store) -> None:
    with store.reading() as work:
        assert work.parties.get(CITIZEN) is None

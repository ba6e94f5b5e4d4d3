"""What the store promises of endpoints that fail, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

from alembic import command
from sqlalchemy import text

from hub.model.breaker import Breaker, BreakerPolicy, Circuit
from hub.model.delivery import State
from hub.model.lanes import Candidate, Full
from hub.model.party import RegisteredParty, Subscription
from hub.model.retry import RetryWish
from hub.sending import Endpoint
from hub.services.breakers import let_through
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import _config, migrate
from hub.store.work import Store
from tests.contract.store_cases import (
    LEASE,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    committed,
    copy_for_citizen,
    delivery,
    plan,
    put,
    together,
)
from tests.views import parties

SERVER = "https://ehr.example:443"
POLICY = BreakerPolicy(failures=2, pause=timedelta(minutes=1))


def behind(store: Store, *names: str) -> None:
    """Those parties are reached at one server."""
    with committed(store) as work:
        for name in names:
            endpoint = Endpoint("https", f"https://ehr.example/{name}")
            work.parties.save(
                RegisteredParty(parties()[name], endpoint, (Subscription("fhir"),)), NOW
            )


def fail(store: Store, times: int, policy: BreakerPolicy = POLICY) -> None:
    for _ in range(times):
        with committed(store) as work:
            found = work.breakers.lock(SERVER)
            work.breakers.save(found.failed("d", "no answer", NOW, policy))


def claimable(store: Store, minutes: float = 0, full: Full | None = None) -> list[str]:
    with store.writing() as work:
        at = NOW + timedelta(minutes=minutes)
        found = work.deliveries.claimable(at, 20, full or Full())
        return sorted(c.id for c in found)


def test_what_is_written_is_read_and_nothing_means_closed(store: Store) -> None:
    with store.reading() as work:
        assert work.breakers.get(SERVER) == Breaker(SERVER)
        assert work.breakers.listing() == []
    fail(store, 2)
    with store.reading() as work:
        (found,) = work.breakers.listing()
    assert found == Breaker(
        SERVER, Circuit.OPEN, 2, 0, NOW, NOW + timedelta(minutes=1), None, "no answer"
    )
    with committed(store) as work:
        shut = work.breakers.lock_shut([SERVER, "other"])
        assert list(shut) == [SERVER]
        work.breakers.save(shut[SERVER].worked(NOW))
    with store.reading() as work:
        assert work.breakers.listing() == []


def test_failures_of_several_workers_all_count(store: Store) -> None:
    gate = threading.Barrier(4)

    def worker() -> None:
        gate.wait(10)
        fail(store, 5, BreakerPolicy(failures=1000))

    together(*[worker] * 4)
    with store.reading() as work:
        assert work.breakers.get(SERVER).failures == 20


def test_nothing_is_claimed_for_an_endpoint_that_is_left_alone(store: Store) -> None:
    behind(store, PSYK, RUS)
    put(store, delivery(PSYK), delivery(RUS), delivery(SOCIAL))
    fail(store, 1)
    assert len(claimable(store)) == 3
    fail(store, 1)
    assert claimable(store) == [f"plan-1-{SOCIAL}-1"]
    assert len(claimable(store, minutes=1)) == 3, "its pause is over"


def test_one_worker_has_the_probe(store: Store) -> None:
    behind(store, PSYK, RUS)
    put(store, delivery(PSYK), delivery(RUS), delivery(SOCIAL))
    fail(store, 2)
    later = NOW + timedelta(minutes=2)
    gate = threading.Barrier(2)

    def worker(token: str) -> list[str]:
        gate.wait(10)
        with committed(store) as work:
            found = work.deliveries.claimable(later, 20)
            going, probes = let_through(work, found, later, LEASE)
            work.deliveries.take([c.id for c in going], later + LEASE, token)
            assert probes == {c.id for c in going if c.endpoint == SERVER}
        return [c.id for c in going]

    taken = [one for share in together(partial(worker, "a"), partial(worker, "b")) for one in share]
    assert len(taken) == 2
    assert f"plan-1-{SOCIAL}-1" in taken
    with store.reading() as work:
        half = work.breakers.get(SERVER)
    assert (half.state, half.probe in taken) == (Circuit.HALF_OPEN, True)
    assert claimable(store, minutes=2) == []
    assert len(claimable(store, minutes=3)) == 3, "the probe's worker may be dead"


def test_a_candidate_says_where_it_goes_and_what_is_full_is_left(store: Store) -> None:
    behind(store, PSYK)
    put(store, delivery(PSYK), delivery(RUS))
    with committed(store) as work:
        work.plans.add(plan("plan-2"), NOW)
        work.deliveries.add(replace(copy_for_citizen(), id="c", plan_id="plan-2"), "test")
    with store.writing() as work:
        found = set(work.deliveries.claimable(NOW, 20))
    assert found == {
        Candidate(f"plan-1-{PSYK}-1", "https", SERVER),
        Candidate(f"plan-1-{RUS}-1", "mailbox", f"mailbox:{RUS}"),
        Candidate("c", "hand", None),
    }
    own = frozenset({"mailbox", "hand"})
    boxes = frozenset({"mailbox"})
    assert claimable(store, full=Full(own, endpoints=frozenset({SERVER}))) == [
        "c", f"plan-1-{RUS}-1"
    ]  # fmt: skip
    assert claimable(store, full=Full(own, boxes)) == ["c", f"plan-1-{PSYK}-1"]
    assert claimable(store, full=Full(own, own, outside=True)) == []


def test_a_lease_is_kept_by_who_has_it_alone(store: Store) -> None:
    put(store, delivery(PSYK), delivery(RUS))
    mine, other = f"plan-1-{PSYK}-1", f"plan-1-{RUS}-1"
    with committed(store) as work:
        work.deliveries.take([mine], NOW + LEASE, "me")
        work.deliveries.take([other], NOW + LEASE, "another")
        work.deliveries.keep({mine: "me", other: "me"}, NOW + 3 * LEASE)
    assert claimable(store, minutes=1) == [other]
    with committed(store) as work:
        found = work.deliveries.lock(mine)
        assert found is not None
        work.deliveries.move(found, State.SENDING, "frozen", "test", NOW)
        work.deliveries.keep({mine: "me"}, NOW + 3 * LEASE)
    assert claimable(store) == [mine], "what was let go is not taken back"


def test_a_retry_policy_is_kept_with_party_and_subscription(store: Store) -> None:
    wish = RetryWish(attempts=3, within=timedelta(hours=36))
    first = Subscription("fhir", retry=RetryWish(first=timedelta(seconds=0.5), jitter=0.0))
    known = RegisteredParty(
        parties()[PSYK], Endpoint("mailbox", PSYK), (first, Subscription("pdf")), retry=wish
    )
    with committed(store) as work:
        work.parties.save(known, NOW)
    with store.reading() as work:
        found = work.parties.get(PSYK)
    assert found == known


def test_endpoints_are_named_by_the_migration(url: str) -> None:
    """0014: parties and FHIR Subscriptions that were there before."""
    database = Database(url)
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "0013")
        connection.execute(
            text(
                "INSERT INTO party (id, name, kind, organisation, identifiers, transport, address,"
                " paused, updated_at) VALUES ('p', 'P', 'gp', 'O', '[]', 'https',"
                " 'https://ehr.example/p', false, '2026-09-20 10:00:00')"
            )
        )
        for source, options in (("fhir", '{"endpoint": "https://ehr.example/told?x=y"}'),
                                ("file", "{}")):  # fmt: skip
            insert = text(
                "INSERT INTO subscription (id, party, source, position, format, content, versions,"
                " receipt, options, status, events) VALUES (:source, 'p', :source, 0, 'fhir',"
                " 'plan', 'latest', false, :options, 'active', 0)"
            )
            connection.execute(insert, {"source": source, "options": options})
    migrate(database)
    store = Store(database)
    with store.reading() as work:
        assert work.breakers.behind() == {SERVER: ["p"]}
        found = work.parties.get("p")
    store.close()
    assert found is not None
    assert found.retry == RetryWish()

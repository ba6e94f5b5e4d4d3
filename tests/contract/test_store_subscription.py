"""FHIR Subscriptions in both databases: the outbox's order, the migration, and what is seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from alembic import command
from sqlalchemy import text

from hub.model.delivery import State
from hub.model.party import SYSTEM, RegisteredParty, Subscription, Viewer
from hub.model.records import Delivery
from hub.model.subscription import HANDSHAKE, PLAN_CHANGE, FhirSubscription, Wish
from hub.sending import Endpoint
from hub.store.dialect import Database, migration_lock
from hub.store.migrate import _config, migrate
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    LEASE,
    NOW,
    PSYK,
    RUS,
    committed,
    delivery,
    plan,
    together,
)
from tests.views import parties

WISH = Wish(
    topic=PLAN_CHANGE, channel="rest-hook", endpoint="http://127.0.0.1:9/x",
    payload="application/fhir+json", content="id-only", headers=(("Authorization", "x"),),
    patients=frozenset({"p"}), ids=None, heartbeat=60, timeout=2.5, ends_at=NOW + LEASE,
)  # fmt: skip
ONE = FhirSubscription(
    id="s-1", party=PSYK, wish=WISH, status="active", error=None, version=1, events=0,
    told_at=None, suspended_by=None, suspended_reason=None, created_at=NOW,
)  # fmt: skip


def notification(name: str, about: str = "CarePlan/plan-1", plan_id: str = "plan-1") -> Delivery:
    made = delivery(PSYK, plan_id=plan_id)
    return replace(made, id=name, format="notification", subscription=ONE.id, about=about)


def prepared(store: Store, *rows: Delivery, **changes: object) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        work.plans.add(plan("plan-2"), NOW)
        work.subscriptions.add(replace(ONE, **changes))  # type: ignore[arg-type]
        for one in rows:
            work.deliveries.add(one, "test")


def claimed(store: Store) -> list[str]:
    with committed(store) as work:
        found = [c.id for c in work.deliveries.claimable(NOW, 10)]
        work.deliveries.take(found, NOW + LEASE, "token")
    return found


def number(store: Store, *names: str) -> None:
    with committed(store) as work:
        for event, name in enumerate(names, 1):
            work.deliveries.number(name, event)


def test_it_is_kept_whole(store: Store) -> None:
    prepared(store)
    with store.reading() as work:
        assert work.subscriptions.get("s-1", Viewer("party", PSYK)) == ONE
        assert work.subscriptions.get("s-1", Viewer("party", RUS)) is None
        assert work.subscriptions.listing(SYSTEM) == [ONE]
        party = work.parties.get(PSYK)
    assert party is not None
    assert party.subscriptions == (Subscription("fhir"),), "the file's are others"


def test_applying_the_parties_file_leaves_it_alone(store: Store) -> None:
    prepared(store)
    with committed(store) as work:
        again = RegisteredParty(parties()[PSYK], Endpoint("mailbox", PSYK), (Subscription("pdf"),))
        work.parties.save(again, NOW)
    with store.reading() as work:
        assert work.subscriptions.listing(SYSTEM) == [ONE]
        found = work.parties.get(PSYK)
    assert found is not None
    assert [s.format for s in found.subscriptions] == ["pdf"]


def test_events_go_out_numbered_one_at_a_time_across_plans(store: Store) -> None:
    prepared(store, notification("a"), notification("b", "CarePlan/plan-2", "plan-2"))
    assert claimed(store) == [], "not without a number"
    number(store, "b", "a")
    assert claimed(store) == ["b"]


def test_only_the_handshake_goes_out_before_it_was_answered(store: Store) -> None:
    rows = (notification("a"), notification("h", HANDSHAKE, ""))
    prepared(store, *rows, status="requested")
    number(store, "a")
    assert claimed(store) == ["h"]


def test_nothing_goes_out_while_suspended_or_in_error(store: Store) -> None:
    prepared(store, notification("a"), status="error")
    number(store, "a")
    assert claimed(store) == []
    with committed(store) as work:
        work.subscriptions.save(replace(ONE, suspended_by="someone"))
    assert claimed(store) == []
    with committed(store) as work:
        work.subscriptions.save(ONE)
    assert claimed(store) == ["a"]


def test_a_copy_of_the_plan_and_a_notification_hold_up_neither(store: Store) -> None:
    prepared(store, notification("a"), delivery(PSYK))
    number(store, "a")
    assert sorted(claimed(store)) == ["a", "plan-1-psyk-nordstrand-1"]


def test_a_plans_own_deliveries_are_without_notifications(store: Store) -> None:
    prepared(store, notification("a"), delivery(PSYK))
    with store.reading() as work:
        assert [d.id for d in work.deliveries.of_plan("plan-1")] == ["plan-1-psyk-nordstrand-1"]
        (mine,) = work.deliveries.of_subscription("s-1")
    assert (mine.id, mine.about, mine.event) == ("a", "CarePlan/plan-1", None)


def test_the_sequence_is_of_subscription_and_plan(store: Store) -> None:
    prepared(store, notification("a"), notification("h", HANDSHAKE, ""))
    with committed(store) as work:
        one = work.deliveries.lock("a")
        assert one is not None
        work.deliveries.move(one, State.SENDING, "x", "test", NOW, sequence=7)
        assert work.deliveries.next_sequence("plan-1", PSYK, one.format, "s-1") == 8
        assert work.deliveries.next_sequence("plan-2", PSYK, one.format, "s-1") == 1
        assert work.deliveries.next_sequence("", PSYK, one.format, "s-1") == 1
        assert work.deliveries.next_sequence("plan-1", PSYK, one.format) == 1
        assert work.deliveries.next_sequence("plan-1", PSYK, "vum", "s-1") == 1


def test_what_a_subscriber_is_to_be_told_waits_for_it(store: Store) -> None:
    prepared(store, notification("a"), notification("h", HANDSHAKE, ""), status="error")
    with committed(store) as work:
        assert work.standing.waited_for() == {PSYK: NOW}
        for stopped in ({"status": "off"}, {"suspended_by": "x"}, {"deleted_at": NOW}):
            work.subscriptions.save(replace(ONE, **stopped))  # type: ignore[arg-type]
            assert work.standing.waited_for() == {}, stopped


def test_two_writers_of_one_numbering_wait_for_each_other(store: Store) -> None:
    prepared(store)

    def count() -> None:
        for _ in range(20):
            with committed(store) as work:
                found = work.subscriptions.lock("s-1")
                assert found is not None
                work.subscriptions.save(replace(found, events=found.events + 1))

    together(count, count)
    with store.reading() as work:
        found = work.subscriptions.get("s-1", SYSTEM)
    assert found is not None
    assert found.events == 40


def test_what_was_seen_is_one_row_whoever_writes_it(store: Store) -> None:
    prepared(store)

    def see() -> None:
        with committed(store) as work:
            work.subscriptions.see("s-1", "Consent/c", 2)

    together(*[see] * 6)
    with store.reading() as work:
        assert work.subscriptions.seen("s-1") == {"Consent/c": 2}


def test_silent_ones_are_those_of_which_nothing_waits(store: Store) -> None:
    prepared(store)
    with store.reading() as work:
        assert [s.id for s in work.subscriptions.silent()] == ["s-1"]
        assert work.subscriptions.ended(NOW) == []
        assert work.subscriptions.ended(NOW + timedelta(minutes=1)) == ["s-1"]
    with committed(store) as work:
        work.deliveries.add(notification("a"), "test")
    with store.reading() as work:
        assert work.subscriptions.silent() == []


def test_the_migration_keeps_parties_deliveries_and_their_history(url: str) -> None:
    database = Database(url)
    with migration_lock(database.engine) as connection:
        command.upgrade(_config(connection), "0001")
    before = (
        "INSERT INTO party (id, name, kind, organisation, identifiers, transport, address,"
        " subscriptions, paused, updated_at) VALUES ('p', 'P', 'gp', 'O', '[]', 'mailbox', 'a',"
        """ '[{"format": "fhir", "content": "plan", "versions": "latest", "receipt": true,"""
        """ "options": {"x": "y"}}, {"format": "pdf", "content": "plan", "versions": "latest","""
        """ "receipt": false, "options": {}}]', false, '2026-01-01 00:00:00')""",
        "INSERT INTO plan (id, citizen_id, lead, status, head, consent_epoch, created_at)"
        f" VALUES ('plan-1', '{CITIZEN_1}', 'p', 'active', 1, 1, '2026-01-01 00:00:00')",
        "INSERT INTO delivery (id, plan_id, receiver, format, version, digest, state, reason,"
        " basis, attempts, created_at, updated_at) VALUES ('d', 'plan-1', 'p', 'fhir', 1, 'x',"
        " 'due', 'r', 'b', 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        "INSERT INTO delivery_event (delivery_id, at, state, reason, actor) VALUES ('d',"
        " '2026-01-01 00:00:00', 'due', 'r', 'a')",
    )
    with database.writing() as connection:
        for statement in before:
            connection.execute(text(statement.replace(":", "\\:")))
        connection.commit()
    migrate(database)
    store = Store(database)
    with store.reading() as work:
        party = work.parties.get("p")
        (kept,) = work.deliveries.of_plan("plan-1")
        history = work.deliveries.history("d")
    assert party is not None
    assert party.subscriptions == (
        Subscription("fhir", options={"x": "y"}), Subscription("pdf", receipt=False),
    )  # fmt: skip
    assert (kept.id, kept.subscription, kept.event) == ("d", "", None)
    assert [e.actor for e in history] == ["a"]
    store.close()

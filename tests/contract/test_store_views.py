"""What the store promises, on SQLite and on PostgreSQL: who sees what, and values as they were."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from decimal import Decimal

import pytest

from hub.contract import Resource
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Hop, Task
from hub.sending import Outgoing
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    HOUR,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    access,
    committed,
    delivery,
    inbox_item,
    plan,
    put,
)

PARTY_VIEW = Viewer("party", PSYK)
OPERATOR_VIEW = Viewer("operator", "Drift Demo")


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
        item = inbox_item()
        work.inbox.add(item)
        assert not work.inbox.reopen(item, b"{}", NOW)
        work.inbox.settle("item-m-1", "sealed", 403, "{}", delete_after=NOW + HOUR)
        assert work.inbox.reopen(item, b"{}", NOW + HOUR)
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

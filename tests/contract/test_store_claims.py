"""What the store promises, on SQLite and on PostgreSQL: each piece of work for one worker."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.store.work import Store
from tests.contract.store_cases import (
    HOUR,
    LEASE,
    NOW,
    PSYK,
    RUS,
    committed,
    copy_for_citizen,
    delivery,
    inbox_item,
    plan,
    put,
    together,
)


def claim(store: Store, at: datetime = NOW, token: str = "w-1", limit: int = 20) -> list[str]:
    with committed(store) as work:
        found = [c.id for c in work.deliveries.claimable(at, limit)]
        work.deliveries.take(found, at + LEASE, token)
    return found


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


def test_a_copy_that_waits_to_be_handed_over_holds_up_nothing(store: Store) -> None:
    put(store, copy_for_citizen(1), copy_for_citizen(2), delivery(PSYK, 2))
    assert claim(store) == ["plan-1-citizen-1"]
    with committed(store) as work:
        for step in (State.SENDING, State.SENT):
            first = work.deliveries.lock("plan-1-citizen-1")
            assert first is not None
            work.deliveries.move(first, step, "made", "test", NOW)
    assert claim(store) == ["plan-1-citizen-2"]


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


def test_an_answer_is_written_once(store: Store) -> None:
    with committed(store) as work:
        work.inbox.add(inbox_item())
        assert work.inbox.settle("item-m-1", "applied", 200, "{}")
    with committed(store) as work:
        assert not work.inbox.settle("item-m-1", "refused", 412, "{}")
    with store.reading() as work:
        found = work.inbox.find(RUS, "m-1")
    assert found is not None
    assert (found.state, found.status) == ("applied", 200)


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

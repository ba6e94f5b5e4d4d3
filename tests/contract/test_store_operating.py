"""What the store promises, on SQLite and on PostgreSQL: an operator's actions."""

from __future__ import annotations

import threading
from dataclasses import replace

from hub.model.delivery import State
from hub.sending import Outgoing
from hub.store.operating import Action, ActionItem, Wanted
from hub.store.work import Store
from tests.contract.store_cases import (
    HOUR,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    committed,
    delivery,
    plan,
    put,
    together,
)

ACTION = Action("a-1", "resend", {"state": "dead"}, "Drift", "Ny postkasse", NOW)


def test_a_filter_s_parts_narrow_each_other(store: Store) -> None:
    late = delivery(SOCIAL, minute=90)
    put(store, delivery(PSYK), replace(delivery(RUS), state=State.DEAD, reason="50% Of it"), late)
    with store.reading() as work:
        chosen = work.operating.chosen
        assert len(chosen(Wanted(plan="plan-1"))) == 3
        assert chosen(Wanted(plan="plan-1", receiver=PSYK)) == ["plan-1-psyk-nordstrand-1"]
        assert chosen(Wanted(state="dead")) == chosen(Wanted(because="50% of"))
        assert chosen(Wanted(because="_")) == []
        assert chosen(Wanted(since=NOW + HOUR)) == [late.id]
        assert len(chosen(Wanted(until=NOW + HOUR))) == 2
        assert chosen(Wanted(ids=(late.id, "none"), format="fhir")) == [late.id]
        assert chosen(Wanted(ids=(late.id,), format="pdf")) == []


def test_what_is_due_or_under_way_beside_it_is_busy(store: Store) -> None:
    dead = replace(delivery(PSYK), state=State.DEAD)
    put(store, dead)
    with committed(store) as work:
        assert not work.operating.busy_beside(dead)
        work.deliveries.add(delivery(RUS, 2), "test")
        work.plans.add(plan("plan-2"), NOW)
        work.deliveries.add(delivery(PSYK, 2, "plan-2"), "test")
        assert not work.operating.busy_beside(dead)
        work.deliveries.add(delivery(PSYK, 2), "test")
        assert work.operating.busy_beside(dead)


def test_each_item_of_an_action_is_done_once_by_one_worker(store: Store) -> None:
    put(store, delivery(PSYK))
    items = [ActionItem(n, delivery(PSYK).id, "waits", "") for n in range(1, 13)]
    with committed(store) as work:
        work.operating.begin(ACTION, items)
    gate = threading.Barrier(3)

    def worker() -> int:
        gate.wait(10)
        mine = 0
        with store.reading() as work:
            waiting = work.operating.waiting("a-1", 50)
        for item in waiting:
            with committed(store) as work:
                if work.operating.take("a-1", item.number):
                    work.operating.settle("a-1", item.number, "done", "")
                    mine += 1
        return mine

    assert sum(together(worker, worker, worker)) == 12
    with committed(store) as work:
        assert work.operating.counts("a-1") == {"done": 12}
        assert work.operating.unfinished() == ["a-1"]
        work.operating.finish("a-1", NOW + HOUR)
        assert work.operating.unfinished() == []
        work.operating.finish("a-1", NOW)
        assert work.operating.action("a-1") == replace(ACTION, done_at=NOW + HOUR)


def test_what_was_not_done_is_told_first(store: Store) -> None:
    put(store, delivery(PSYK))
    one = delivery(PSYK).id
    items = [ActionItem(1, one, "done", ""), ActionItem(2, one, "refused", "Why"),
             ActionItem(3, one, "waits", "")]  # fmt: skip
    with committed(store) as work:
        work.operating.begin(ACTION, items)
        assert [i.number for i in work.operating.items("a-1", 2)] == [2, 1]
        assert work.operating.beginning("a") == ["a-1"]
        assert work.operating.actions() == [ACTION]


def test_a_receipted_message_can_be_put_back_and_a_waiting_one_stays(store: Store) -> None:
    with committed(store) as work:
        for key in ("one", "two"):
            work.queues.add("q", Outgoing(key, b"x", "text/plain", {}), NOW)
        work.queues.settle("q", "one", NOW)
        for key in ("one", "two"):
            work.queues.reopen("q", key)
            work.queues.add("q", Outgoing(key, b"y", "text/plain", {}), NOW)
        assert sorted((m.key, m.body) for m in work.queues.waiting("q")) == [
            ("one", b"y"), ("two", b"y"),
        ]  # fmt: skip
        assert [m.key for m in work.queues.old("q", NOW + HOUR)] == ["two", "one"]
        work.queues.empty("q", "one", NOW)
        assert [m.key for m in work.queues.old("q", NOW + HOUR)] == ["two"]
        assert not work.queues.holds("q", "one")

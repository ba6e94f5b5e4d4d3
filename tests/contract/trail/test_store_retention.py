"""What is deleted when its time is up, and what a legal hold keeps; on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from hub.model.delivery import State
from hub.model.records import Task
from hub.model.trail import EXPIRED, segment_object
from hub.store.audit_tables import AUDIT, AUDIT_SEGMENT
from hub.store.retention import Hold
from hub.store.tables import DELIVERY, INBOX, QUEUE_MESSAGE, TASK
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    NOW,
    PSYK,
    RUS,
    committed,
    delivery,
    inbox_item,
    plan,
)
from tests.contract.trail.test_store_audit import check

DAY = timedelta(days=1)


def days(store: Store, *plans: str) -> None:
    """A sealed row a day, each about one plan."""
    for n, name in enumerate(plans):
        at = NOW + n * DAY
        with committed(store) as work:
            work.journal.audit(at, PSYK, "read", f"CarePlan/{name}/_history/1", party=PSYK)
        with committed(store) as work:
            assert work.trail.seal(at, 100) == 1


def expire(store: Store, before: datetime) -> list[int]:
    gone = []
    while True:
        with committed(store) as work:
            number = work.retention.expired_segment(before)
            if number is None:
                return gone
            by = work.journal.audit(NOW + 9 * DAY, "hub", EXPIRED, segment_object(number))
            assert work.retention.expire_segment(number, by, NOW) > 0
        gone.append(number)


def seal(store: Store) -> None:
    with committed(store) as work:
        work.trail.seal(NOW + 9 * DAY, 100)


def test_whole_segments_expire_and_the_chain_stays_whole(store: Store) -> None:
    days(store, "a", "b", "c", "d")
    assert expire(store, NOW) == []
    assert expire(store, NOW + 2 * DAY) == [1, 2]
    assert check(store).found is None
    seal(store)
    found = check(store)
    assert (found.found, found.expired, found.rows) == (None, 2, 4)
    assert expire(store, NOW + 30 * DAY) == [3, 4]
    seal(store)
    assert check(store).found is None


def test_the_newest_segment_never_expires(store: Store) -> None:
    days(store, "a", "b")
    assert expire(store, NOW + 30 * DAY) == [1]


def test_a_segment_marked_expired_by_hand_is_found(store: Store) -> None:
    days(store, "a", "b", "c")
    with store.database.engine.begin() as db:
        db.execute(AUDIT.delete().where(AUDIT.c.id == 1))
        marked = update(AUDIT_SEGMENT).where(AUDIT_SEGMENT.c.number == 1)
        db.execute(marked.values(expired_by=3, expired_at=NOW))
    assert check(store).found is not None


def held(name: str = "a") -> Hold:
    return Hold(name, "", "a complaint", "op", NOW)


def test_a_hold_keeps_a_segment_with_anything_of_the_plan_or_its_citizen(store: Store) -> None:
    with committed(store) as work:
        for name in ("a", "b"):
            work.plans.add(plan(name), NOW)
        assert work.retention.hold(held())
        assert not work.retention.hold(held())
    # "b" is another plan of the same citizen; "x" is nobody's.
    days(store, "x", "a", "b", "x", "y")
    assert expire(store, NOW + 30 * DAY) == [1, 4]
    with committed(store) as work:
        assert work.retention.holds() == [held()]
        assert work.retention.release("a")
        assert not work.retention.release("a")
    assert expire(store, NOW + 30 * DAY) == [2, 3]
    assert check(store).found is None


def bodies(store: Store) -> dict[str, bool]:
    with store.database.engine.connect() as db:
        inbox = {r.id: r.body is not None for r in db.execute(select(INBOX))}
        sent = {r.id: r.body is not None for r in db.execute(select(DELIVERY))}
        waiting = {f"q-{r.key}": bool(r.body) for r in db.execute(select(QUEUE_MESSAGE))}
    return inbox | sent | waiting


@pytest.mark.parametrize("under_hold", [False, True])
def test_old_bytes_go_but_the_newest_and_what_is_held(store: Store, under_hold: bool) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        for name in ("old", "new"):
            work.inbox.add(inbox_item(name))
        db = work._connection
        db.execute(update(INBOX).values(state="applied", plan_id="plan-1"))
        late = update(INBOX).where(INBOX.c.id == "item-new")
        db.execute(late.values(received_at=NOW + DAY))
        for version in (1, 2, 3):
            work.deliveries.add(delivery(PSYK, version), "test")
            own = update(DELIVERY).where(DELIVERY.c.version == version)
            done = State.DELIVERED if version < 3 else State.SENT
            db.execute(own.values(body=b"x", sequence=version, state=done.value, media_type="x/y"))
        queued = {"queue": "q", "media_type": "x/y", "headers": {}, "at": NOW, "body": b"x"}
        db.execute(QUEUE_MESSAGE.insert().values(key=f"plan-1-{PSYK}-1", settled_at=NOW, **queued))
        db.execute(QUEUE_MESSAGE.insert().values(key=f"plan-1-{PSYK}-3", **queued))
        if under_hold:
            work.retention.hold(held("plan-1"))
    with committed(store) as work:
        for delete in (work.retention.delete_documents, work.retention.delete_sent):
            delete(NOW + timedelta(hours=2))
            assert delete(NOW + timedelta(hours=2)) == 0
    assert bodies(store) == {
        "item-old": under_hold, "item-new": True,
        f"plan-1-{PSYK}-1": under_hold, f"plan-1-{PSYK}-2": under_hold, f"plan-1-{PSYK}-3": True,
        f"q-plan-1-{PSYK}-1": under_hold, f"q-plan-1-{PSYK}-3": True,
    }  # fmt: skip


def answers(store: Store) -> None:
    """Acknowledgements of messages about citizen 1 (of a plan, and of none), about citizen 2, and
    about nobody who is known; and a notification about a decision of somebody's."""
    about = {"plan": ("plan-1", None), "one": (None, CITIZEN_1), "two": (None, "citizen-2"),
             "none": (None, None)}  # fmt: skip
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        db = work._connection
        for name, (of, citizen) in about.items():
            work.inbox.add(inbox_item(name))
            mine = update(INBOX).where(INBOX.c.id == f"item-{name}")
            db.execute(mine.values(plan_id=of, citizen_id=citizen, state="applied"))
        for n, name in enumerate((*about, "told"), 1):
            told = name == "told"
            row = replace(
                delivery(RUS, n, ""), id=name, sequence=n, body=b"x", state=State.DELIVERED,
                about="Consent/1" if told else f"acknowledgement/item-{name}",
                subscription="s" if told else "",
            )  # fmt: skip
            work.deliveries.add(row, "test")
            for queue, settled in (("q", None), ("r", NOW)):
                values = {"queue": queue, "media_type": "x/y", "headers": {}, "at": NOW}
                db.execute(QUEUE_MESSAGE.insert().values(
                    key=name, body=b"x", settled_at=settled, **values
                ))  # fmt: skip


@pytest.mark.parametrize(
    ("hold", "kept"),
    [
        (None, set()),
        (Hold("plan-1", "", "why", "op", NOW), {"plan", "one", "none", "told"}),
        (Hold("", CITIZEN_1, "why", "op", NOW), {"plan", "one", "none", "told"}),
        (Hold("", "citizen-2", "why", "op", NOW), {"two", "none", "told"}),
    ],
)
def test_old_acknowledgements_go_fetched_or_not_unless_their_message_is_held(
    store: Store, hold: Hold | None, kept: set[str]
) -> None:
    answers(store)
    late = NOW + DAY
    with committed(store) as work:
        assert work.retention.delete_sent(NOW) == work.retention.delete_unfetched(NOW, late) == 0
        if hold is not None:
            work.retention.hold(hold)
        work.retention.delete_unfetched(late, late)
        work.retention.delete_sent(late)
        assert work.retention.delete_sent(late) == work.retention.delete_unfetched(late, late) == 0
    with store.database.engine.connect() as db:
        sent = {r.id for r in db.execute(select(DELIVERY)) if r.body is not None}
        rows = db.execute(select(QUEUE_MESSAGE)).all()
    assert sent == kept
    assert {r.key for r in rows if r.queue == "r" and r.body} == kept
    # A notification lies in no mailbox of the hub's, and nobody but its receiver takes it out.
    assert {r.key for r in rows if r.settled_at is None} == kept | {"told"}
    assert all(r.body for r in rows if r.settled_at is None)


def test_an_acknowledgement_is_in_the_copy_for_whom_its_message_was_about(store: Store) -> None:
    answers(store)
    with store.reading() as work:
        assert {n for n, _, _ in work.subject.deliveries(CITIZEN_1)} == {"plan", "one"}
        assert {n for n, _, _ in work.subject.deliveries("citizen-2")} == {"two"}


def test_done_tasks_go_and_open_ones_stay(store: Store) -> None:
    with committed(store) as work:
        work.plans.add(plan(), NOW)
        for name, about in (("open", None), ("done", None), ("held", "plan-1")):
            work.journal.open_task(Task(name, "k", RUS, "t", about, None, None, NOW))
        for name in ("done", "held"):
            work.journal.close_tasks("x", NOW, task_id=name)
        work.retention.hold(held("plan-1"))
        assert work.retention.delete_tasks(NOW) == 0
        assert work.retention.delete_tasks(NOW + DAY) == 1
    with store.database.engine.connect() as db:
        assert sorted(db.execute(select(TASK.c.id)).scalars()) == ["held", "open"]

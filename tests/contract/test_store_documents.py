"""What the store promises of deliveries of documents that stand alone, on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery, Part, Task
from hub.store.retention import Hold
from hub.store.work import Store
from tests.contract.store_cases import (
    CITIZEN_1,
    LEASE,
    NOW,
    PSYK,
    RUS,
    SOCIAL,
    committed,
    delivery,
    put,
)

DOCUMENT = "part-k"


def of_document(receiver: str, version: int = 1, document: str = DOCUMENT) -> Delivery:
    made = delivery(receiver, version, "")
    return replace(
        made, id=f"{document}-{receiver}-{version}", document=document, about="koordinationsplan"
    )


def kept(store: Store, *deliveries: Delivery) -> None:
    with committed(store) as work:
        part = Part(DOCUMENT, CITIZEN_1, None, PSYK, "koordinationsplan", "case", (), None)
        work.plans.save_part(part, NOW)
        for one in deliveries:
            work.deliveries.add(one, "test")


def claim(store: Store, at: timedelta = timedelta()) -> set[str]:
    with committed(store) as work:
        found = [c.id for c in work.deliveries.claimable(NOW + at, 20)]
        work.deliveries.take(found, NOW + at + LEASE, "w-1")
    return set(found)


def test_they_are_of_their_document_and_of_no_plan(store: Store) -> None:
    put(store, delivery(SOCIAL))
    kept(store, of_document(SOCIAL, 2), of_document(SOCIAL), of_document(RUS))
    with store.reading() as work:
        assert [d.version for d in work.documents.sent(DOCUMENT, SOCIAL)] == [1, 2]
        assert len(work.documents.sent(DOCUMENT)) == 3
        assert [d.document for d in work.deliveries.of_plan("plan-1")] == [""]
        found = work.deliveries.get(f"{DOCUMENT}-{RUS}-1", SYSTEM)
        assert found is not None
        assert (found.plan_id, found.document, found.content) == ("", DOCUMENT, "koordinationsplan")
    with store.writing() as work:
        assert work.documents.get(DOCUMENT) == work.documents.lock(DOCUMENT)
        assert work.documents.get("another") is work.documents.lock("another") is None


def test_they_go_one_at_a_time_for_each_document_and_receiver_and_hold_up_no_plan(
    store: Store,
) -> None:
    put(store, delivery(SOCIAL))
    kept(store, of_document(SOCIAL, 2), of_document(SOCIAL), of_document(RUS, 2),
         of_document(SOCIAL, 1, "part-other"))  # fmt: skip
    first = {f"plan-1-{SOCIAL}-1", f"{DOCUMENT}-{SOCIAL}-1", f"{DOCUMENT}-{RUS}-2",
             f"part-other-{SOCIAL}-1"}  # fmt: skip
    assert claim(store) == first
    with committed(store) as work:
        sent = work.deliveries.lock(f"{DOCUMENT}-{SOCIAL}-1")
        assert sent is not None
        work.deliveries.move(sent, State.SENDING, "frozen", "test", NOW)
        work.deliveries.lease(sent.id, NOW + 3 * LEASE, "w-1")
        assert work.operating.busy_beside(replace(sent, id="x"))
        assert not work.operating.busy_beside(of_document(PSYK, 9))
    assert claim(store, 2 * LEASE) == first - {f"{DOCUMENT}-{SOCIAL}-1"}


def test_their_numbers_count_in_the_document_and_are_given_once(store: Store) -> None:
    put(store, delivery(SOCIAL))
    kept(store, of_document(SOCIAL), of_document(SOCIAL, 2), of_document(SOCIAL, 1, "part-other"))
    with committed(store) as work:
        numbered = work.deliveries.lock(f"{DOCUMENT}-{SOCIAL}-1")
        assert numbered is not None
        work.deliveries.move(numbered, State.SENDING, "frozen", "test", NOW, sequence=1, body=b"x")
        assert work.deliveries.next_sequence("", SOCIAL, "fhir", document=DOCUMENT) == 2
        assert work.deliveries.next_sequence("", SOCIAL, "fhir", document="part-other") == 1
        assert work.deliveries.next_sequence("plan-1", SOCIAL, "fhir") == 1
        assert work.deliveries.next_sequence("", SOCIAL, "fhir") == 1
        assert work.standing.frozen(DOCUMENT, SOCIAL) == [numbered.id]
    with store.writing() as work:
        second = work.deliveries.lock(f"{DOCUMENT}-{SOCIAL}-2")
        assert second is not None
        with pytest.raises(IntegrityError):
            work.deliveries.move(second, State.SENDING, "frozen", "test", NOW, sequence=1)


def test_old_bytes_go_but_for_the_newest_and_the_citizen_gets_all(store: Store) -> None:
    kept(store, of_document(SOCIAL), of_document(SOCIAL, 2))
    with committed(store) as work:
        for number in (1, 2):
            one = work.deliveries.lock(f"{DOCUMENT}-{SOCIAL}-{number}")
            assert one is not None
            work.deliveries.move(one, State.SENDING, "frozen", "test", NOW, sequence=number,
                                 body=b"%d" % number, media_type="text/plain")  # fmt: skip
            work.deliveries.move(replace(one, state=State.SENDING), State.DELIVERED, "", "t", NOW)
        assert [b for _, _, b in work.subject.deliveries(CITIZEN_1)] == [b"1", b"2"]
        assert len(work.subject.tables(CITIZEN_1)["delivery_event"]) == 6
        done = Task("t-1", "dead", "operator", "x", None, f"{DOCUMENT}-{SOCIAL}-1", None, NOW)
        for task in (done, replace(done, id="t-2", delivery_id=None)):
            work.journal.open_task(task)
            work.journal.close_tasks("test", NOW, task_id=task.id)
        later, held = NOW + timedelta(days=1), Hold("", CITIZEN_1, "A complaint", "x", NOW)
        assert work.retention.hold(held)
        assert work.retention.delete_sent(later) == 0
        assert work.retention.delete_tasks(later) == 1
        assert work.retention.release(citizen_id=CITIZEN_1)
        assert work.retention.delete_tasks(later) == 1
        assert work.retention.delete_sent(later) == 1
        assert [b for _, _, b in work.subject.deliveries(CITIZEN_1)] == [b"2"]


def test_they_are_gone_through_in_their_order_with_the_tasks_about_them(store: Store) -> None:
    kept(store, of_document(SOCIAL))
    with committed(store) as work:
        for own, kind in (("part-a", "koordinationsplan"), ("part-b", "vum")):
            work.plans.save_part(Part(own, CITIZEN_1, None, PSYK, kind, own, (), None), NOW)
        asked = Task("1", "stray", "operator", "t", None, None, None, NOW, document=DOCUMENT)
        sent = Task("2", "dead", "operator", "t", None, f"{DOCUMENT}-{SOCIAL}-1", None, NOW)
        for task in (asked, sent, Task("3", "dead", "operator", "t", "plan-1", None, None, NOW)):
            work.journal.open_task(task)
    with committed(store) as work:
        go = work.standing.documents
        kinds = {"koordinationsplan"}
        assert (go(kinds, "", 9), go(kinds, "", 1)) == (["part-a", DOCUMENT], ["part-a"])
        assert (go(kinds, "part-a", 9), go(kinds, DOCUMENT, 9)) == ([DOCUMENT], [])
        assert work.journal.open_of(document=DOCUMENT) == [asked, sent]
        assert work.journal.open_of(document="part-a") == []
        work.journal.close_tasks("x", NOW, task_id="1")
        assert work.journal.open_of(document=DOCUMENT) == [sent]

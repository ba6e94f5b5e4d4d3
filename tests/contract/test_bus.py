"""What every bus promises (hub.ports.Bus)."""

from __future__ import annotations

import json
from collections import Counter

from hub.contract import Confirm
from hub.errors import StoreUnavailable
from hub.ports import InboundMessage, answers_queue, deliveries_queue
from tests.contract.harness import (
    DELIVERY_LIMIT,
    PARTIES,
    PSYK,
    RUS,
    BusHarness,
    Inbox,
    keys,
    listening,
    outgoing,
    until,
)

QUEUE = deliveries_queue(PSYK.id)


def test_what_is_published_is_fetched_as_it_was(harness: BusHarness) -> None:
    body = "<plan>Æblerød å</plan>".encode() + bytes(range(256))
    assert harness.bus.publish(QUEUE, outgoing("d-1", body)) == Confirm(True)

    (message,) = harness.fetch(PSYK.id, QUEUE, 1)

    assert (message.key, message.body) == ("d-1", body)
    assert message.media_type == "application/xml"
    assert message.headers == {"ki-format": "behandlingsplan"}


def test_accepted_survives_a_crash_in_order(harness: BusHarness) -> None:
    batch = [(QUEUE, outgoing(f"d-{number:03}")) for number in range(100)]
    confirms = harness.bus.publish_many(batch)
    assert all(confirm.accepted for confirm in confirms)

    harness.crash()

    assert keys(harness.fetch(PSYK.id, QUEUE, 100)) == [message.key for _, message in batch]


def test_an_unroutable_message_is_refused_for_good(harness: BusHarness) -> None:
    confirm = harness.bus.publish("party.nobody.deliveries", outgoing("d-1"))

    assert (confirm.accepted, confirm.permanent) == (False, True)
    assert "party.nobody.deliveries" in confirm.reason


def test_each_message_of_a_batch_has_its_own_answer(harness: BusHarness) -> None:
    queues = [QUEUE, "party.nobody.deliveries", answers_queue(RUS.id), "party.nobody.answers"] * 5
    batch = [(queue, outgoing(f"d-{index}")) for index, queue in enumerate(queues)]

    confirms = harness.bus.publish_many(batch)

    assert [confirm.accepted for confirm in confirms] == [True, False, True, False] * 5
    assert len(harness.fetch(RUS.id, answers_queue(RUS.id), 5)) == 5


def test_the_same_key_in_one_batch_is_answered_twice(harness: BusHarness) -> None:
    lost = ("party.nobody.deliveries", outgoing("d-1"))
    confirms = harness.bus.publish_many([lost, (QUEUE, outgoing("d-1")), lost])

    assert [confirm.accepted for confirm in confirms] == [False, True, False]


def test_order_per_queue_is_the_order_of_the_calls(harness: BusHarness) -> None:
    expected = {queue: [] for queue in (QUEUE, deliveries_queue(RUS.id))}
    for number in range(60):
        queue = QUEUE if number % 3 else deliveries_queue(RUS.id)
        expected[queue].append(f"d-{number}")
        if number % 10:
            harness.bus.publish(queue, outgoing(f"d-{number}"))
        else:
            harness.bus.publish_many([(queue, outgoing(f"d-{number}"))])

    assert keys(harness.fetch(PSYK.id, QUEUE, len(expected[QUEUE]))) == expected[QUEUE]
    rus = deliveries_queue(RUS.id)
    assert keys(harness.fetch(RUS.id, rus, len(expected[rus]))) == expected[rus]


def test_a_document_arrives_with_its_sender_and_format(harness: BusHarness) -> None:
    inbox = Inbox()
    with listening(harness.bus, inbox):
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        harness.send_receipt(RUS.id, "d-7", "ok")
        until(lambda: len(inbox.handled) == 2)

    document, receipt = sorted(inbox.handled, key=lambda message: message.kind)
    assert document == InboundMessage(
        "document", PSYK.id, "behandlingsplan", "m-1", "application/xml", b"<b/>"
    )
    assert (receipt.kind, receipt.user, receipt.format) == ("receipt", RUS.id, "")
    assert json.loads(receipt.body) == {"delivery": "d-7", "outcome": "ok", "text": ""}


def test_what_was_handled_does_not_come_again(harness: BusHarness) -> None:
    first, second = Inbox(), Inbox()
    with listening(harness.bus, first):
        for number in range(40):
            harness.send(PSYK.id, "behandlingsplan", b"<b/>", f"m-{number}")
        until(lambda: len(first.handled) == 40)
    assert first.ids("document") == [f"m-{number}" for number in range(40)]

    with listening(harness.bus, second):
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", "last")
        until(lambda: bool(second.handled))
    assert second.ids("document") == ["last"]


def test_a_temporary_error_never_kills_a_message(harness: BusHarness) -> None:
    times = Counter[str | None]()

    def behave(message: InboundMessage) -> None:
        times[message.message_id] += 1
        if times[message.message_id] <= 3 * DELIVERY_LIMIT:
            raise StoreUnavailable

    inbox = Inbox(behave)
    with listening(harness.bus, inbox):
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        until(lambda: bool(inbox.handled))

    assert inbox.ids("document") == ["m-1"]
    assert inbox.ids("dead") == []
    assert times["m-1"] == 3 * DELIVERY_LIMIT + 1


def test_a_poisoned_message_dies_and_the_queue_moves_on(harness: BusHarness) -> None:
    def behave(message: InboundMessage) -> None:
        if message.kind == "document" and message.message_id == "poison":
            raise RuntimeError

    inbox = Inbox(behave)
    with listening(harness.bus, inbox):
        harness.send(RUS.id, "fhir", b"{poison}", "poison")
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", "good")
        until(lambda: bool(inbox.ids("dead")) and bool(inbox.ids("document")))

    assert inbox.ids("document") == ["good"]
    attempts = [call for call in inbox.calls if call.kind == "document" and call.user == RUS.id]
    assert len(attempts) == DELIVERY_LIMIT + 1
    (dead,) = [message for message in inbox.handled if message.kind == "dead"]
    assert (dead.user, dead.format, dead.message_id) == (RUS.id, "fhir", "poison")
    assert dead.body == b"{poison}"
    assert dead.reason == "delivery-limit in ki.inbound"


def test_a_crash_during_handling_loses_nothing(harness: BusHarness) -> None:
    expected = {f"m-{number}" for number in range(30)}
    for name in sorted(expected):
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", name)
    inbox = Inbox()
    with listening(harness.bus, inbox):
        until(lambda: len(inbox.handled) >= 3)
        harness.crash()
        harness.send(PSYK.id, "behandlingsplan", b"<b/>", "after")
        until(lambda: {*inbox.ids("document")} >= expected | {"after"}, 60)


def test_provisioning_again_changes_nothing(harness: BusHarness) -> None:
    harness.bus.publish(QUEUE, outgoing("d-1"))
    harness.bus.provision(PARTIES)
    harness.bus.provision([PARTIES[0]])

    assert keys(harness.fetch(PSYK.id, QUEUE, 1)) == ["d-1"]


def test_every_queue_has_its_depth(harness: BusHarness) -> None:
    harness.bus.publish_many([(QUEUE, outgoing(f"d-{number}")) for number in range(7)])

    def depth() -> int:
        return {depth.name: depth.ready for depth in harness.bus.depths()}[QUEUE]

    until(lambda: depth() == 7)
    names = {depth.name for depth in harness.bus.depths()}
    own = {"ki.inbound", "ki.receipts", "ki.dead"}
    parties = {name(p.id) for p in (PSYK, RUS) for name in (deliveries_queue, answers_queue)}
    assert names == own | parties


def test_check_asks_and_is_content(harness: BusHarness) -> None:
    harness.bus.check()

"""What every bus promises a publisher and an operator (hub.ports.Bus)."""

from __future__ import annotations

from hub.ports import answers_queue, deliveries_queue
from hub.sending import Confirm
from tests.contract.harness import PARTIES, PSYK, RUS, BusHarness, keys, outgoing, until

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


def test_order_per_queue_is_the_order_of_the_calls(harness: BusHarness) -> None:
    expected: dict[str, list[str]] = {queue: [] for queue in (QUEUE, deliveries_queue(RUS.id))}
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


def test_what_lies_in_a_queue_is_counted(harness: BusHarness) -> None:
    assert harness.bus.ready(QUEUE) == 0
    assert harness.bus.ready("nowhere") == 0
    harness.bus.publish_many([(QUEUE, outgoing(f"d-{number}")) for number in range(3)])
    assert harness.bus.ready(QUEUE) == 3


def test_check_asks_and_is_content(harness: BusHarness) -> None:
    harness.bus.check()

"""What every bus promises of messages that are taken back out of a queue (Bus.take_back)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.bus.embedded import EmbeddedBus
from hub.errors import StoreUnavailable
from hub.ports import Bus, Waits, deliveries_queue
from hub.store.work import Store
from tests.contract.harness import PSYK, RUS, Fetched, RabbitHarness, keys, outgoing, until
from tests.contract.store_cases import opened

QUEUE = deliveries_queue(PSYK.id)
OTHER = deliveries_queue(RUS.id)


class EmbeddedHarness:
    """The queues in the database: a fetched message is receipted at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.bus: Bus = EmbeddedBus(store, lambda: datetime.now(UTC))

    def fetch(self, party: str, queue: str, count: int) -> list[Fetched]:
        with self._store.writing() as work:
            found = work.queues.waiting(queue, count)
            for message in found:
                work.queues.settle(queue, message.key, datetime.now(UTC))
            work.commit()
        return [Fetched(m.key, m.body, m.media_type, dict(m.headers)) for m in found]

    def crash(self) -> None:
        """Whatever is not committed is gone; there is nothing else."""


Harness = RabbitHarness | EmbeddedHarness


@pytest.fixture(params=["rabbit", "embedded"])
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """Every bus there is."""
    if request.param == "rabbit":
        yield request.getfixturevalue("rabbit")
        return
    with opened(f"sqlite:///{tmp_path / 'hub.db'}") as store:
        yield EmbeddedHarness(store)


def ready(harness: Harness, queue: str) -> int:
    return sum(d.ready for d in harness.bus.depths() if d.name == queue)


def noted(harness: Harness, queue: str = QUEUE) -> list[Waits]:
    found: list[Waits] = []
    harness.bus.take_back(queue, found.extend)
    return found


def returned(harness: Harness, count: int) -> list[Waits]:
    """What is taken, in as many looks as that needs: what a connection held that is gone, or a
    broker that starts, comes back when it comes, and one by one."""
    found: list[Waits] = []

    def enough() -> bool:
        found.extend(noted(harness))
        return len(found) >= count

    until(enough)
    return found


def test_all_that_waits_is_taken_and_told_in_order(each: Harness) -> None:
    expected = [f"d-{n:03}" for n in range(250)]
    each.bus.publish_many([(QUEUE, outgoing(key)) for key in expected])
    each.bus.publish(OTHER, outgoing("other"))
    assert noted(each) == [Waits(key, seen=False) for key in expected]
    until(lambda: ready(each, QUEUE) == 0)
    assert noted(each) == []
    assert keys(each.fetch(RUS.id, OTHER, 1)) == ["other"], "another's queue is not touched"


def test_an_empty_queue_is_no_trouble_and_tells_nothing(each: Harness) -> None:
    calls: list[Sequence[Waits]] = []
    each.bus.take_back(QUEUE, calls.append)
    assert calls == []


def test_what_its_receiver_has_settled_is_not_taken(each: Harness) -> None:
    each.bus.publish_many([(QUEUE, outgoing(f"d-{n}")) for n in range(3)])
    assert keys(each.fetch(PSYK.id, QUEUE, 1)) == ["d-0"]
    # Its client was handed all three, and gave two back in the order it liked.
    assert sorted(w.key for w in returned(each, 2)) == ["d-1", "d-2"]


def test_what_cannot_be_noted_is_not_taken(each: Harness) -> None:
    each.bus.publish_many([(QUEUE, outgoing(f"d-{n}")) for n in range(3)])

    def fails(_: Sequence[Waits]) -> None:
        raise StoreUnavailable

    with pytest.raises(StoreUnavailable):
        each.bus.take_back(QUEUE, fails)
    each.crash()
    assert [w.key for w in returned(each, 3)] == ["d-0", "d-1", "d-2"]


def test_it_can_be_published_again_in_order_and_under_the_same_key(each: Harness) -> None:
    each.bus.publish_many([(QUEUE, outgoing(f"d-{n}")) for n in range(5)])
    taken = noted(each)
    again = [(QUEUE, outgoing(w.key, b"again")) for w in taken if w.key != "d-2"]
    assert all(c.accepted for c in each.bus.publish_many(again))
    found = each.fetch(PSYK.id, QUEUE, 4)
    assert keys(found) == ["d-0", "d-1", "d-3", "d-4"]
    assert {m.body for m in found} == {b"again"}


def test_what_the_party_holds_is_not_taken_and_what_it_gave_back_was_seen(
    rabbit: RabbitHarness,
) -> None:
    """RabbitMQ alone hands messages out."""
    rabbit.bus.publish_many([(QUEUE, outgoing(f"d-{n}")) for n in range(3)])
    with rabbit.channel(PSYK.id) as channel:
        held, _, _ = channel.basic_get(QUEUE)
        read, _, _ = channel.basic_get(QUEUE)
        assert held is not None
        assert read is not None
        channel.basic_nack(read.delivery_tag or 0, requeue=True)
        until(lambda: ready(rabbit, QUEUE) == 2)
        assert {(w.key, w.seen) for w in noted(rabbit)} == {("d-1", True), ("d-2", False)}
        channel.basic_ack(held.delivery_tag or 0)
    assert noted(rabbit) == []


def test_a_broker_that_dies_before_the_note_is_kept_gives_everything_back(
    rabbit: RabbitHarness,
) -> None:
    rabbit.bus.publish_many([(QUEUE, outgoing(f"d-{n}")) for n in range(3)])
    struck = threading.Event()

    def strike(_: Sequence[Waits]) -> None:
        struck.set()
        rabbit.crash()

    with pytest.raises(Exception, match="broker"):
        rabbit.bus.take_back(QUEUE, strike)
    assert struck.is_set()
    assert [w.key for w in returned(rabbit, 3)] == ["d-0", "d-1", "d-2"]

"""A broker that somebody has taken things from: what is missing is made again."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pika
import pytest

from hub.bus.rabbitmq import RabbitBus
from hub.errors import BusUnavailable
from hub.ports import Waits, answers_queue, deliveries_queue
from tests.contract.harness import (
    PSYK,
    RUS,
    Inbox,
    RabbitHarness,
    keys,
    listening,
    outgoing,
    until,
)

QUEUE = deliveries_queue(PSYK.id)


def delete(rabbit: RabbitHarness, queue: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.vhost.url()))
    connection.channel().queue_delete(queue)
    connection.close()


def test_a_party_s_queue_that_is_deleted_is_made_again(rabbit: RabbitHarness) -> None:
    assert rabbit.bus.publish(QUEUE, outgoing("d-1")).accepted
    delete(rabbit, QUEUE)
    assert rabbit.bus.ready(QUEUE) == 0
    batch = [(answers_queue(RUS.id), outgoing("d-2")), (QUEUE, outgoing("d-3"))]
    confirms = rabbit.bus.publish_many([*batch, ("nowhere", outgoing("d-4")), *batch])
    assert [c.accepted for c in confirms] == [True, True, False, True, True]
    assert keys(rabbit.fetch(PSYK.id, QUEUE, 2)) == ["d-3", "d-3"]


def test_from_a_deleted_queue_nothing_is_taken_back_and_nothing_waits_for_it(
    rabbit: RabbitHarness,
) -> None:
    taken: list[Waits] = []
    rabbit.bus.publish(QUEUE, outgoing("d-1"))
    delete(rabbit, QUEUE)
    rabbit.bus.take_back(QUEUE, taken.extend)
    assert taken == []
    assert rabbit.bus.publish(QUEUE, outgoing("d-2")).accepted
    assert keys(rabbit.fetch(PSYK.id, QUEUE, 1)) == ["d-2"]


def test_the_hub_s_own_queue_that_is_deleted_is_made_again(rabbit: RabbitHarness) -> None:
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        until(lambda: inbox.ids("document") == ["m-1"])
        delete(rabbit, "ki.inbound")
        numbers = itertools.count(2)

        def arrives() -> bool:
            """What is sent before the queue has its binding again is a dead letter."""
            rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", f"m-{next(numbers)}")
            time.sleep(0.2)
            return len(inbox.ids("document")) > 1

        until(arrives, 60)


@contextmanager
def rude() -> Iterator[int]:
    """A port where everyone is hung up on, at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    guest, _ = server.accept()
                except OSError:
                    return
                guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                guest.close()

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


# pika leaves the socket of such a connection open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whoever_hangs_up_at_once_is_unavailable() -> None:
    with rude() as port:
        bus = RabbitBus(f"amqp://hub:secret@127.0.0.1:{port}/%2F")
        for _ in range(30):
            with pytest.raises(BusUnavailable):
                bus.check()

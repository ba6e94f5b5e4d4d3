"""A receiver on RabbitMQ asks for what it missed, on the exchange of its receipts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pika
import pytest

from hub.ports import answers_queue, deliveries_queue
from hub.runtime.bootstrap import close
from hub.services.worker import receive
from tests.api.world import RUS, World, founded
from tests.contract.harness import until
from tests.servers.rabbitmq import Vhost


@pytest.fixture
def world(database_url: str, rabbitmq_vhost: Vhost, tmp_path: Path) -> Iterator[World]:
    found = founded(
        tmp_path,
        database_url=database_url,
        bus_url=rabbitmq_vhost.url(),
        bus_admin_url=rabbitmq_vhost.admin_url,
        static_credentials=True,
    )
    yield found
    close(found.hub)


@contextmanager
def channel_of(world: World, vhost: Vhost) -> Iterator[Any]:
    connection = pika.BlockingConnection(pika.URLParameters(vhost.url(RUS, world.secrets[RUS])))
    try:
        yield connection.channel()
    finally:
        connection.close()


@contextmanager
def listening(world: World) -> Iterator[None]:
    stop = Event()
    handler: Callable[[Any], None] = lambda m: receive(world.hub, m)  # noqa: E731
    thread = Thread(target=world.hub.bus.listen, args=(handler, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def taken(channel: Any, queue: str) -> tuple[dict[str, Any], bytes]:
    """The next message: headers and body."""
    got: list[Any] = []

    def one() -> bool:
        found = channel.basic_get(queue, auto_ack=True)
        if found[0] is not None:
            got.append(found)
        return bool(got)

    until(one)
    return got[0][1].headers, got[0][2]


def test_it_gets_the_same_message_and_an_answer(world: World, rabbitmq_vhost: Vhost) -> None:
    world.consent()
    plan = world.publish_plan()
    world.work()
    with channel_of(world, rabbitmq_vhost) as channel, listening(world):

        def say(content: dict[str, Any], message_id: str) -> None:
            properties = pika.BasicProperties(user_id=RUS, message_id=message_id)
            body = json.dumps(content).encode()
            channel.basic_publish("ki.receipts", "receipt", body, properties)

        headers, body = taken(channel, deliveries_queue(RUS))
        assert (headers["ki-plan"], headers["ki-sequence"]) == (plan, "1")
        say({"delivery": headers["ki-delivery"], "outcome": "ok"}, "m-1")
        until(lambda: world.states()[RUS] == "delivered")
        say({"missed": {"plan": plan, "format": headers["ki-format"]}}, "m-2")
        answer, text = taken(channel, answers_queue(RUS))
        assert (answer["ki-answers"], answer["ki-status"]) == ("m-2", "202")
        assert b"Of what you missed, 1 are on their way" in text
        world.work()
        again, same = taken(channel, deliveries_queue(RUS))
        assert same == body
        assert {k: again[k] for k in headers if k != "ki-attempt"} == {
            k: headers[k] for k in headers if k != "ki-attempt"
        }
        assert again["ki-attempt"] == "2"

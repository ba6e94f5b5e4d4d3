"""What the bus contract needs besides the bus: a party's side of it, and a way to crash it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pika

from hub.bus.consuming import ListenerSettings
from hub.bus.rabbitmq import RabbitBus
from hub.contract import Party
from hub.ports import Bus, InboundHandler, InboundMessage, PartyAccess
from hub.sending import Outgoing
from tests.servers.rabbitmq import RabbitServer, Vhost

PSYK = Party("psyk-nordstrand", "Psykiatrisk Center Nordstrand", "psychiatry", "Region Nordstrand")
RUS = Party("rus-havneby", "Havneby Rusmiddelcenter", "substance-treatment", "Havneby Kommune")
PARTIES = (PartyAccess(PSYK, "secret-of-psyk"), PartyAccess(RUS, "secret-of-rus"))
SECRETS = {access.party.id: access.secret for access in PARTIES}
DELIVERY_LIMIT = 3


@dataclass(frozen=True)
class Fetched:
    """A message as the party got it."""

    key: str
    body: bytes
    media_type: str
    headers: dict[str, Any]


class BusHarness(Protocol):
    """One bus under test with the two parties PSYK and RUS, provisioned with DELIVERY_LIMIT."""

    bus: Bus

    def fetch(self, party: str, queue: str, count: int) -> list[Fetched]:
        """The party takes that many messages and acknowledges them."""
        ...

    def crash(self) -> None:
        """kill -9 of whatever keeps the messages, and start it again."""
        ...


class RabbitHarness:
    """RabbitMQ: the parties are pika clients with their own credentials."""

    def __init__(self, server: RabbitServer, vhost: Vhost) -> None:
        self.server = server
        self.vhost = vhost
        settings = ListenerSettings(longest_pause=0.5, hold=30)
        self.bus: Bus = RabbitBus(
            vhost.url(), vhost.admin_url, listener=settings, delivery_limit=DELIVERY_LIMIT
        )
        self.bus.provision(PARTIES)

    def params(self, party: str) -> pika.URLParameters:
        return pika.URLParameters(self.vhost.url(party, SECRETS[party]))

    @contextmanager
    def channel(self, party: str) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        connection = pika.BlockingConnection(self.params(party))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def send(self, party: str, format: str, body: bytes, message_id: str) -> None:
        properties = pika.BasicProperties(
            user_id=party, message_id=message_id, content_type="application/xml", delivery_mode=2
        )
        with self.channel(party) as channel:
            channel.basic_publish("ki.inbound", format, body, properties, mandatory=True)

    def send_receipt(self, party: str, delivery: str, outcome: str) -> None:
        body = json.dumps({"delivery": delivery, "outcome": outcome, "text": ""}).encode()
        properties = pika.BasicProperties(
            user_id=party, message_id=f"r-{delivery}", content_type="application/json"
        )
        with self.channel(party) as channel:
            channel.basic_publish("ki.receipts", "receipt", body, properties, mandatory=True)

    def fetch(self, party: str, queue: str, count: int) -> list[Fetched]:
        found: list[Fetched] = []
        with self.channel(party) as channel:
            for method, properties, body in channel.consume(queue, inactivity_timeout=10):
                if method is None or properties is None or body is None:
                    break
                found.append(
                    Fetched(
                        properties.message_id or "",
                        body,
                        properties.content_type or "",
                        {k: v for k, v in (properties.headers or {}).items() if k[:2] != "x-"},
                    )
                )
                channel.basic_ack(method.delivery_tag or 0)
                if len(found) == count:
                    break
            channel.cancel()
        return found

    def crash(self) -> None:
        self.server.kill()
        self.server.start()

    def close(self) -> None:
        self.bus.close()


@dataclass
class Inbox:
    """A handler that remembers; ``behave`` may raise for a message."""

    behave: Callable[[InboundMessage], None] = lambda message: None
    calls: list[InboundMessage] = field(default_factory=list)
    handled: list[InboundMessage] = field(default_factory=list)

    def __call__(self, message: InboundMessage) -> None:
        self.calls.append(message)
        self.behave(message)
        self.handled.append(message)

    def ids(self, kind: str) -> list[str | None]:
        return [message.message_id for message in self.handled if message.kind == kind]


@contextmanager
def listening(
    bus: Bus, handler: InboundHandler, ready: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """The bus listens in a thread; its end is part of the test."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            bus.listen(handler, stop, ready)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive(), "listen() did not return after stop"
    assert errors == []


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for the condition, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.02)


def outgoing(key: str, body: bytes = b"<plan/>") -> Outgoing:
    return Outgoing(key, body, "application/xml", {"ki-format": "behandlingsplan"})


def keys(messages: Sequence[Fetched]) -> list[str]:
    return [message.key for message in messages]

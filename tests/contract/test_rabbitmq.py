"""What only a broker can do: identities, rights, reconnecting. Real RabbitMQ, real refusals."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pika
import pytest
from pika import data
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker

from hub.bus.consuming import ListenerSettings
from hub.bus.rabbitmq import RabbitBus
from hub.contract import Party
from hub.errors import BusUnavailable, Misconfigured, StoreUnavailable
from hub.ports import InboundMessage, PartyAccess, answers_queue, deliveries_queue
from tests.contract.harness import (
    DELIVERY_LIMIT,
    PARTIES,
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


@contextmanager
def refused(code: int) -> Iterator[None]:
    """The broker itself closes the channel with this code."""
    with pytest.raises(ChannelClosedByBroker) as caught:
        yield
    assert caught.value.reply_code == code


def test_a_party_cannot_pose_as_another(rabbit: RabbitHarness) -> None:
    forged = pika.BasicProperties(user_id=RUS.id, message_id="m-1")
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        with refused(406), rabbit.channel(PSYK.id) as channel:
            channel.basic_publish("ki.inbound", "fhir", b"{}", forged)
        rabbit.send(PSYK.id, "fhir", b"{}", "m-2")
        until(lambda: bool(inbox.handled))

    assert inbox.ids("document") == ["m-2"]


def test_a_message_without_user_id_is_dead(rabbit: RabbitHarness) -> None:
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        with rabbit.channel(PSYK.id) as channel:
            nameless = pika.BasicProperties(message_id="m-1")
            channel.basic_publish("ki.inbound", "fhir", b"{}", nameless, mandatory=True)
        until(lambda: bool(inbox.handled))

    (dead,) = inbox.handled
    assert (dead.kind, dead.user, dead.format) == ("dead", "", "fhir")
    assert dead.reason == "no-user-id in ki.inbound"


def test_a_receipt_with_a_wrong_key_is_kept_as_dead(rabbit: RabbitHarness) -> None:
    # The forged x-death must not be believed: the broker wrote none.
    headers: Any = {"x-death": [{"queue": "ki.inbound", "reason": "expired"}]}
    properties = pika.BasicProperties(user_id=RUS.id, message_id="r-1", headers=headers)
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        with rabbit.channel(RUS.id) as channel:
            channel.basic_publish("ki.receipts", "reciept", b"{}", properties, mandatory=True)
        until(lambda: bool(inbox.handled))

    (dead,) = inbox.handled
    assert (dead.kind, dead.user, dead.reason) == ("dead", RUS.id, "unroutable in ki.receipts")


@pytest.mark.parametrize(
    "queue",
    [answers_queue(RUS.id), deliveries_queue(RUS.id), "ki.inbound", "ki.receipts", "ki.dead"],
)
def test_a_party_cannot_read_what_is_not_its_own(rabbit: RabbitHarness, queue: str) -> None:
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.basic_get(queue)
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.basic_consume(queue, lambda *_: None)
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.queue_purge(queue)


def test_a_party_id_is_not_a_pattern(rabbit: RabbitHarness) -> None:
    # "psyk-nordstran." as a regular expression would match PSYK's queues.
    nosy = PartyAccess(Party("psyk-nordstran.", "x", "gp", "x"), "secret")
    rabbit.bus.provision([nosy])
    connection = pika.BlockingConnection(
        pika.URLParameters(rabbit.vhost.url(nosy.party.id, "secret"))
    )
    with refused(403):
        connection.channel().basic_get(QUEUE)
    connection.close()


def test_a_party_declares_binds_and_deletes_nothing(rabbit: RabbitHarness) -> None:
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.queue_declare("mine", durable=True)
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.queue_declare("", exclusive=True)
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.exchange_declare("mine")
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.queue_bind(QUEUE, "ki.inbound", "#")
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.queue_delete(QUEUE)


@pytest.mark.parametrize("exchange", ["ki.outbound", "ki.dead", "", "amq.topic"])
def test_a_party_publishes_only_to_the_hub(rabbit: RabbitHarness, exchange: str) -> None:
    with refused(403), rabbit.channel(PSYK.id) as channel:
        channel.basic_publish(exchange, deliveries_queue(RUS.id), b"not from the hub")


def test_an_administrator_is_never_made_a_party(rabbit: RabbitHarness) -> None:
    with pytest.raises(Misconfigured, match="user hub has tags"):
        rabbit.bus.provision([PartyAccess(Party("hub", "x", "gp", "x"), "taken")])
    rabbit.bus.check()


def test_a_party_without_a_secret_keeps_its_password(rabbit: RabbitHarness) -> None:
    new = Party("ny-part", "x", "gp", "x")
    rabbit.bus.provision([PartyAccess(PSYK), PartyAccess(new)])

    rabbit.send(PSYK.id, "fhir", b"{}", "m-1")
    with pytest.raises(AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(rabbit.vhost.url(new.id, "guess")))


def test_another_queue_of_the_same_name_is_named(rabbit: RabbitHarness) -> None:
    other = RabbitBus(rabbit.vhost.url(), rabbit.vhost.admin_url, delivery_limit=7)
    with pytest.raises(Misconfigured, match=r"queue ki\.inbound exists"):
        other.provision(PARTIES)
    other.close()


def test_a_secret_cannot_be_set_without_the_management_api(rabbit: RabbitHarness) -> None:
    bus = RabbitBus(rabbit.vhost.url(), delivery_limit=DELIVERY_LIMIT)
    with pytest.raises(Misconfigured, match="KI_HUB_BUS_ADMIN_URL"):
        bus.provision(PARTIES)
    bus.provision([PartyAccess(PSYK)])
    with pytest.raises(Misconfigured, match="KI_HUB_BUS_ADMIN_URL"):
        bus.depths()


def test_a_wrong_password_is_said_and_not_shown(rabbit: RabbitHarness) -> None:
    bus = RabbitBus(rabbit.vhost.url("hub", "mistyped"))
    for attempt in (bus.check, lambda: bus.publish(QUEUE, outgoing("d-1"))):
        with pytest.raises(BusUnavailable, match="refuses the hub's user") as caught:
            attempt()
        assert "mistyped" not in str(caught.value)


def test_a_listener_survives_a_stopped_broker(rabbit: RabbitHarness) -> None:
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        rabbit.send(PSYK.id, "fhir", b"{}", "before")
        until(lambda: inbox.ids("document") == ["before"])
        rabbit.server.stop()
        with pytest.raises(BusUnavailable):
            rabbit.bus.check()
        with pytest.raises(BusUnavailable):
            rabbit.bus.publish(QUEUE, outgoing("d-1"))
        rabbit.server.start()
        rabbit.send(RUS.id, "fhir", b"{}", "after")
        until(lambda: inbox.ids("document") == ["before", "after"])
        assert rabbit.bus.publish(QUEUE, outgoing("d-2")).accepted

    assert keys(rabbit.fetch(PSYK.id, QUEUE, 1)) == ["d-2"]


def test_a_handler_slower_than_the_heartbeat_keeps_the_connection(rabbit: RabbitHarness) -> None:
    bus = RabbitBus(rabbit.vhost.url() + "?heartbeat=1", delivery_limit=DELIVERY_LIMIT)
    inbox = Inbox(lambda message: time.sleep(4))
    with listening(bus, inbox):
        rabbit.send(PSYK.id, "fhir", b"{}", "slow")
        until(lambda: bool(inbox.handled))
    assert [call.message_id for call in inbox.calls] == ["slow"]


def test_too_large_a_body_is_let_go(rabbit: RabbitHarness) -> None:
    settings = ListenerSettings(max_body=1000)
    bus = RabbitBus(rabbit.vhost.url(), listener=settings, delivery_limit=DELIVERY_LIMIT)
    inbox = Inbox()
    with listening(bus, inbox):
        rabbit.send(PSYK.id, "behandlingsplan", b"x" * 1001, "large")
        rabbit.send(PSYK.id, "behandlingsplan", b"x" * 1000, "fits")
        until(lambda: len(inbox.handled) == 2)

    large, fits = inbox.handled
    assert (large.kind, large.body, large.message_id) == ("dead", b"", "large")
    assert large.reason == "too-large in ki.inbound: 1001 bytes"
    assert (fits.kind, len(fits.body)) == ("document", 1000)


def test_held_too_long_is_given_back_and_counted(rabbit: RabbitHarness) -> None:
    def behave(message: InboundMessage) -> None:
        if message.kind == "document":
            raise StoreUnavailable

    settings = ListenerSettings(hold=0.05, longest_pause=0.1)
    bus = RabbitBus(rabbit.vhost.url(), listener=settings, delivery_limit=DELIVERY_LIMIT)
    inbox = Inbox(behave)
    with listening(bus, inbox):
        rabbit.send(PSYK.id, "fhir", b"{}", "m-1")
        until(lambda: bool(inbox.handled))
    assert inbox.handled[0].reason == "delivery-limit in ki.inbound"


def test_a_dead_letter_that_cannot_be_handled_stays(rabbit: RabbitHarness) -> None:
    def behave(message: InboundMessage) -> None:
        if len(inbox.calls) <= 2 * DELIVERY_LIMIT:
            raise RuntimeError

    settings = ListenerSettings(dead_pause=0.05)
    bus = RabbitBus(rabbit.vhost.url(), listener=settings, delivery_limit=DELIVERY_LIMIT)
    inbox = Inbox(behave)
    with rabbit.channel(PSYK.id) as channel:
        channel.basic_publish("ki.receipts", "wrong-key", b"{}", mandatory=True)
    with listening(bus, inbox):
        until(lambda: bool(inbox.handled))
    assert len(inbox.calls) == 2 * DELIVERY_LIMIT + 1


class Milliseconds:
    """An AMQP timestamp header in milliseconds instead of seconds: the year 58,000."""


def test_a_header_that_python_cannot_hold_stops_nobody(
    rabbit: RabbitHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = data.encode_value

    def encode_value(pieces: list[bytes], value: Any) -> int:
        if not isinstance(value, Milliseconds):
            return encode(pieces, value)
        pieces.append(struct.pack(">cQ", b"T", 1_800_000_000_000))
        return 9

    monkeypatch.setattr(data, "encode_value", encode_value)
    headers: Any = {"sent": Milliseconds()}
    odd = pika.BasicProperties(user_id=RUS.id, message_id="odd", headers=headers)
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        with rabbit.channel(RUS.id) as channel:
            channel.basic_publish("ki.inbound", "fhir", b"{}", odd, mandatory=True)
        rabbit.send(PSYK.id, "fhir", b"{}", "next")
        until(lambda: len(inbox.handled) == 2)
    assert inbox.ids("document") == ["odd", "next"]


def test_stop_interrupts_a_wait_for_the_store(rabbit: RabbitHarness) -> None:
    called = threading.Event()

    def handler(message: InboundMessage) -> None:
        called.set()
        raise StoreUnavailable

    settings = ListenerSettings(first_pause=60, longest_pause=60)
    bus = RabbitBus(rabbit.vhost.url(), listener=settings, delivery_limit=DELIVERY_LIMIT)
    with listening(bus, handler):
        rabbit.send(PSYK.id, "fhir", b"{}", "m-1")
        assert called.wait(10)
        began = time.monotonic()
    assert time.monotonic() - began < 5

    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        until(lambda: inbox.ids("document") == ["m-1"])


def test_readiness_asks_on_one_connection_that_is_kept(rabbit: RabbitHarness) -> None:
    with httpx.Client(base_url=rabbit.vhost.admin_url) as api:

        def kept() -> list[str]:
            found = api.get("/api/connections").raise_for_status().json()
            return [
                c["name"]
                for c in found
                if c.get("vhost") == rabbit.vhost.name
                and c.get("client_properties", {}).get("connection_name") == "ki-hub readiness"
            ]

        for _ in range(5):
            rabbit.bus.check()
        until(lambda: len(kept()) == 1)
        (name,) = kept()
        api.delete(f"/api/connections/{quote(name, safe='')}").raise_for_status()
        # That one connection was cut says nothing of the broker.
        rabbit.bus.check()
        until(lambda: len(kept()) == 1 and kept() != [name])

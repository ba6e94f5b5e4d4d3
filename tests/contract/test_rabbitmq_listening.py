"""What becomes of a message that the hub takes from the broker (hub.ports.Bus.listen)."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing

from hub.bus.consuming import ListenerSettings
from hub.bus.rabbitmq import RabbitBus
from hub.errors import StoreUnavailable
from hub.ports import InboundMessage
from tests.contract.harness import (
    DELIVERY_LIMIT,
    PSYK,
    RUS,
    Inbox,
    RabbitHarness,
    listening,
    until,
)


def test_a_document_arrives_with_its_sender_and_format(rabbit: RabbitHarness) -> None:
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        rabbit.send_receipt(RUS.id, "d-7", "ok")
        until(lambda: len(inbox.handled) == 2)

    document, receipt = sorted(inbox.handled, key=lambda message: message.kind)
    assert document == InboundMessage(
        "document", PSYK.id, "behandlingsplan", "m-1", "application/xml", b"<b/>"
    )
    assert (receipt.kind, receipt.user, receipt.format) == ("receipt", RUS.id, "")
    assert json.loads(receipt.body) == {"delivery": "d-7", "outcome": "ok", "text": ""}


def test_what_was_handled_does_not_come_again(rabbit: RabbitHarness) -> None:
    first, second = Inbox(), Inbox()
    with listening(rabbit.bus, first):
        for number in range(40):
            rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", f"m-{number}")
        until(lambda: len(first.handled) == 40)
    assert first.ids("document") == [f"m-{number}" for number in range(40)]

    with listening(rabbit.bus, second):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "last")
        until(lambda: bool(second.handled))
    assert second.ids("document") == ["last"]


def test_a_temporary_error_never_kills_a_message(rabbit: RabbitHarness) -> None:
    times = Counter[str | None]()

    def behave(message: InboundMessage) -> None:
        times[message.message_id] += 1
        if times[message.message_id] <= 3 * DELIVERY_LIMIT:
            raise StoreUnavailable

    inbox = Inbox(behave)
    with listening(rabbit.bus, inbox):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        until(lambda: bool(inbox.handled))

    assert inbox.ids("document") == ["m-1"]
    assert inbox.ids("dead") == []
    assert times["m-1"] == 3 * DELIVERY_LIMIT + 1


def test_a_night_without_a_database_counts_once(rabbit: RabbitHarness) -> None:
    away, asked = [StoreUnavailable()], Counter[str]()

    def behave(message: InboundMessage) -> None:
        asked["taken"] += 1
        if away:
            raise away[0]

    def ready() -> None:
        asked["ready"] += 1
        if away and asked["taken"]:
            raise away[0]

    settings = ListenerSettings(hold=0.1, first_pause=0.02, longest_pause=0.05)
    inbox = Inbox(behave)
    url = rabbit.vhost.url()
    with closing(RabbitBus(url, listener=settings)) as bus, listening(bus, inbox, ready):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "m-1")
        until(lambda: asked["taken"] > 0 and asked["ready"] > 10 * DELIVERY_LIMIT)
        away.clear()
        until(lambda: bool(inbox.handled))
    assert [m.kind for m in inbox.handled] == ["document"]


def test_a_poisoned_message_dies_and_the_queue_moves_on(rabbit: RabbitHarness) -> None:
    def behave(message: InboundMessage) -> None:
        if message.kind == "document" and message.message_id == "poison":
            raise RuntimeError

    inbox = Inbox(behave)
    with listening(rabbit.bus, inbox):
        rabbit.send(RUS.id, "fhir", b"{poison}", "poison")
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "good")
        until(lambda: bool(inbox.ids("dead")) and bool(inbox.ids("document")))

    assert inbox.ids("document") == ["good"]
    attempts = [call for call in inbox.calls if call.kind == "document" and call.user == RUS.id]
    assert len(attempts) == DELIVERY_LIMIT + 1
    (dead,) = [message for message in inbox.handled if message.kind == "dead"]
    assert (dead.user, dead.format, dead.message_id) == (RUS.id, "fhir", "poison")
    assert dead.body == b"{poison}"
    assert dead.reason == "delivery-limit in ki.inbound"


def test_a_crash_during_handling_loses_nothing(rabbit: RabbitHarness) -> None:
    expected = {f"m-{number}" for number in range(30)}
    for name in sorted(expected):
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", name)
    inbox = Inbox()
    with listening(rabbit.bus, inbox):
        until(lambda: len(inbox.handled) >= 3)
        rabbit.crash()
        rabbit.send(PSYK.id, "behandlingsplan", b"<b/>", "after")
        until(lambda: {*inbox.ids("document")} >= expected | {"after"}, 60)

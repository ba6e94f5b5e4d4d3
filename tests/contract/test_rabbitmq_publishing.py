"""Publisher confirms on a real broker: speed, refusals, lost connections, threads."""

from __future__ import annotations

import threading

import httpx
import pika
import pytest

from hub.bus import publisher as publisher_module
from hub.errors import BusUnavailable
from hub.ports import answers_queue, deliveries_queue
from hub.sending import Outgoing
from tests.contract.harness import PSYK, RUS, RabbitHarness, keys, outgoing, until

QUEUE = deliveries_queue(PSYK.id)


def test_a_batch_is_confirmed_one_by_one_and_in_order(rabbit: RabbitHarness) -> None:
    batch = [(QUEUE, outgoing(f"d-{number}")) for number in range(1000)]
    confirms = rabbit.bus.publish_many(batch)
    assert [confirm.accepted for confirm in confirms] == [True] * 1000
    with rabbit.channel(PSYK.id) as channel:
        keys = [channel.basic_get(QUEUE, auto_ack=True)[1].message_id for _ in range(1000)]
    assert keys == [message.key for _, message in batch]


def test_a_message_is_persistent_and_says_who_sent_it(rabbit: RabbitHarness) -> None:
    rabbit.bus.publish(QUEUE, outgoing("d-1"))
    with rabbit.channel(PSYK.id) as channel:
        _, properties, _ = channel.basic_get(QUEUE, auto_ack=True)
    assert properties is not None
    assert (properties.delivery_mode, properties.message_id) == (2, "d-1")
    assert (properties.app_id, properties.content_type) == ("ki-hub", "application/xml")


def test_an_unroutable_message_is_refused_for_good(rabbit: RabbitHarness) -> None:
    confirm = rabbit.bus.publish("nowhere", outgoing("d-1"))

    assert (confirm.accepted, confirm.permanent) == (False, True)
    assert "nowhere" in confirm.reason


def test_each_message_of_a_batch_has_its_own_answer(rabbit: RabbitHarness) -> None:
    queues = [QUEUE, "nowhere", answers_queue(RUS.id), "nowhere.either"] * 5
    batch = [(queue, outgoing(f"d-{index}")) for index, queue in enumerate(queues)]

    confirms = rabbit.bus.publish_many(batch)

    assert [confirm.accepted for confirm in confirms] == [True, False, True, False] * 5
    assert len(rabbit.fetch(RUS.id, answers_queue(RUS.id), 5)) == 5


def test_the_same_key_in_one_batch_is_answered_twice(rabbit: RabbitHarness) -> None:
    lost = ("nowhere", outgoing("d-1"))
    confirms = rabbit.bus.publish_many([lost, (QUEUE, outgoing("d-1")), lost])

    assert [confirm.accepted for confirm in confirms] == [False, True, False]


def test_a_full_queue_refuses_for_now(rabbit: RabbitHarness) -> None:
    with httpx.Client(base_url=rabbit.vhost.admin_url) as api:
        policy = {"pattern": r"\.answers$", "definition": {"max-length": 5}, "apply-to": "queues"}
        api.put(f"/api/policies/{rabbit.vhost.name}/short", json=policy).raise_for_status()
    queue = answers_queue(PSYK.id)

    def refusals() -> list[bool]:
        batch = [(queue, outgoing(f"d-{number}")) for number in range(20)]
        refused = [c for c in rabbit.bus.publish_many(batch) if not c.accepted]
        return [confirm.permanent for confirm in refused]

    until(lambda: bool(refusals()))
    assert set(refusals()) == {False}


def test_every_thread_gets_its_own_answers(rabbit: RabbitHarness) -> None:
    results: dict[int, list[bool]] = {}

    def publish(number: int) -> None:
        queues = [QUEUE if (number + index) % 2 else "nowhere" for index in range(200)]
        batch = [(queue, outgoing(f"t{number}-{index}")) for index, queue in enumerate(queues)]
        results[number] = [confirm.accepted for confirm in rabbit.bus.publish_many(batch)]

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    expected = {n: [bool((n + index) % 2) for index in range(200)] for n in range(6)}
    assert results == expected
    found = keys(rabbit.fetch(PSYK.id, QUEUE, 600))
    for number in range(6):
        own = [key for key in found if key.startswith(f"t{number}-")]
        assert own == sorted(own, key=lambda key: int(key.split("-")[1]))


def test_what_amqp_cannot_say_is_refused_alone(
    rabbit: RabbitHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "MAX_BODY", 1000)
    batch = [
        (QUEUE, outgoing("d-1")),
        (QUEUE, outgoing("k" * 256)),
        ("q" * 256, outgoing("d-2")),
        (QUEUE, outgoing("d-3", b"x" * 1001)),
        (QUEUE, Outgoing("d-4", b"", "text/plain", {"n": "Ærø"})),
    ]
    confirms = rabbit.bus.publish_many(batch)
    assert [confirm.accepted for confirm in confirms] == [True, False, False, False, True]
    assert all(confirm.permanent for confirm in confirms if not confirm.accepted)
    assert keys(rabbit.fetch(PSYK.id, QUEUE, 2)) == ["d-1", "d-4"]


def test_an_empty_batch_asks_nobody(rabbit: RabbitHarness) -> None:
    assert rabbit.bus.publish_many([]) == []


def test_large_bodies_pass_whole(rabbit: RabbitHarness) -> None:
    body = bytes(range(256)) * 40_000
    batch = [(QUEUE, outgoing(f"d-{number}", body)) for number in range(4)]
    assert all(confirm.accepted for confirm in rabbit.bus.publish_many(batch))
    assert [message.body == body for message in rabbit.fetch(PSYK.id, QUEUE, 4)] == [True] * 4


def test_a_missing_exchange_is_unavailable_and_heals(rabbit: RabbitHarness) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.vhost.url()))
    connection.channel().exchange_delete("ki.outbound")
    with pytest.raises(BusUnavailable, match="404"):
        rabbit.bus.publish(QUEUE, outgoing("d-1"))
    connection.close()

    rabbit.bus.provision([])
    assert rabbit.bus.publish(QUEUE, outgoing("d-1")).accepted


def test_a_connection_lost_before_the_confirm_is_unavailable(rabbit: RabbitHarness) -> None:
    errors: list[BaseException] = []
    accepted: list[str] = []

    def publish() -> None:
        try:
            for number in range(1_000_000):
                batch = [(QUEUE, outgoing(f"d-{number}-{index}")) for index in range(200)]
                confirms = rabbit.bus.publish_many(batch)
                accepted.extend(
                    message.key
                    for (_, message), confirm in zip(batch, confirms, strict=True)
                    if confirm.accepted
                )
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    until(lambda: len(accepted) >= 1000)
    rabbit.crash()
    thread.join(60)

    assert [type(error) for error in errors] == [BusUnavailable]
    # What was accepted is there; of the rest nobody knows.
    found = set(keys(rabbit.fetch(PSYK.id, QUEUE, len(accepted))))
    missing = set(accepted) - found
    if missing:
        found |= set(keys(rabbit.fetch(PSYK.id, QUEUE, 200)))
    assert set(accepted) <= found
    assert rabbit.bus.publish(QUEUE, outgoing("again")).accepted


def test_a_closed_publisher_opens_again_when_needed(rabbit: RabbitHarness) -> None:
    assert rabbit.bus.publish(QUEUE, outgoing("d-1")).accepted
    rabbit.bus.close()
    assert rabbit.bus.publish(QUEUE, outgoing("d-2")).accepted

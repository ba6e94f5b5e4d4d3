"""A receiver that says nothing: what lies where it was put waits, what is gone is sent again; and
the hub's own broker's absence kills nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.errors import BusUnavailable
from hub.model.party import SYSTEM
from hub.store.tables import QUEUE_MESSAGE
from tests.api.test_nothing_lost import Breaking, with_plan
from tests.api.world import KOORD_OWN, OPERATOR_VIEW, RUS, World

WAIT = timedelta(hours=1)


def lost(world: World, delivery: str) -> None:
    """The queue was deleted, or the broker lost it."""
    with world.hub.store.database.writing() as connection:
        connection.execute(QUEUE_MESSAGE.delete().where(QUEUE_MESSAGE.c.key == delivery))
        connection.commit()


def lies(world: World, delivery: str) -> bool:
    with world.hub.store.reading() as work:
        return work.queues.holds(f"party.{RUS}.deliveries", delivery)


def sent(world: World) -> str:
    """The lead's copy is sent, and nobody receipts it."""
    with_plan(world)
    world.work()
    row = world.delivery(RUS)
    assert row["state"] == "sent"
    return str(row["delivery"])


def body(world: World, delivery: str) -> bytes | None:
    with world.hub.store.reading() as work:
        found = work.deliveries.get(delivery, SYSTEM, body=True)
    assert found is not None
    return found.body


def test_what_lies_in_the_queue_waits_for_its_receiver(world: World) -> None:
    delivery = sent(world)
    for _ in range(20):
        world.clock.advance(hours=2)
        world.work()
    row = world.delivery(RUS)
    assert (row["state"], row["attempts"]) == ("sent", 1)
    assert lies(world, delivery)


def test_what_is_gone_without_a_receipt_is_sent_again_under_its_id(world: World) -> None:
    delivery = sent(world)
    bytes_sent = body(world, delivery)
    lost(world, delivery)
    world.clock.now += WAIT - timedelta(minutes=2)
    world.work()
    assert not lies(world, delivery), "it may be in its receiver's hands"
    world.clock.advance(minutes=3)
    world.work()
    world.clock.advance(minutes=1)
    world.work()
    assert lies(world, delivery)
    row = world.delivery(RUS)
    assert (row["state"], row["attempts"]) == ("sent", 2)
    assert body(world, delivery) == bytes_sent


def test_what_is_gone_every_time_becomes_the_operator_s(world: World) -> None:
    delivery = sent(world)
    for _ in range(3 * world.hub.retry.attempts):
        lost(world, delivery)
        world.clock.now += WAIT + timedelta(minutes=1)
        world.work()
    assert world.delivery(RUS)["state"] == "dead"
    with world.hub.store.reading() as work:
        tasks = [(t.kind, t.delivery_id) for t in work.journal.tasks(OPERATOR_VIEW)]
    assert ("dead", delivery) in tasks


def test_a_broker_that_is_away_for_long_kills_nothing(world: World) -> None:
    rounds = 3 * world.hub.retry.attempts
    away = Breaking(world.hub.transports["mailbox"], BusUnavailable(), before=True, times=rounds)
    world.hub = replace(world.hub, transports={**world.hub.transports, "mailbox": away})
    with_plan(world)
    for _ in range(rounds):
        world.work()
        assert world.delivery(KOORD_OWN)["state"] == "retry_at"
        world.clock.advance(hours=1)
    world.work()
    assert world.delivery(KOORD_OWN)["state"] == "sent"

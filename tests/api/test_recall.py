"""A withdrawal on RabbitMQ: the receiver's whole queue is taken back and filled anew.

The hub is the production one, in this process: PostgreSQL and a real broker. What the receiver's
own system holds unacknowledged stays there and is listed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pika
import pytest

from hub.bus.connection import connected
from hub.errors import BusUnavailable
from hub.fhir import names
from hub.model.party import Subscription
from hub.ports import Waits, deliveries_queue
from hub.runtime.bootstrap import close
from hub.sending import Confirm, Outgoing
from hub.services.recall import recall_due
from tests.api.papers import consent_of
from tests.api.test_koordinationsplan import MARKED, PLAN, publish
from tests.api.test_koordinationsplan_sent import changed, subscribe
from tests.api.world import (
    CPR_1,
    CPR_2,
    OPERATOR,
    PLAN_1,
    RUS,
    SOCIAL,
    World,
    founded,
)
from tests.contract.harness import until
from tests.servers.rabbitmq import Vhost

QUEUE = deliveries_queue(RUS)
CPR_3 = "0101809995"


@dataclass(frozen=True)
class Seen:
    """One message on the party's queue."""

    key: str
    sequence: int
    body: bytes


@dataclass
class Broker:
    """A hub on PostgreSQL and RabbitMQ, and the lead's client on the broker."""

    world: World
    vhost: Vhost

    @contextmanager
    def channel(self, who: str = RUS) -> Iterator[Any]:
        url = self.vhost.url(who, self.world.secrets[who])
        connection = pika.BlockingConnection(pika.URLParameters(url))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def waiting(self, who: str = RUS) -> list[Seen]:
        """What lies on the unit's queue, in order; all of it is left there."""
        with self.channel(who) as channel:
            found = []
            while (got := channel.basic_get(deliveries_queue(who)))[0] is not None:
                found.append(Seen(got[1].message_id, int(got[1].headers["ki-sequence"]), got[2]))
        return found

    def plan_of(self, cpr: str) -> str:
        """A citizen's plan with the same lead, who is the receiver too."""
        found = json.loads(PLAN_1.decode().replace(CPR_1, cpr))
        plan = found["entry"][0]["resource"]
        plan["identifier"] = [{"system": "https://rus-havneby.example/sag", "value": cpr[:6]}]
        self.world.consent(consent_of(f"samtykke-{cpr[:6]}", cpr=cpr))
        made = self.world.publish_plan(json.dumps(found).encode())
        self.world.work()
        return made

    def withdraw(self) -> None:
        self.world.clock.advance(minutes=1)
        answer = self.world.consent(consent_of(f"samtykke-{CPR_1[:6]}", status="inactive"))
        assert answer.status_code == 200, answer.text


@pytest.fixture
def broker(database_url: str, rabbitmq_vhost: Vhost, tmp_path: Path) -> Iterator[Broker]:
    """Three messages on the lead's queue, of three plans; the one in the middle is withdrawn."""
    world = founded(
        tmp_path,
        database_url=database_url,
        bus_url=rabbitmq_vhost.url(),
        bus_admin_url=rabbitmq_vhost.admin_url,
        static_credentials=True,
    )
    made = Broker(world, rabbitmq_vhost)
    for cpr in (CPR_2, CPR_1, CPR_3):
        made.plan_of(cpr)
    yield made
    close(world.hub)


def own(broker: Broker) -> dict[str, str]:
    """Delivery to state, of the copies for the lead."""
    rows = broker.world.deliveries()
    return {d["delivery"]: d["state"] for d in rows if d["receiver"] == RUS}


def test_what_is_still_permitted_is_published_again_as_it_was(broker: Broker) -> None:
    before = broker.waiting()
    assert len(before) == 3
    broker.withdraw()
    broker.world.work()
    after = broker.waiting()
    states = own(broker)
    kept = [m for m in before if states[m.key] == "sent"]
    assert len(kept) == 2
    assert [m for m in after if m in before] == kept, "in order; same id, sequence number and bytes"
    (notice,) = [m for m in after if m not in before]
    assert b"consent-withdrawn" in notice.body
    assert sorted(states.values()) == ["cancelled", "sent", "sent"]


def test_what_tells_where_a_citizen_is_is_taken_back_when_that_is_protected(
    broker: Broker,
) -> None:
    world = broker.world
    with world.hub.store.writing() as work:
        known = work.parties.get(SOCIAL)
        assert known is not None
        plain = replace(known, subscriptions=(Subscription("fhir"),))
        work.parties.save(plain, world.clock())
        work.commit()
    found = json.loads(PLAN_1)
    (citizen,) = [
        e["resource"] for e in found["entry"] if e["resource"]["resourceType"] == "Patient"
    ]
    line = citizen["address"][0]["line"][0].encode()
    world.publish_plan(json.dumps(found).encode())
    world.work()
    before = broker.waiting(SOCIAL)
    assert any(line in m.body for m in before)
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    world.clock.advance(minutes=1)
    world.publish_plan(json.dumps(found).encode())
    world.work()
    after = broker.waiting(SOCIAL)
    assert len(after) >= 1
    assert not any(line in m.body for m in after)


def test_a_koordinationsplan_goes_on_and_is_taken_back_when_it_is_not_to_be_had(
    broker: Broker,
) -> None:
    """A withdrawn consent does not stop what a statute carries; its owner's word does."""
    world = broker.world
    subscribe(world, RUS)
    publish(world, MARKED)
    world.work()
    (sent,) = [m for m in broker.waiting() if b"koordinationsplan" in m.body]
    with broker.channel() as channel:
        seen = {}
        while (got := channel.basic_get(QUEUE))[0] is not None:
            seen[got[1].message_id] = got[1].headers
    assert "ki-document" in seen[sent.key]
    assert "ki-plan" not in seen[sent.key]
    broker.withdraw()
    world.work()
    after = broker.waiting()
    assert [m for m in after if m.key == sent.key] == [sent]
    assert own(broker)[sent.key] == "sent"
    world.clock.advance(minutes=1)
    publish(world, changed(PLAN, 3))
    world.work()
    assert own(broker)[sent.key] == "cancelled"
    assert [m.key for m in broker.waiting()] == [m.key for m in after if m.key != sent.key]


def test_what_the_receiver_holds_is_listed_as_may_have_left(broker: Broker) -> None:
    world = broker.world
    with broker.channel() as channel:
        channel.basic_get(QUEUE)
        method, properties, _ = channel.basic_get(QUEUE)
        broker.withdraw()
        world.work()
        plans = {d["plan"] for d in world.deliveries() if d["delivery"] == properties.message_id}
        (plan,) = plans
        (found,) = world.get(f"/operations/plans/{plan}", OPERATOR).json()["withdrawals"]
        left = {(x["receiver"], x["how"]) for x in found["may_have_left"]}
        assert (RUS, "sent") in left
        assert (SOCIAL, "sent") not in left
        channel.basic_ack(method.delivery_tag)


def test_what_comes_back_to_the_queue_later_is_taken_then(broker: Broker) -> None:
    """A broker that starts again, or a connection that ends, gives back what was unacknowledged."""
    world = broker.world
    with broker.channel() as channel:
        channel.basic_get(QUEUE)
        held = channel.basic_get(QUEUE)[1].message_id
        broker.withdraw()
        world.work()
        assert own(broker)[held] == "sent", "out of reach"
    until(lambda: world.hub.bus.ready(QUEUE) == 4)
    world.clock.advance(seconds=11)
    world.work()
    assert own(broker)[held] == "cancelled"
    kept = broker.waiting()
    assert held not in {m.key for m in kept}
    assert len(kept) == 3, "the two that are permitted, and the notice"


def test_it_is_looked_for_until_no_receiver_can_hold_it(broker: Broker) -> None:
    """RabbitMQ takes back what has been held for 30 minutes; what is held longer is settled."""
    world = broker.world
    broker.withdraw()
    world.work()
    looks = []
    whole = world.hub.bus.take_back

    def looked(queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        looks.append(world.clock())
        whole(queue, note)

    world.hub.bus.take_back = looked  # type: ignore[method-assign]
    began = world.clock()
    for seconds in (5, 6, 61, 301, 2401, 9999):
        world.clock.advance(seconds=seconds)
        world.work()
    assert [round((at - began).total_seconds()) for at in looks] == [11, 72, 373, 2774]
    assert looks[-1] - began > timedelta(minutes=30), "and then it is left alone"


class KilledError(BaseException):
    """The process ends here: nothing after it runs, nothing is rolled forward."""


Step = Callable[[World], None]


def dies_before_taking(world: World) -> None:
    def dead(_queue: str, _note: object) -> None:
        raise KilledError

    world.hub.bus.take_back = dead  # type: ignore[method-assign]


def dies_when_noted(world: World) -> None:
    whole = world.hub.bus.take_back

    def half(queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        def noted(found: Sequence[Waits]) -> None:
            note(found)
            raise KilledError

        whole(queue, noted)

    world.hub.bus.take_back = half  # type: ignore[method-assign]


def dies_before_publishing(world: World) -> None:
    def dead(_batch: object) -> list[Confirm]:
        raise KilledError

    world.hub.bus.publish_many = dead  # type: ignore[assignment,method-assign]


def dies_after_publishing(world: World) -> None:
    whole = world.hub.bus.publish_many

    def done(batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        whole(batch)
        raise KilledError

    world.hub.bus.publish_many = done  # type: ignore[method-assign]


def broker_is_away(world: World) -> None:
    def away(_queue: str, _note: object) -> None:
        raise BusUnavailable

    world.hub.bus.take_back = away  # type: ignore[method-assign]


def queue_is_deleted(world: World) -> None:
    """By somebody, when all of it is noted and nothing of it acknowledged."""
    whole = world.hub.bus.take_back

    def cut(queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        def noted(found: Sequence[Waits]) -> None:
            note(found)
            with connected(world.hub.bus._params) as connection:  # type: ignore[attr-defined]
                connection.channel().queue_delete(queue)

        whole(queue, noted)

    world.hub.bus.take_back = cut  # type: ignore[method-assign]
    recall_due(world.hub)


@pytest.mark.parametrize(
    "step",
    [dies_before_taking, dies_when_noted, dies_before_publishing, dies_after_publishing,
     broker_is_away, queue_is_deleted],
)  # fmt: skip
def test_a_hub_that_dies_at_any_step_goes_on_and_loses_nothing(broker: Broker, step: Step) -> None:
    world = broker.world
    before = broker.waiting()
    broker.withdraw()
    whole = (world.hub.bus.take_back, world.hub.bus.publish_many)
    step(world)
    with suppress(KilledError):
        world.work()
    due = [d for d in world.deliveries() if d["receiver"] == RUS and d["state"] == "sending"]
    assert due == [], "nothing new goes on a queue that is being taken back"
    world.hub.bus.take_back, world.hub.bus.publish_many = whole  # type: ignore[method-assign]
    # Its lease is over, and another process goes on.
    world.clock.advance(minutes=5)
    again = replace(world.hub)
    World(again, world.secrets, world.clock).work()
    states = own(broker)
    after = broker.waiting()
    kept = [m for m in before if states[m.key] == "sent"]
    assert len(kept) == 2
    assert [m for m in after if m in before] == kept
    assert sum(b"consent-withdrawn" in m.body for m in after) == 1


def test_who_takes_longer_than_its_lease_takes_nothing_out_unseen(broker: Broker) -> None:
    """One worker holds all of the queue when its lease ends; another finds it empty, and is done.
    Had the first then gone on, nobody would have known what it took out."""
    world = broker.world
    before = broker.waiting()
    broker.withdraw()
    late = replace(world.hub, bus=copy(world.hub.bus))
    held, go_on, noted, end = Event(), Event(), Event(), Event()
    whole, publish_whole = world.hub.bus.take_back, world.hub.bus.publish_many

    def slow(queue: str, note: Callable[[Sequence[Waits]], None]) -> None:
        def waits(found: Sequence[Waits]) -> None:
            held.set()
            assert go_on.wait(60)
            note(found)

        whole(queue, waits)
        noted.set()
        assert end.wait(60)

    def meanwhile(batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        go_on.set()
        until(lambda: noted.is_set() or not first.is_alive())
        return publish_whole(batch)

    late.bus.take_back = slow  # type: ignore[method-assign]
    world.hub.bus.publish_many = meanwhile  # type: ignore[assignment,method-assign]
    first = Thread(target=recall_due, args=(late,))
    first.start()
    try:
        assert held.wait(60)
        world.clock.now += world.hub.limits.send_lease + timedelta(seconds=1)
        assert recall_due(world.hub) == 1, "taken over, and done"
    finally:
        go_on.set()
        end.set()
        first.join()
    world.hub.bus.publish_many = publish_whole  # type: ignore[method-assign]
    until(lambda: world.hub.bus.ready(QUEUE) == len(before))
    world.clock.advance(seconds=11)
    world.work()
    states = own(broker)
    kept = [m for m in before if states[m.key] == "sent"]
    assert len(kept) == 2
    assert [m for m in broker.waiting() if m in before] == kept

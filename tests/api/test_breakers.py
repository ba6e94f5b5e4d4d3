"""Endpoints that fail: left alone, probed, reset; and how each party is tried again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from hub.errors import BusUnavailable, HubError, StoreUnavailable
from hub.model.breaker import BreakerPolicy, Circuit
from hub.model.retry import RetryWish
from hub.ports import deliveries_queue
from hub.sending import Confirm, Endpoint, Outgoing, Transport
from hub.services.senders import Senders
from tests.api.failing import failing, of, reached_at, shut
from tests.api.fhir.subscription_world import create, subscription
from tests.api.world import KOORD_OWN, OPERATOR, PSYK, RUS, SOCIAL, World, problem
from tests.servers.hook import Hook


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as found:
        yield found


def until_open(world: World) -> None:
    for _ in range(3):
        if shut(world)[0][0] == "open":
            return
        world.clock.advance(seconds=20)
        world.work()
    assert shut(world)[0][0] == "open"


def test_an_endpoint_that_fails_is_left_alone_for_all_behind_it_and_probed_by_one(
    world: World, hook: Hook
) -> None:
    both = sorted((PSYK, SOCIAL))
    failing(world, hook, *both)
    assert shut(world) == [("closed", 2, both)]
    until_open(world)
    assert world.delivery(KOORD_OWN)["state"] == "sent", "the others have theirs"
    tried = len(hook.got)
    spent = [world.delivery(p)["attempts"] for p in both]
    world.clock.advance(seconds=59)
    world.work()
    assert (len(hook.got), [world.delivery(p)["attempts"] for p in both]) == (tried, spent)
    world.clock.advance(seconds=2)
    world.work()
    assert len(hook.got) == tried + 1, "one probe"
    assert shut(world)[0][0] == "open"
    hook.code = 200
    world.clock.advance(minutes=3)
    world.work()
    world.clock.advance(hours=1)
    world.work()
    assert [world.delivery(p)["state"] for p in both] == ["delivered", "delivered"]
    assert shut(world) == []
    with world.hub.store.reading() as unit:
        port = f"http://127.0.0.1:{hook.port}"
        acts = [r["action"] for r in unit.journal.audit_of(f"endpoint/{port}")]
    assert acts == ["endpoint-open", "endpoint-open", "endpoint-close"]


def test_an_operator_sends_there_again_with_a_reason(world: World, hook: Hook) -> None:
    failing(world, hook, PSYK, SOCIAL, failures=2)
    ((state, *_),) = shut(world)
    assert state == "open"
    parties = {p["party"]: p for p in world.get("/operations/parties", OPERATOR).json()}
    endpoint = parties[PSYK]["endpoint"]
    assert (parties[PSYK]["endpoint_state"], parties[RUS]["endpoint_state"]) == ("open", "closed")
    assert 'ki_hub_endpoints{state="open"} 1.0' in world.get("/metrics", OPERATOR).text
    hook.code = 200
    said = {"endpoint": endpoint, "reason": "Genstartet kl. 10"}
    reset = world.request("POST", "/operations/endpoints/reset", OPERATOR, json=said)
    assert reset.json() == {"endpoint": endpoint, "state": "closed"}
    world.clock.advance(seconds=5)
    world.work()
    assert [world.delivery(p)["state"] for p in (PSYK, SOCIAL)] == ["delivered", "delivered"]
    with world.hub.store.reading() as unit:
        row = unit.journal.audit_of(f"endpoint/{endpoint}")[-1]
    assert (row["action"], row["reason"]) == ("endpoint-close", "Genstartet kl. 10")
    problem(world.request("POST", "/operations/endpoints/reset", OPERATOR, json=said), 404)


def test_a_refusal_is_an_answer(world: World, hook: Hook) -> None:
    failing(world, hook, PSYK, SOCIAL, failures=3)
    hook.code = 400
    world.clock.advance(minutes=1)
    world.work()
    assert shut(world) == []
    assert {world.delivery(p)["state"] for p in (PSYK, SOCIAL)} == {"dead"}


@dataclass(frozen=True)
class Away:
    """The hub's own broker, or its database, away."""

    error: type[HubError]

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        raise self.error


@pytest.mark.parametrize("error", [BusUnavailable, StoreUnavailable])
def test_what_is_the_hubs_own_is_not_the_endpoints_failure(
    world: World, error: type[HubError]
) -> None:
    world.hub = replace(world.hub, transports={**world.hub.transports, "mailbox": Away(error)})
    world.consent()
    world.publish_plan()
    for _ in range(world.hub.breaker.failures + 1):
        world.work()
        world.clock.advance(hours=1)
    assert shut(world) == []
    row = world.delivery(KOORD_OWN)
    assert (row["state"], row["attempts"]) == ("retry_at", 1), "and spends nothing"


def test_a_probe_that_is_not_sent_after_all_makes_room_at_once(world: World, hook: Hook) -> None:
    failing(world, hook, PSYK, SOCIAL, failures=2)
    world.clock.advance(minutes=2)
    senders = Senders(world.hub)
    (job,) = senders._claim("token")
    assert job.probe
    with world.hub.store.reading() as unit:
        (half,) = unit.breakers.listing()
    assert (half.state, half.probe) == (Circuit.HALF_OPEN, job.one.id)
    senders._stopping.set()
    assert senders._prepared(job) is None
    with world.hub.store.reading() as unit:
        (back,) = unit.breakers.listing()
    assert (back.state, back.lets(world.clock())) == (Circuit.OPEN, True)


def test_a_hook_is_an_endpoint_too_and_goes_by_its_party_s_policy(world: World, hook: Hook) -> None:
    hook.code = 503
    world.hub = replace(world.hub, breaker=BreakerPolicy(2, timedelta(minutes=1)))
    with world.hub.store.writing() as unit:
        known = unit.parties.get(PSYK)
        assert known is not None
        patient = RetryWish(attempts=3, first=timedelta(seconds=1), jitter=0.0)
        unit.parties.save(replace(known, retry=patient), world.clock())
        unit.commit()
    assert create(world, PSYK, subscription(hook.url)).status_code == 201
    for _ in range(4):
        world.work()
        world.clock.advance(seconds=2)
    assert (len(hook.got), shut(world)) == (2, [("open", 2, [PSYK])])
    world.clock.advance(minutes=1)
    world.work()
    assert len(hook.got) == 3
    (told,) = world.get("/operations/subscriptions", OPERATOR).json()
    assert (told["status"], told["error"]) == (
        "error", "The endpoint answered 503 (every attempt is spent)"
    )  # fmt: skip


@dataclass(frozen=True)
class Mixed:
    """The parties' queues: one is full, one is refused for good, the others keep what comes."""

    real: Transport
    batches: list[int]

    def send(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        raise AssertionError("together, and not one by one")

    def send_many(self, batch: Sequence[tuple[Outgoing, Endpoint]]) -> list[Confirm]:
        self.batches.append(len(batch))
        return [self._said(m, e) for m, e in batch]

    def _said(self, message: Outgoing, endpoint: Endpoint) -> Confirm:
        if RUS in endpoint.address:
            return Confirm(False, "refused by the broker: the queue is full or not ready")
        if PSYK in endpoint.address:
            return Confirm(False, "unroutable", permanent=True)
        return self.real.send(message, endpoint)


def test_of_what_is_published_together_each_has_its_own_answer(world: World) -> None:
    mixed = Mixed(world.hub.transports["amqp"], [])
    world.hub = replace(
        world.hub,
        transports={**world.hub.transports, "amqp": mixed},
        breaker=BreakerPolicy(failures=1),
    )
    for party in (RUS, PSYK, SOCIAL):
        reached_at(world, party, deliveries_queue(party), "amqp")
    world.consent()
    world.publish_plan()
    world.work()
    assert max(mixed.batches) >= 3
    states = world.states()
    assert (states[RUS], states[PSYK], states[SOCIAL]) == ("retry_at", "dead", "delivered")
    assert shut(world) == [("open", 1, [RUS])], "its own queue, and nobody else's"


# The retry policy of a subscription


def test_each_is_tried_again_as_its_party_and_subscription_say(world: World, hook: Hook) -> None:
    world.hub = replace(world.hub, breaker=BreakerPolicy(failures=0))
    hook.code = 503
    reached_at(world, PSYK, hook.url, retry=RetryWish(attempts=2, first=timedelta(hours=2)))
    reached_at(world, SOCIAL, hook.url, retry=RetryWish(within=timedelta(hours=3)))
    world.consent()
    world.publish_plan()
    world.work()
    start = world.clock()
    assert of(world, PSYK)[0].retry_at == start + timedelta(hours=2)
    assert of(world, SOCIAL)[0].retry_at == start + world.hub.retry.first
    world.clock.advance(hours=2)
    world.work()
    assert of(world, PSYK)[0].state.value == "dead"
    assert "every attempt is spent" in of(world, PSYK)[0].reason
    assert of(world, SOCIAL)[0].state.value == "retry_at"
    world.clock.advance(hours=1)
    world.work()
    assert of(world, SOCIAL)[0].state.value == "dead"
    assert "the time for it is over" in of(world, SOCIAL)[0].reason
    assert of(world, SOCIAL)[0].attempts < world.hub.retry.attempts

"""Receivers that hang or are dead: nobody else waits for them, and nothing of theirs is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hub.errors import BusUnavailable, HubError, StoreUnavailable
from hub.model.breaker import BreakerPolicy, Circuit
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.model.retry import RetryWish
from hub.runtime.bootstrap import utc_now
from hub.runtime.loops import work
from hub.sending import Confirm, Endpoint, Outgoing
from hub.services.queries import deliveries
from hub.services.senders import Senders, deliver_due
from hub.store.tables import DELIVERY
from tests.api.world import (
    KOORD_OWN,
    OPERATOR,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    problem,
)
from tests.servers.hook import Hook


def reached_at(world: World, party: str, url: str, **changes: object) -> None:
    """Its copies are posted there, each version, and it gives no receipts."""
    with world.hub.store.writing() as unit:
        known = unit.parties.get(party)
        assert known is not None
        first = replace(
            known.subscriptions[0], format="fhir", receipt=False, versions="every-version"
        )
        endpoint = Endpoint("https", url)
        wanted = replace(known, endpoint=endpoint, subscriptions=(first,), **changes)  # type: ignore[arg-type]
        unit.parties.save(wanted, world.clock())
        unit.commit()


def arrived(hook: Hook, count: int) -> None:
    """Wait until that many have come; a bound, not a measure."""
    with hook.arrived:
        assert hook.arrived.wait_for(lambda: len(hook.got) >= count, 60), len(hook.got)


def until(holds: Callable[[], bool]) -> None:
    """Wait for a state; a bound, not a measure."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def of(world: World, receiver: str) -> list[Delivery]:
    """Oldest first."""
    found = deliveries(world.hub, SYSTEM, receiver=receiver)
    return sorted((d for d in found if not d.about), key=lambda d: d.version)


@contextmanager
def working(world: World) -> Iterator[None]:
    """The worker's own loop, as a process runs it."""
    stop = threading.Event()
    loop = threading.Thread(target=work, args=(world.hub, stop, 0.02))
    loop.start()
    try:
        yield
    finally:
        stop.set()
        world.hub.wake.set()
        loop.join(60)
        assert not loop.is_alive()


@pytest.fixture
def hooks() -> Iterator[list[Hook]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Hook()) for _ in range(4)]


def test_a_receiver_gets_its_copies_while_more_than_there_are_senders_hang(
    world: World, hooks: list[Hook]
) -> None:
    limits = replace(world.hub.limits, senders=2)
    world.hub = replace(world.hub, limits=limits, wake=threading.Event())
    *hanging, quick = hooks
    for party, hook in zip((RUS, PSYK, SOCIAL, KOORD_OWN), hooks, strict=True):
        reached_at(world, party, hook.url)
    with ExitStack() as held:
        for hook in hanging:
            held.enter_context(hook.held())
        world.consent()
        world.publish_plan()
        with working(world):
            for hook in hanging:
                arrived(hook, 1)
            arrived(quick, 1)
            for version, title in enumerate(("To", "Tre"), 2):
                world.post("/documents/fhir", RUS, changed_plan(title=title))
                arrived(quick, version)
            assert [len(h.got) for h in hanging] == [1, 1, 1], "none has been answered yet"
            until(lambda: [d.state.value for d in of(world, KOORD_OWN)] == ["delivered"] * 3)
            assert {d.state.value for p in (RUS, PSYK, SOCIAL) for d in of(world, p)[:1]} == {
                "sending"
            }
            for hook in hanging:
                hook.free.set()
            until(lambda: all(d.state.value == "delivered" for d in of(world, PSYK)))
    for party in (RUS, PSYK, SOCIAL):
        assert [d.attempts for d in of(world, party)] == [1] * len(of(world, party))


def test_no_more_than_a_few_are_on_their_way_to_one_endpoint(
    world: World, hooks: list[Hook]
) -> None:
    for party in (RUS, PSYK, SOCIAL, KOORD_OWN):
        reached_at(world, party, f"{hooks[0].url}/{party}")
    senders = Senders(world.hub)
    world.consent()
    world.publish_plan()
    assert deliver_due(world.hub) == 1, "the citizen's"
    with hooks[0].held():
        assert senders.begin() == world.hub.limits.endpoint_senders == 2
        assert senders.begin() == 0
        arrived(hooks[0], 2)
    senders.wait()
    assert senders.begin() == 2
    senders.wait()
    assert len(hooks[0].got) == 4


def test_a_lease_is_renewed_while_its_receiver_hangs_and_lapses_with_its_worker(
    world: World, hooks: list[Hook]
) -> None:
    limits = replace(world.hub.limits, send_lease=timedelta(milliseconds=300))
    world.hub = replace(world.hub, limits=limits, clock=utc_now)
    reached_at(world, RUS, hooks[0].url)
    world.consent()
    world.publish_plan()
    deliver_due(world.hub)
    first, second = Senders(world.hub), Senders(world.hub)
    with hooks[0].held():
        first.begin()
        arrived(hooks[0], 1)
        began = lease(world)
        # Renewed more often than it lasts: nobody else takes what is in its hands.
        until(lambda: second.begin() >= 0 and lease(world) > began + 2 * limits.send_lease)
        assert of(world, RUS)[0].id not in second._held
        # It stops without waiting, as in a crash: the next worker sends the same bytes again.
        first.close(0)
        until(lambda: second.begin() >= 0 and len(hooks[0].got) == 2)
    second.wait()
    assert len({(g.headers["ki-delivery"], g.body) for g in hooks[0].got}) == 1
    until(lambda: of(world, RUS)[0].state.value == "delivered")


def test_what_is_in_hand_for_too_long_is_not_kept_from_the_next_worker(
    world: World, hooks: list[Hook]
) -> None:
    short = replace(
        world.hub.limits, send_lease=timedelta(milliseconds=300), longest_send=timedelta()
    )
    world.hub = replace(world.hub, limits=short, clock=utc_now)
    reached_at(world, RUS, hooks[0].url)
    world.consent()
    world.publish_plan()
    deliver_due(world.hub)
    first, second = Senders(world.hub), Senders(world.hub)
    with hooks[0].held():
        first.begin()
        until(lambda: second.begin() >= 0 and len(hooks[0].got) == 2)
    first.wait()
    second.wait()
    assert len({(g.headers["ki-delivery"], g.body) for g in hooks[0].got}) == 1


def lease(world: World) -> datetime:
    """Until when the lead's delivery is a worker's."""
    (one,) = of(world, RUS)
    with world.hub.store.database.reading() as connection:
        found = select(DELIVERY.c.lease_until).where(DELIVERY.c.id == one.id)
        until: datetime = connection.execute(found).scalar_one()
    return until


def test_a_worker_that_stops_gives_back_what_is_not_begun(world: World) -> None:
    world.consent()
    world.publish_plan()
    deliver_due(world.hub)
    senders = Senders(world.hub)
    senders._stopping.set()
    jobs = senders._claim("token")
    assert jobs
    assert deliver_due(world.hub) == 0
    assert [senders._prepared(j) for j in jobs] == [None] * len(jobs)
    assert deliver_due(world.hub) == len(jobs), "at once, and not after a lease"
    assert senders.begin() == 0


# The circuit breaker


def failing(world: World, hook: Hook, *parties: str, failures: int = 3) -> None:
    """Those parties are behind one endpoint that answers 503."""
    pause = BreakerPolicy(failures, timedelta(minutes=1), timedelta(minutes=5))
    world.hub = replace(world.hub, breaker=pause)
    hook.code = 503
    for party in parties:
        reached_at(world, party, f"{hook.url}/{party}")
    world.consent()
    world.publish_plan()
    world.work()


def shut(world: World) -> list[tuple[str, int, list[str]]]:
    answer = world.get("/operations/endpoints", OPERATOR)
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    return [(r["state"], r["failures"], r["parties"]) for r in rows]


def until_open(world: World) -> None:
    for _ in range(3):
        if shut(world)[0][0] == "open":
            return
        world.clock.advance(seconds=20)
        world.work()
    assert shut(world)[0][0] == "open"


def test_an_endpoint_that_fails_is_left_alone_for_all_behind_it_and_probed_by_one(
    world: World, hooks: list[Hook]
) -> None:
    both = sorted((PSYK, SOCIAL))
    failing(world, hooks[0], *both)
    assert shut(world) == [("closed", 2, both)]
    until_open(world)
    assert world.delivery(KOORD_OWN)["state"] == "sent", "the others have theirs"
    tried = len(hooks[0].got)
    spent = [world.delivery(p)["attempts"] for p in both]
    world.clock.advance(seconds=59)
    world.work()
    assert (len(hooks[0].got), [world.delivery(p)["attempts"] for p in both]) == (tried, spent)
    world.clock.advance(seconds=2)
    world.work()
    assert len(hooks[0].got) == tried + 1, "one probe"
    assert shut(world)[0][0] == "open"
    hooks[0].code = 200
    world.clock.advance(minutes=3)
    world.work()
    world.clock.advance(hours=1)
    world.work()
    assert [world.delivery(p)["state"] for p in both] == ["delivered", "delivered"]
    assert shut(world) == []
    with world.hub.store.reading() as unit:
        port = f"http://127.0.0.1:{hooks[0].port}"
        acts = [r["action"] for r in unit.journal.audit_of(f"endpoint/{port}")]
    assert acts == ["endpoint-open", "endpoint-open", "endpoint-close"]


def test_an_operator_sends_there_again_with_a_reason(world: World, hooks: list[Hook]) -> None:
    failing(world, hooks[0], PSYK, SOCIAL, failures=2)
    ((state, *_),) = shut(world)
    assert state == "open"
    parties = {p["party"]: p for p in world.get("/operations/parties", OPERATOR).json()}
    endpoint = parties[PSYK]["endpoint"]
    assert (parties[PSYK]["endpoint_state"], parties[RUS]["endpoint_state"]) == ("open", "closed")
    assert 'ki_hub_endpoints{state="open"} 1.0' in world.get("/metrics", OPERATOR).text
    hooks[0].code = 200
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


def test_a_refusal_is_an_answer(world: World, hooks: list[Hook]) -> None:
    failing(world, hooks[0], PSYK, SOCIAL, failures=3)
    hooks[0].code = 400
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
    for _ in range(8):
        world.work()
        world.clock.advance(hours=1)
    assert shut(world) == []
    assert world.delivery(KOORD_OWN)["state"] == "retry_at", "and spends nothing"


def test_a_probe_that_is_not_sent_after_all_makes_room_at_once(
    world: World, hooks: list[Hook]
) -> None:
    failing(world, hooks[0], PSYK, SOCIAL, failures=2)
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


# The retry policy of a subscription


def test_each_is_tried_again_as_its_party_and_subscription_say(
    world: World, hooks: list[Hook]
) -> None:
    world.hub = replace(world.hub, breaker=BreakerPolicy(failures=0))
    hooks[0].code = 503
    reached_at(world, PSYK, hooks[0].url, retry=RetryWish(attempts=2, first=timedelta(hours=2)))
    reached_at(world, SOCIAL, hooks[0].url, retry=RetryWish(within=timedelta(hours=3)))
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

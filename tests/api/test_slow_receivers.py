"""Receivers that hang or are dead: nobody else waits for them, and nothing of theirs is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hub.runtime.bootstrap import utc_now
from hub.runtime.loops import work
from hub.services.senders import Senders, deliver_due
from hub.store.tables import DELIVERY
from tests.api.failing import of, reached_at
from tests.api.world import KOORD_OWN, PSYK, RUS, SOCIAL, World, changed_plan
from tests.servers.hook import Hook


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

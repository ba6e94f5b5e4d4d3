"""What the transport said of a batch is written in one transaction; who breaks it is alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.runtime.bootstrap import close
from hub.sending import Confirm
from hub.services.again import once_more
from hub.services.deliver import prepare
from hub.services.parcels import Parcel, hand_over
from hub.services.settling import settle_together
from hub.store.tables import DELIVERY
from hub.store.work import UnitOfWork
from tests.api.conftest import OnServer
from tests.api.in_hand import claimed
from tests.api.world import World
from tests.bench.counting import counting

Said = list[tuple[Parcel, Confirm]]


@pytest.fixture
def on_server(plan_on_server: OnServer, tmp_path: Path) -> Iterator[World]:
    found = plan_on_server.opened(tmp_path / "data")
    yield found
    close(found.hub)


def handed(world: World) -> Said:
    """Everything that was sent, handed over once more and not settled."""
    with world.hub.store.writing() as work:
        sent = work.deliveries.listing(SYSTEM, state=State.SENT.value)
        for row in sent:
            once_more(work, row, "Asked for again", "test", world.clock())
        work.commit()
    made = [prepare(world.hub, i, "a-worker") for i in claimed(world, "a-worker")]
    parcels = [p for p in made if p is not None and p.after is not None]
    assert len(parcels) == len(sent) > 1
    return [(p, hand_over(world.hub, [p])[0]) for p in parcels]


def states(world: World, said: Said) -> set[State]:
    with world.hub.store.reading() as work:
        rows = [work.deliveries.get(p.message.key, SYSTEM) for p, _ in said]
    return {r.state for r in rows if r is not None}


def test_a_batch_is_one_transaction(planned: World) -> None:
    said = handed(planned)
    with counting(planned.hub.store.database.engine) as counted:
        assert settle_together(planned.hub, said) == []
    assert counted.commits == 1
    assert states(planned, said) == {State.SENT}


def test_one_that_breaks_stops_no_other(planned: World) -> None:
    def breaks(_work: UnitOfWork, _delivery: Delivery, _confirm: Confirm) -> None:
        raise RuntimeError

    (first, confirm), *others = handed(planned)
    said = [*others, (replace(first, after=breaks), confirm)]
    left = settle_together(planned.hub, said)
    assert left == said
    assert states(planned, said) == {State.SENDING}, "nothing of the batch is half done"
    for parcel, confirmed in others:
        parcel.settle(confirmed)
    assert states(planned, others) == {State.SENT}


def test_what_is_settled_already_is_left_as_it_is(planned: World) -> None:
    said = handed(planned)
    settle_together(planned.hub, said)
    with planned.hub.store.reading() as work:
        before = [work.deliveries.history(p.message.key) for p, _ in said]
    refused = [(p, Confirm(False, "It was never there", permanent=True)) for p, _ in said]
    assert settle_together(planned.hub, refused) == []
    with planned.hub.store.reading() as work:
        assert [work.deliveries.history(p.message.key) for p, _ in said] == before


def test_it_waits_for_none_that_another_holds(on_server: World) -> None:
    said = handed(on_server)
    held = said[0]
    with on_server.hub.store.database.writing() as other:
        row = select(DELIVERY.c.id).where(DELIVERY.c.id == held[0].message.key)
        other.execute(row.with_for_update())
        assert settle_together(on_server.hub, said) == [held]
    assert states(on_server, said[1:]) == {State.SENT}
    held[0].settle(held[1])
    assert states(on_server, said) == {State.SENT}

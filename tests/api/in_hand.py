"""One step of a worker's, by itself: what the claims of a process that is stopped halfway are."""

from __future__ import annotations

from datetime import timedelta

from hub.services.deliver import prepare
from hub.services.parcels import hand_over
from tests.api.world import World

MANY = 50


def claimed(world: World, token: str) -> list[str]:
    """Take in hand what can be taken now; their ids."""
    lease: timedelta = world.hub.limits.send_lease
    with world.hub.store.writing() as work:
        taken = [c.id for c in work.deliveries.claimable(world.clock(), MANY)]
        work.deliveries.take(taken, world.clock() + lease, token)
        work.commit()
    return taken


def sent(world: World, delivery_id: str, token: str) -> None:
    """Go on with one that is in hand; nothing where it is not to be sent now."""
    parcel = prepare(world.hub, delivery_id, token)
    if parcel is not None:
        (confirm,) = hand_over(world.hub, [parcel])
        parcel.settle(confirm)

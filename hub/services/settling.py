"""What a transport said of what it got, written down: one by one, or a batch in one transaction.

A batch that cannot be written together is written one by one, which changes nothing a second time:
a delivery that is not in ``sending`` any more is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog

from hub.model.breaker import endpoint_of
from hub.model.delivery import State
from hub.sending import Confirm, Endpoint, Outgoing
from hub.services.breakers import heard
from hub.services.hub import Hub
from hub.services.parcels import After, Parcel

LOG = structlog.get_logger()
Settled = tuple[Parcel, Confirm]


def parcel(hub: Hub, message: Outgoing, endpoint: Endpoint, after: After) -> Parcel:
    """A frozen delivery that can be settled together with others."""
    return Parcel(message, endpoint, partial(_alone, hub, message.key, endpoint, after), after)


def _alone(hub: Hub, delivery_id: str, endpoint: Endpoint, after: After, confirm: Confirm) -> None:
    with hub.store.writing() as work:
        current = work.deliveries.lock(delivery_id)
        assert current is not None
        if current.state is State.SENDING:
            after(work, current, confirm)
        heard(hub, work, endpoint, delivery_id, confirm)
        work.commit()
    hub.wake.set()


def settle_together(hub: Hub, said: Sequence[Settled]) -> list[Settled]:
    """Settle what can be in one transaction; returns what must be settled by itself.

    It waits for no delivery while it holds others, so that no two transactions wait for each other.
    """
    try:
        return _together(hub, said)
    except Exception as e:
        # Whichever of them it was, that one alone shall feel it.
        LOG.warning("settled.one.by.one", deliveries=len(said), error=type(e).__name__)
        return [*said]


def _together(hub: Hub, said: Sequence[Settled]) -> list[Settled]:
    able = {p.message.key for p, _ in said if p.after is not None}
    with hub.store.writing() as work:
        mine = {d.id: d for d in work.deliveries.lock_free(able)}
        work.parties.know(d.receiver for d in mine.values())
        together = [(p, c) for p, c in said if p.message.key in mine]
        for parcel_, confirm in together:
            current = mine[parcel_.message.key]
            if parcel_.after is not None and current.state is State.SENDING:
                parcel_.after(work, current, confirm)
        # Endpoints come last, and in one order, as everywhere.
        for parcel_, confirm in sorted(together, key=lambda one: _name(one[0].endpoint)):
            heard(hub, work, parcel_.endpoint, parcel_.message.key, confirm)
        work.commit()
    hub.wake.set()
    return [(p, c) for p, c in said if p.message.key not in mine]


def _name(endpoint: Endpoint) -> str:
    return endpoint_of(endpoint.transport, endpoint.address) or ""

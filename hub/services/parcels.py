"""What lies between a delivery's freezing and its settling: bytes that a transport gets, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from hub.model.records import Delivery
from hub.sending import Batching, Confirm, Endpoint, Outgoing, Transport
from hub.services.attempts import asked, transport_of
from hub.services.hub import Hub
from hub.store.work import UnitOfWork

After = Callable[[UnitOfWork, Delivery, Confirm], None]
"""Writes what a transport said of a delivery that is locked and still in ``sending``; waits for no
lock of anything that other deliveries may hold."""


@dataclass(frozen=True)
class Parcel:
    """A delivery in ``sending``, committed."""

    message: Outgoing
    endpoint: Endpoint
    settle: Callable[[Confirm], None]
    """Writes what the transport said, in a transaction of its own."""
    after: After | None = None
    """The same within a transaction in which others are settled too; None where that cannot be."""


def hand_over(hub: Hub, parcels: Sequence[Parcel]) -> list[Confirm]:
    """Give them to their transport, all of one; what it said of each, in order."""
    transport = transport_of(hub, parcels[0].endpoint.transport)
    keys = [p.message.key for p in parcels]
    if isinstance(transport, Batching):
        batch = [(p.message, p.endpoint) for p in parcels]
        return asked(lambda: transport.send_many(batch), keys)
    return [asked(partial(_sent, transport, p), [p.message.key])[0] for p in parcels]


def _sent(transport: Transport, parcel: Parcel) -> list[Confirm]:
    return [transport.send(parcel.message, parcel.endpoint)]

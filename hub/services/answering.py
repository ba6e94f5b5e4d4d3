"""Acknowledgements on their way out: sent as they were frozen, and never waited for."""

from __future__ import annotations

from functools import partial
from typing import Any

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.sending import Confirm, Endpoint
from hub.services.attempts import ACTOR, fail, outgoing, retry_after
from hub.services.breakers import heard
from hub.services.hub import Hub
from hub.services.parcels import Parcel
from hub.services.resend import renewed


def prepare_answer(hub: Hub, delivery: Delivery, token: str) -> Parcel | None:
    """One acknowledgement that was claimed, in ``sending``; what it answers was decided when it
    was made."""
    body = renewed(hub, delivery) if delivery.state is State.RETRY_AT else None
    now = hub.clock()
    with hub.store.writing() as work:
        current = work.deliveries.lock(delivery.id)
        registered = work.parties.get(delivery.receiver)
        assert current is not None
        assert registered is not None
        mine = work.deliveries.holds_claim(delivery.id, token) and not registered.paused
        if not mine or current.state not in {State.SENDING, State.RETRY_AT}:
            return None
        if current.state is State.RETRY_AT:
            fresh: dict[str, Any] = {} if body is None else {"body": body}
            work.deliveries.move(current, State.SENDING, "Sent again", ACTOR, now,
                                 attempts=current.attempts + 1, **fresh)  # fmt: skip
        work.deliveries.lease(delivery.id, now + hub.limits.send_lease, token)
        work.commit()
    with hub.store.reading() as work:
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
    assert frozen is not None
    endpoint = registered.endpoint
    return Parcel(outgoing(frozen), endpoint, partial(_settle, hub, delivery.id, endpoint))


def _settle(hub: Hub, delivery_id: str, endpoint: Endpoint, confirm: Confirm) -> None:
    with hub.store.writing() as work:
        sent = work.deliveries.lock(delivery_id)
        if sent is not None and sent.state is State.SENDING:
            if confirm.accepted:
                reason = "Handed over; an acknowledgement is not acknowledged"
                work.deliveries.move(sent, State.DELIVERED, reason, ACTOR, hub.clock())
            elif confirm.permanent:
                fail(hub, work, sent, confirm.reason)
            else:
                retry_after(hub, work, sent, confirm)
        heard(hub, work, endpoint, delivery_id, confirm)
        work.commit()

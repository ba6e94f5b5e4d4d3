"""Acknowledgements on their way out: sent as they were frozen, and never waited for."""

from __future__ import annotations

from functools import partial
from typing import Any

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.sending import Confirm
from hub.services.attempts import ACTOR, fail, outgoing, retry_after
from hub.services.hub import Hub
from hub.services.parcels import Parcel
from hub.services.resend import renewed
from hub.services.settling import parcel
from hub.store.work import UnitOfWork


def prepare_answer(hub: Hub, delivery: Delivery, token: str) -> Parcel | None:
    """One acknowledgement that was claimed, in ``sending``; what it answers was decided when it
    was made."""
    body = renewed(hub, delivery) if delivery.state is State.RETRY_AT else None
    now = hub.clock()
    with hub.store.writing() as work:
        current = work.deliveries.lock(delivery.id, token)
        registered = work.parties.get(delivery.receiver)
        assert registered is not None
        if current is None or registered.paused:
            return None
        if current.state not in {State.SENDING, State.RETRY_AT}:
            return None
        if current.state is State.RETRY_AT:
            fresh: dict[str, Any] = {} if body is None else {"body": body}
            work.deliveries.move(current, State.SENDING, "Sent again", ACTOR, now,
                                 attempts=current.attempts + 1, **fresh)  # fmt: skip
        work.deliveries.lease(delivery.id, now + hub.limits.send_lease, token)
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
        assert frozen is not None
        work.commit()
    return parcel(hub, outgoing(frozen), registered.endpoint, partial(_after_send, hub))


def _after_send(hub: Hub, work: UnitOfWork, sent: Delivery, confirm: Confirm) -> None:
    if confirm.accepted:
        reason = "Handed over; an acknowledgement is not acknowledged"
        work.deliveries.move(sent, State.DELIVERED, reason, ACTOR, hub.clock())
    elif confirm.permanent:
        fail(hub, work, sent, confirm.reason)
    else:
        retry_after(hub, work, sent, confirm)

"""Acknowledgements on their way out: sent as they were frozen, and never waited for."""

from __future__ import annotations

from typing import Any

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.services.attempts import ACTOR, fail, hand_over, outgoing, retry_after
from hub.services.hub import Hub
from hub.services.resend import renewed


def send_answer(hub: Hub, delivery: Delivery, token: str) -> None:
    """Send one acknowledgement that was claimed; what it answers was decided when it was made."""
    body = renewed(hub, delivery) if delivery.state is State.RETRY_AT else None
    now = hub.clock()
    with hub.store.writing() as work:
        current = work.deliveries.lock(delivery.id)
        registered = work.parties.get(delivery.receiver)
        assert current is not None
        assert registered is not None
        mine = work.deliveries.holds_claim(delivery.id, token) and not registered.paused
        if not mine or current.state not in {State.SENDING, State.RETRY_AT}:
            return
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
    confirm = hand_over(hub, endpoint.transport, outgoing(frozen), endpoint)
    with hub.store.writing() as work:
        sent = work.deliveries.lock(delivery.id)
        if sent is not None and sent.state is State.SENDING:
            if confirm.accepted:
                reason = "Handed over; an acknowledgement is not acknowledged"
                work.deliveries.move(sent, State.DELIVERED, reason, ACTOR, hub.clock())
            elif confirm.permanent:
                fail(hub, work, sent, confirm.reason)
            else:
                retry_after(hub, work, sent, confirm)
        work.commit()

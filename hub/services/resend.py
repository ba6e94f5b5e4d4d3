"""What was sent and not acknowledged is sent again, a few times; then a person is asked.

In formats in which every message is acknowledged (:class:`hub.contract.Conversing`) by their own
timer. How often it was sent is counted in the delivery's history: an attempt that the next hop
did not take is no transmission.

In all others it is looked for after a while: as long as it may lie where it was put, its receiver
is away and gets it when it comes back. If it lies there no more and no receipt came, the queue was
deleted, the broker lost it, or its receiver took it and forgot: it is sent again, under its own id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hub.capabilities import Conversing, Patience
from hub.errors import BusUnavailable
from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery, Task
from hub.ports import deliveries_queue
from hub.services.attempts import ACTOR, fail, retry_or_fail, subscription_of
from hub.services.gate import hold, refused_now
from hub.services.hub import Hub, repeatable
from hub.services.route import reconcile
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
UNANSWERED: Final = "unanswered"
"""The kind of the task."""


def patience_with(hub: Hub, work: UnitOfWork, delivery: Delivery) -> Patience | None:
    """How long to wait for the receiver's answer; None where none is waited for."""
    registered = work.parties.get(delivery.receiver)
    subscription = subscription_of(registered, delivery)
    if subscription is None or not subscription.receipt or not delivery.plan_id:
        return None
    adapter = hub.adapters.adapter(delivery.format)
    if not isinstance(adapter, Conversing):
        return None
    mine = subscription.format == delivery.format
    return adapter.patience(subscription.options if mine else {})


def answer_by(hub: Hub, work: UnitOfWork, delivery: Delivery) -> datetime | None:
    """When the answer to what is sent now will be missed."""
    patience = patience_with(hub, work, delivery)
    return hub.clock() + (patience.wait if patience else hub.limits.receipt_wait)


def renewed(hub: Hub, delivery: Delivery) -> bytes | None:
    """The frozen message in a new envelope; None where the same bytes are sent again."""
    adapter = hub.adapters.adapter(delivery.format)
    if not isinstance(adapter, Conversing):
        return None
    with hub.store.reading() as work:
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
    if frozen is None or frozen.body is None:
        return None
    return adapter.again(frozen.body, now=hub.clock(), id_for=partial(repeatable, delivery.id))


def ask_again(hub: Hub) -> int:
    """Every delivery whose answer is missed is sent again, or is a person's; returns how many."""
    with hub.store.reading() as work:
        missed = work.deliveries.missed(hub.clock(), hub.limits.batch)
        places = _places(hub, work, missed)
    lying = {receiver: _lying(hub, place) for receiver, place in places.items()}
    for delivery_id in missed:
        with hub.store.writing() as work:
            found = work.deliveries.get(delivery_id, SYSTEM)
            assert found is not None
            hold(work, found)
            delivery = work.deliveries.lock(delivery_id)
            now = hub.clock()
            by = delivery.retry_at if delivery else None
            if delivery and delivery.state is State.SENT and by is not None and by <= now:
                _unanswered(hub, work, delivery, now, lying.get(delivery.receiver, 0))
            work.commit()
    return len(missed)


def _places(hub: Hub, work: UnitOfWork, deliveries: Iterable[str]) -> dict[str, str]:
    """Receiver to where its messages are put, of those that have no timer of their own."""
    found = {}
    for delivery_id in deliveries:
        delivery = work.deliveries.get(delivery_id, SYSTEM)
        registered = work.parties.get(delivery.receiver) if delivery else None
        if delivery and registered and patience_with(hub, work, delivery) is None:
            found[delivery.receiver] = registered.endpoint.address
    return found


def _lying(hub: Hub, place: str) -> int:
    """Messages there, whosever they are; while the broker is away, nobody says they are gone."""
    try:
        return hub.bus.ready(place)
    except BusUnavailable as e:
        LOG.warning("receipts.later", number=e.number)
        return 1


def _unanswered(hub: Hub, work: UnitOfWork, delivery: Delivery, now: datetime, lying: int) -> None:
    """``lying``: messages in the receiver's queue; one of them may be this one."""
    patience = patience_with(hub, work, delivery)
    if patience is None:
        _look(hub, work, delivery, now, lying)
        return
    if once_more(hub, work, delivery, patience, "No acknowledgement came in time", now):
        return
    reason = "No acknowledgement came, and it is sent no more; ask the receiver in another way"
    if not work.queues.holds(deliveries_queue(delivery.receiver), delivery.id):
        fail(hub, work, delivery, reason)
        return
    # It lies where the receiver fetches it, and will find it: nothing has failed but the answer.
    work.deliveries.restate(delivery, reason, ACTOR, now, retry_at=None)
    text = "A receiver has not acknowledged a plan that lies in its mailbox; ask it by telephone"
    task_id = repeatable("task", UNANSWERED, delivery.id)
    work.journal.open_task(
        Task(task_id, UNANSWERED, OPERATOR, text, delivery.plan_id, delivery.id, None, now)
    )


def _look(hub: Hub, work: UnitOfWork, delivery: Delivery, now: datetime, lying: int) -> None:
    """Its receiver is away, or it is gone and is sent again."""
    registered = work.parties.get(delivery.receiver)
    subscription = subscription_of(registered, delivery)
    if subscription is None or not subscription.receipt:
        reason = "This receiver's answer is not waited for any more"
        work.deliveries.restate(delivery, reason, ACTOR, now, retry_at=None)
    elif lying or work.queues.holds(deliveries_queue(delivery.receiver), delivery.id):
        work.deliveries.look_again(delivery.id, now + hub.limits.receipt_wait)
        if delivery.plan_id and refused_now(work, delivery, now):
            # It was put there after it was refused: shown to nobody, and before all that follows.
            reconcile(hub, work, delivery.plan_id, work.parties.directory(), actor=ACTOR)
    else:
        reason = "No receipt came, and it lies nowhere any more"
        LOG.warning("delivery.gone", delivery=delivery.id, receiver=delivery.receiver)
        retry_or_fail(hub, work, delivery, reason)


def once_more(
    hub: Hub, work: UnitOfWork, delivery: Delivery, patience: Patience, reason: str, at: datetime
) -> bool:
    """Schedule one more transmission at that time; False when there were enough."""
    steps = work.deliveries.history(delivery.id)
    if sum(s.state is State.SENT for s in steps) > patience.resends:
        return False
    work.deliveries.move(delivery, State.RETRY_AT, reason, ACTOR, hub.clock(), retry_at=at)
    LOG.info("delivery.again", delivery=delivery.id)
    return True

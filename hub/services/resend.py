"""What was sent and not acknowledged is sent again, a few times; then a person is asked.

Only for formats in which every message is acknowledged (:class:`hub.contract.Conversing`). How
often it was sent is counted in the delivery's history: an attempt that the next hop did not take
is no transmission.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hub.capabilities import Conversing, Patience
from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery, Task
from hub.ports import deliveries_queue
from hub.services.attempts import ACTOR, fail
from hub.services.hub import Hub, repeatable
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
UNANSWERED: Final = "unanswered"
"""The kind of the task."""


def patience_with(hub: Hub, work: UnitOfWork, delivery: Delivery) -> Patience | None:
    """How long to wait for the receiver's answer; None where none is waited for."""
    registered = work.parties.get(delivery.receiver)
    subscription = registered.subscription(delivery.format) if registered else None
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
    return hub.clock() + patience.wait if patience else None


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
    for delivery_id in missed:
        with hub.store.writing() as work:
            delivery = work.deliveries.lock(delivery_id)
            now = hub.clock()
            due = delivery is not None and delivery.retry_at is not None
            if delivery is not None and delivery.state is State.SENT and due:
                _unanswered(hub, work, delivery, now)
            work.commit()
    return len(missed)


def _unanswered(hub: Hub, work: UnitOfWork, delivery: Delivery, now: datetime) -> None:
    patience = patience_with(hub, work, delivery)
    if patience is None:
        reason = "This receiver's answer is not waited for any more"
        work.deliveries.restate(delivery, reason, ACTOR, now, retry_at=None)
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

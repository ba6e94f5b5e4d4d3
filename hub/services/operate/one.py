"""One act of an operator on one delivery: decided again, done and audited in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.model.delivery import State
from hub.model.operate import Act, Standing, objection
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.services.again import once_more
from hub.services.gate import hold
from hub.services.hub import Hub
from hub.services.operate.anew import made_anew, objection_to_anew
from hub.services.operate.standing import States, standing_of
from hub.store.work import UnitOfWork

AGAIN = "A person has it sent again"
LEFT_SO = "A person decided to leave it so"
NOT_SENT = "A person decided not to send it"
CANCELLED = "A person cancelled it"


@dataclass(frozen=True)
class Order:
    """What is to be done, by whom, and why."""

    act: Act
    actor: str
    reason: str
    action: str
    """The id of the action that it is part of."""


def objection_to(hub: Hub, work: UnitOfWork, act: Act, delivery: Delivery, states: States) -> str:
    """Why the act is not done now; empty if it is."""
    standing = standing_of(hub, work, delivery, states, act)
    said = objection(act, standing)
    if said or act != "send-anew":
        return said
    return objection_to_anew(work, standing, states)


def do(hub: Hub, work: UnitOfWork, delivery_id: str, order: Order) -> tuple[bool, str]:
    """Done or not, and what was made or why not; in the caller's transaction, to be committed."""
    now = hub.clock()
    found = work.deliveries.get(delivery_id, SYSTEM)
    assert found is not None
    hold(work, found)
    delivery = work.deliveries.lock(delivery_id)
    assert delivery is not None
    states = States(work, now)
    told = objection_to(hub, work, order.act, delivery, states)
    if told:
        _audit(work, delivery, order, now, outcome="refused", told=told)
        return False, told
    standing = standing_of(hub, work, delivery, states, order.act)
    made = _do(hub, work, standing, order, states)
    _audit(work, delivery, order, now, told=f"delivery/{made}" if made else "")
    hub.wake.set()
    return True, made


def _do(hub: Hub, work: UnitOfWork, standing: Standing, order: Order, states: States) -> str:
    if order.act == "send-anew":
        return made_anew(hub, work, standing, states, order.actor)
    if order.act == "resend":
        _resend(work, standing.delivery, order, hub.clock())
    else:
        _end(work, standing.delivery, order, hub.clock())
    return ""


def _resend(work: UnitOfWork, delivery: Delivery, order: Order, now: datetime) -> None:
    """The same message: the worker sends it, in a new envelope where its format asks for that."""
    if delivery.state is State.RETRY_AT:
        work.deliveries.restate(delivery, AGAIN, order.actor, now, retry_at=now)
    else:
        once_more(work, delivery, AGAIN, order.actor, now)
    work.journal.close_tasks(order.actor, now, delivery_id=delivery.id)


def _end(work: UnitOfWork, delivery: Delivery, order: Order, now: datetime) -> None:
    if order.act == "cancel":
        work.queues.settle(deliveries_queue(delivery.receiver), delivery.id, now)
        text = f"{CANCELLED}: {order.reason}"
        work.deliveries.move(delivery, State.CANCELLED, text, order.actor, now, ruling="stop")
    elif delivery.state is State.DEAD and delivery.attempts:
        # Some of it may have left: that it was not sent would not be so.
        work.deliveries.restate(delivery, f"{LEFT_SO}: {order.reason}", order.actor, now)
    else:
        text = f"{NOT_SENT}: {order.reason}"
        work.deliveries.move(
            delivery, State.NOT_SENT, text, order.actor, now, by_person=True, ruling="stop"
        )
    work.journal.close_tasks(order.actor, now, delivery_id=delivery.id)


def _audit(
    work: UnitOfWork, delivery: Delivery, order: Order, now: datetime, *,
    outcome: str = "success", told: str = "",
) -> None:  # fmt: skip
    detail = f"delivery/{delivery.id} action/{order.action}"
    work.journal.audit(
        now, order.actor, order.act, delivery.place, party=delivery.receiver, outcome=outcome,
        detail=f"{detail}: {told}" if told else detail, role="operator", reason=order.reason,
    )  # fmt: skip

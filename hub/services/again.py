"""Bytes that were frozen before: the same message under the same key, if it may still be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.services.attempts import ACTOR
from hub.services.gate import hold, refused_now, stopped
from hub.services.hub import Hub
from hub.services.route import reconcile
from hub.store.work import UnitOfWork


def begin_again(
    hub: Hub, delivery: Delivery, token: str, renewed_body: bytes | None
) -> Delivery | None:
    """Back to ``sending``, as it was frozen; None if it is not to be sent now.

    The same bytes, or (``renewed_body``) the same content in a new envelope where the format asks
    for that.

    The citizen may have said no since they were frozen. Then these bytes never leave (again); a
    receiver that is still covered gets new ones, reduced to what it may see now.
    """
    now = hub.clock()
    with hub.store.writing() as work:
        hold(work, delivery)
        current = work.deliveries.lock(delivery.id, token)
        if current is None or current.state not in {State.SENDING, State.RETRY_AT}:
            return None
        refused = refused_now(work, current, now)
        if refused:
            _never(hub, work, current, refused, now)
            work.commit()
            return None
        if stopped(work, current.receiver):
            work.deliveries.release(current.id)
            work.commit()
            return None
        if current.state is State.RETRY_AT:
            fresh: dict[str, Any] = {} if renewed_body is None else {"body": renewed_body}
            work.deliveries.move(current, State.SENDING, "Sent again", ACTOR, now,
                                 attempts=current.attempts + 1, **fresh)  # fmt: skip
        else:
            work.deliveries.restate(current, "Sent again after an interruption", ACTOR, now)
        work.deliveries.lease(delivery.id, now + hub.limits.send_lease, token)
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
        work.commit()
    return frozen


def once_more(work: UnitOfWork, delivery: Delivery, reason: str, actor: str, now: datetime) -> None:
    """What had ended is to be sent again as it is, because a person or its receiver asks for it;
    what was receipted in a mailbox is put there once more."""
    work.queues.reopen(deliveries_queue(delivery.receiver), delivery.id)
    work.deliveries.move(
        delivery, State.RETRY_AT, reason, actor, now,
        by_person=True, retry_at=now, outcome=None,
    )  # fmt: skip


def _never(hub: Hub, work: UnitOfWork, current: Delivery, refused: str, now: datetime) -> None:
    work.queues.settle(deliveries_queue(current.receiver), current.id, now)
    work.deliveries.move(current, State.CANCELLED, refused, ACTOR, now)
    audit_disclosure(work, current, now, "denied", reason=refused)
    if current.plan_id:
        reconcile(hub, work, current.plan_id, work.parties.directory(), actor=ACTOR)


def audit_disclosure(
    work: UnitOfWork, delivery: Delivery, now: datetime, outcome: str, *,
    basis: str = "", role: str | None = None, reason: str | None = None,
) -> None:  # fmt: skip
    """What is, or is not, let go to a receiver; in the transaction that decides it."""
    work.journal.audit(
        now, ACTOR, "disclose", delivery.place,
        party=delivery.receiver, basis=basis, outcome=outcome, detail=f"delivery/{delivery.id}",
        role=role, reason=reason,
    )  # fmt: skip

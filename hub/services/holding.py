"""A document loses what its receiver does not accept: it waits for a person, who lets it go.

The party says in its subscription which kinds of loss it does not accept of a format. What a
receiver may not see is no loss of the format and holds nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hub.contract import Loss
from hub.errors import Invalid, NotFound
from hub.model.delivery import State, unaccepted
from hub.model.party import SYSTEM, RegisteredParty
from hub.model.records import Delivery, Task
from hub.services.attempts import ACTOR, subscription_of
from hub.services.gate import answers_for, hold
from hub.services.hub import Hub, repeatable
from hub.services.move_on import move_on
from hub.store.work import UnitOfWork

REASON = "The document loses something that its receiver does not accept; a person lets it go"
TASK = "A document loses something that its receiver does not accept; let it go, or do not send it"
LET_GO = "A person let it go with its losses"
_NOT_YOURS = "No such delivery waits for you"


def held_back(
    hub: Hub,
    work: UnitOfWork,
    delivery: Delivery,
    registered: RegisteredParty | None,
    losses: Iterable[Loss],
) -> bool:
    """Move it to ``held``, with its losses and a task of the lead's (of a document that stands
    alone: its owner's), if it may not go like this."""
    subscription = subscription_of(registered, delivery)
    if subscription is None or not subscription.unacceptable:
        return False
    made = tuple(losses)
    known = work.losses.of(delivery_id=delivery.id) if _let_go(work, delivery) else ()
    accepted = {(row.path, row.kind) for row in known}
    work.losses.forget(delivery_id=delivery.id)
    if not unaccepted(made, subscription.unacceptable, accepted):
        return False
    now = hub.clock()
    asked = answers_for(work, delivery, now)
    assert asked is not None
    work.losses.add(made, delivery_id=delivery.id)
    work.deliveries.move(delivery, State.HELD, REASON, ACTOR, now)
    work.journal.open_task(
        Task(repeatable("task", "losses", delivery.id), "losses", asked, TASK,
             delivery.plan_id or None, delivery.id, None, now)
    )  # fmt: skip
    return True


def accept_losses(
    hub: Hub, delivery_id: str, *, actor: str, reason: str, lead: str | None = None
) -> Delivery:
    """A person lets it go with the losses it has; others would hold it again.

    ``lead`` is the unit that asks, which must be the plan's lead, or the owner of a document that
    stands alone; None is the operator. Raises NotFound, or Invalid when it is not held back for
    its losses.
    """
    if not reason.strip():
        raise Invalid("Say why it may go")
    with hub.store.writing() as work:
        found = work.deliveries.get(delivery_id, SYSTEM)
        if found is None or found.subscription:
            raise NotFound(_NOT_YOURS)
        hold(work, found)
        asked = answers_for(work, found, hub.clock())
        delivery = work.deliveries.lock(delivery_id)
        if delivery is None or asked is None or lead not in {None, asked}:
            raise NotFound(_NOT_YOURS)
        if _let_go(work, delivery) and delivery.state is not State.HELD:
            return delivery
        if delivery.state is not State.HELD:
            raise Invalid("It is not held back; nothing was changed")
        now = hub.clock()
        move_on(work, delivery, State.DUE, LET_GO, actor, now)
        work.journal.audit(
            now, actor, "accept-losses", delivery.place,
            party=delivery.receiver, basis=delivery.basis, 
            detail=f"delivery/{delivery.id}: {reason}",
        )  # fmt: skip
        work.commit()
    hub.wake.set()
    return replace(delivery, state=State.DUE)


def _let_go(work: UnitOfWork, delivery: Delivery) -> bool:
    """A person has let it go before: only an act leads from ``held`` to ``due``."""
    states = [event.state for event in work.deliveries.history(delivery.id)]
    return (State.HELD, State.DUE) in pairwise(states)

"""May these frozen bytes leave at this moment? For every kind of delivery there is."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery, Plan
from hub.model.routing import PlanFacts
from hub.model.withdrawal import NARROWED, NOTICE, WITHDRAWN
from hub.ports import deliveries_queue
from hub.services.documents import why_not_document
from hub.services.frozen import sections_open, why_not
from hub.services.state import plan_state
from hub.store.work import UnitOfWork

_BACK: Final = "The consent is back; the notice would say what is not so"
_ALL_GONE: Final = "The whole consent is gone since; that is told instead"


def is_notice(delivery: Delivery) -> bool:
    """It is a notice about the plan and not the plan."""
    return delivery.about.startswith(NOTICE)


def hold(work: UnitOfWork, delivery: Delivery) -> None:
    """Let nobody else decide on what it is of until the transaction ends; before its own row."""
    if delivery.document:
        work.documents.lock(delivery.document)
    elif delivery.plan_id:
        work.plans.lock(delivery.plan_id)


def answers_for(work: UnitOfWork, delivery: Delivery, now: datetime) -> str | None:
    """The unit whose people act on it: the plan's lead, or the document's owner."""
    if delivery.document:
        part = work.documents.get(delivery.document)
        return part.owner if part is not None else None
    plan = work.plans.get(delivery.plan_id, SYSTEM, now) if delivery.plan_id else None
    return plan.lead if plan is not None else None


def beside(work: UnitOfWork, delivery: Delivery) -> list[Delivery]:
    """All of the same plan, or document, for the same receiver, oldest first."""
    if delivery.document:
        return work.documents.sent(delivery.document, delivery.receiver)
    return work.deliveries.of_plan(delivery.plan_id, delivery.receiver)


def refused_now(work: UnitOfWork, delivery: Delivery, now: datetime) -> str:
    """Why it may not leave, or be fetched, now; empty if it may."""
    if delivery.document:
        return why_not_document(work, delivery, now)
    if not delivery.plan_id:
        # An acknowledgement: it tells of nothing but the party's own message.
        return ""
    plan = work.plans.get(delivery.plan_id, SYSTEM, now)
    assert plan is not None
    return refused_of(work, plan, plan_state(work, plan, work.parties.directory(), now).facts,
                      delivery)  # fmt: skip


def refused_of(work: UnitOfWork, plan: Plan, facts: PlanFacts, delivery: Delivery) -> str:
    """The same, where the plan's facts of now are at hand."""
    return (
        _overtaken(facts, delivery) if is_notice(delivery) else why_not(work, plan, facts, delivery)
    )


def take_back_notices(
    work: UnitOfWork, plan: Plan, facts: PlanFacts, actor: str, now: datetime
) -> None:
    """Take notices that are no longer so out of the hub's own mailboxes: one that was only hidden
    would be there again after the next withdrawal, behind newer messages."""
    for delivery in work.deliveries.notices_of(plan.id):
        refused = _overtaken(facts, delivery)
        if refused and delivery.state in {State.SENT, State.RETRY_AT}:
            queue = deliveries_queue(delivery.receiver)
            if delivery.state is State.RETRY_AT or work.queues.holds(queue, delivery.id):
                work.queues.settle(queue, delivery.id, now)
                work.deliveries.move(delivery, State.CANCELLED, refused, actor, now)


def _overtaken(facts: PlanFacts, delivery: Delivery) -> str:
    """A notice tells who had something; it needs no consent, but must be so when it leaves."""
    kind = delivery.about.removeprefix(NOTICE)
    member = next((m for m in facts.members if m.party.id == delivery.receiver), None)
    permitted = member is not None and bool(sections_open(facts, member))
    if kind == WITHDRAWN and permitted:
        return _BACK
    return _ALL_GONE if kind == NARROWED and not permitted else ""


def stopped(work: UnitOfWork, party: str) -> bool:
    """Nothing is sent to it now: the operator paused it, or its queue is being taken back."""
    registered = work.parties.get(party)
    paused = registered is not None and registered.paused
    return paused or work.withdrawals.is_recalled(party)

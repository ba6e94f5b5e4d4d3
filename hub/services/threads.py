"""May the next document to a receiver repeat what its thread has said? Decided by the hub.

An adapter that continues a thread repeats earlier text. That is allowed while the receiver has
acknowledged the last message, may still have every version that was told, and may still have
items about everything it was told of; and while nothing that was told is withheld from it now,
whoever changed the label. What a receiver is sent it is sent lawfully at that moment; a thread
that says more is left, and a new one begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.contract import Rendered
from hub.model.party import SYSTEM
from hub.model.records import Delivery, Thread
from hub.model.reduction import paths
from hub.model.routing import PlanFacts, refusal
from hub.services.frozen import open_now
from hub.services.state import PlanState
from hub.services.views import Reduced
from hub.store.work import UnitOfWork


@dataclass(frozen=True)
class Before:
    """The thread as it was when a document was begun."""

    thread: Thread | None
    may_repeat: bool


def before(
    work: UnitOfWork, state: PlanState, delivery: Delivery, reduced: Reduced | None
) -> Before:
    """The receiver's thread, and whether the document that is made now may repeat it."""
    thread = _thread(work, delivery)
    if thread is None or reduced is None or thread.shown & reduced.withheld:
        return Before(thread, may_repeat=False)
    return Before(thread, may_repeat=_holds(work, state.facts, delivery.receiver, thread))


def still(work: UnitOfWork, state: PlanState, delivery: Delivery, made_from: Before) -> bool:
    """Nothing was said in the thread since, and what may be repeated may be repeated still."""
    thread = _thread(work, delivery)
    if thread != made_from.thread:
        return False
    held = thread is not None and _holds(work, state.facts, delivery.receiver, thread)
    return held or not made_from.may_repeat


def remember(
    work: UnitOfWork, state: PlanState, delivery: Delivery, made_from: Before, rendered: Rendered,
    reduced: Reduced,
) -> None:  # fmt: skip
    """Keep what the thread has now said; in the transaction that freezes the document."""
    member = state.member(delivery.receiver)
    if rendered.thread is None or member is None:
        return
    earlier = made_from.thread if rendered.repeats else None
    told = Thread(
        state=rendered.thread,
        key=rendered.thread_key,
        delivery_id=delivery.id,
        versions=(*(earlier.versions if earlier else ()), delivery.version),
        sections=open_now(state.facts, member) | (earlier.sections if earlier else set()),
        shown=paths(reduced.view.resources) | (earlier.shown if earlier else set()),
    )
    work.conversations.save_thread(delivery.plan_id, delivery.receiver, delivery.format, told)


def _thread(work: UnitOfWork, delivery: Delivery) -> Thread | None:
    return work.conversations.thread(delivery.plan_id, delivery.receiver, delivery.format)


def _holds(work: UnitOfWork, facts: PlanFacts, receiver: str, thread: Thread) -> bool:
    last = work.deliveries.get(thread.delivery_id, SYSTEM) if thread.delivery_id else None
    member = next((m for m in facts.members if m.party.id == receiver), None)
    if last is None or last.outcome != "ok" or member is None:
        return False
    if not thread.sections <= open_now(facts, member):
        return False
    told = (v for v in facts.versions if v.number in thread.versions)
    return not any(refusal(facts, member, v) for v in told)

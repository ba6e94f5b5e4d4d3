"""What becomes of a document that was made before the citizen's word changed.

Frozen bytes are never made smaller. They may leave (be sent again, be fetched from a mailbox)
only while everything that was permitted when they were made is still permitted, and the receiver
may still have that version. Otherwise they are taken back where the hub still holds them, and
whoever is still covered gets new ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hub.fhir import names
from hub.model.consent import Consent
from hub.model.delivery import State
from hub.model.lawful import Shared, decide, may_take_part
from hub.model.party import CITIZEN
from hub.model.plan import Member
from hub.model.records import Delivery, Plan
from hub.model.routing import PlanFacts, purpose_for, refusal
from hub.ports import deliveries_queue
from hub.services.move_on import move_on
from hub.store.work import UnitOfWork


def why_not(work: UnitOfWork, plan: Plan, facts: PlanFacts, delivery: Delivery) -> str:
    """Why this delivery's bytes may not leave now; empty if they may.

    ``facts`` are those of ``plan``, now.
    """
    # What is made from now on is made without it, whatever its version.
    before = delivery.sequence is not None and delivery.consent_epoch != plan.consent_epoch
    in_error = before and delivery.version < work.withdrawals.retracted_below(plan.id)
    if in_error or delivery.receiver == CITIZEN:
        return IN_ERROR if in_error else ""
    member = _member(facts, delivery.receiver)
    if member is None:
        return "Takes no part now"
    version = next(v for v in facts.versions if v.number == delivery.version)
    refused = refusal(facts, member, version) or _repeats(work, facts, member, delivery)
    if refused:
        return refused
    made = _made_at(work, delivery)
    if made is None:
        return ""
    was = _was(delivery, facts, facts.consents, member, made)
    gone = was - open_now(facts, member)
    if delivery.consent_epoch != plan.consent_epoch or gone - {WHEREABOUTS}:
        return "The consent changed after it was made; these bytes are not sent again"
    return _PROTECTED if gone else ""


def _repeats(work: UnitOfWork, facts: PlanFacts, member: Member, delivery: Delivery) -> str:
    """A reply repeats earlier versions; it may leave only while each of them may be had."""
    thread = work.conversations.thread(delivery.plan_id, delivery.receiver, delivery.format)
    if thread is None or thread.delivery_id != delivery.id:
        return ""
    told = (v for v in facts.versions if v.number in thread.versions)
    if any(refusal(facts, member, v) for v in told):
        return "It repeats a version that may not be had any more; these bytes are not sent again"
    return ""


def carry(
    work: UnitOfWork,
    plan: Plan,
    facts: PlanFacts,
    rows: Iterable[Delivery],
    before: Iterable[Consent],
) -> None:
    """After a consent changed: what narrowed nothing for a receiver leaves its bytes good.

    ``before``: the citizen's consents as they were; ``plan``, ``facts`` and the plan's ``rows``
    are of now.
    """
    known = tuple(before)
    told = work.deliveries.frozen_notifications(plan.id)
    for delivery in (*rows, *told):
        member = _member(facts, delivery.receiver)
        made = _made_at(work, delivery)
        if member is None or made is None or delivery.consent_epoch != plan.consent_epoch - 1:
            continue
        if _was(delivery, facts, known, member, made) <= open_now(facts, member):
            work.deliveries.set_epoch(delivery.id, plan.consent_epoch)


_PROTECTED: Final = (
    "Where the citizen can be found is protected since; these bytes are not sent again"
)
IN_ERROR: Final = "It holds something that was published in error"
TAKEN_BACK: Final = "Taken back from the mailbox; it may not be had any more"


def take_back(
    work: UnitOfWork,
    plan: Plan,
    facts: PlanFacts,
    rows: Iterable[Delivery],
    actor: str,
    now: datetime,
) -> bool:
    """Take letters that may not be had any more out of the hub's own mailboxes, and send none of
    them again; says whether there were any among the plan's ``rows``.

    What lies on a broker is taken back by the worker (:mod:`hub.services.recall`); what is at the
    receiver's own endpoint has left.
    """
    taken = [row for row in rows if _taken_back(work, plan, facts, row, actor, now)]
    return bool(taken)


def _taken_back(
    work: UnitOfWork, plan: Plan, facts: PlanFacts, row: Delivery, actor: str, now: datetime
) -> bool:
    queue = deliveries_queue(row.receiver)
    here = row.receiver == CITIZEN or row.state is State.RETRY_AT
    if row.state is State.SENT and not here:
        here = work.queues.holds(queue, row.id)
    if row.state not in {State.SENT, State.RETRY_AT} or not here:
        return False
    refused = why_not(work, plan, facts, row)
    current = work.deliveries.lock(row.id) if refused else None
    if current is None or current.state is not row.state:
        # Its receiver answered at this moment.
        return False
    mailbox = row.state is State.SENT and row.receiver != CITIZEN
    work.queues.settle(queue, row.id, now)
    reason = TAKEN_BACK if mailbox else refused
    move_on(work, row, State.CANCELLED, reason, actor, now)
    return True


def _member(facts: PlanFacts, party: str) -> Member | None:
    return next((m for m in facts.members if m.party.id == party), None)


def _made_at(work: UnitOfWork, delivery: Delivery) -> datetime | None:
    """When the bytes were frozen; None if there are none yet."""
    if delivery.sequence is None:
        return None
    steps = work.deliveries.history(delivery.id)
    return next((s.at for s in steps if s.state is State.SENDING), None)


RELATIVES: Final = "relatives"
"""Beside the sections: the relatives' names and telephones."""
WHEREABOUTS: Final = "whereabouts"
"""Beside the sections: where the citizen can be found."""


def sections_open(facts: PlanFacts, member: Member) -> frozenset[str]:
    """What the unit may have an item about, now."""
    return _sections(facts.consents, member, facts.now)


def open_now(facts: PlanFacts, member: Member) -> frozenset[str]:
    """What the unit may be told now: sections, and whether of relatives and whereabouts."""
    return _open(facts, facts.consents, member, facts.now)


def open_to(facts: PlanFacts, receiver: str) -> list[str]:
    """The same, to be written down with what is frozen now; nothing for who is no member."""
    member = _member(facts, receiver)
    return sorted(open_now(facts, member)) if member is not None else []


def _was(
    delivery: Delivery,
    facts: PlanFacts,
    consents: Iterable[Consent],
    member: Member,
    made: datetime,
) -> frozenset[str]:
    """What it may tell of. A consent that was given later and is gone says nothing of that, so it
    is written down when the bytes are frozen."""
    if delivery.sections is not None:
        return delivery.sections
    return _open(facts, consents, member, made)


def _open(
    facts: PlanFacts, consents: Iterable[Consent], member: Member, at: datetime
) -> frozenset[str]:
    known, unit = tuple(consents), member.party
    # Who leads the plan wrote it all down.
    leads = unit.id == facts.lead
    people = {
        RELATIVES: leads or may_take_part(known, unit, RELATIVES, at).permit,
        WHEREABOUTS: leads or not facts.protected,
    }
    return _sections(known, member, at) | {what for what, told in people.items() if told}


def _sections(consents: Iterable[Consent], member: Member, at: datetime) -> frozenset[str]:
    """What the unit may have an item about; an item about everything needs all of them."""
    known, purpose = tuple(consents), purpose_for(member.roles)
    return frozenset(
        s for s in names.SECTIONS if decide(member.party, Shared(known, (s,)), purpose, at).permit
    )

"""What a named person does with a delivery: hand over, forward, decide not to send.

Each act is recorded with the person's name and can be repeated without harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from hub.contract import Party
from hub.errors import Invalid, NotFound
from hub.fhir import names
from hub.model.delivery import State
from hub.model.party import CITIZEN, SYSTEM
from hub.model.plan import DECISION, SHARED, canonical
from hub.model.records import Delivery, Hop, Plan, PlanVersion
from hub.model.routing import forwarders
from hub.services.hub import Hub, repeatable, sha256
from hub.services.move_on import move_on
from hub.services.route import reconcile
from hub.services.state import plan_state
from hub.services.versions import never_before
from hub.store.work import UnitOfWork

_NOT_YOURS: Final = "No such delivery waits for you"
"""The same words whether it is another's or is not there."""


def hand_over(hub: Hub, by: Party, delivery_id: str, person: str) -> Delivery:
    """The citizen has been given the copy, by a person of the lead's unit."""
    with hub.store.writing() as work:
        delivery, plan = _mine(hub, work, by, delivery_id, person)
        if delivery.receiver != CITIZEN or plan.lead != by.id:
            raise NotFound(_NOT_YOURS)
        if delivery.state is State.DELIVERED:
            return delivery
        if delivery.state is State.SUPERSEDED:
            raise Invalid("A newer version took its place; hand that one over")
        if delivery.state is not State.SENT:
            raise Invalid("The copy is not made yet; try again in a moment")
        actor, now = f"{by.id}: {person}", hub.clock()
        move_on(work, delivery, State.DELIVERED, "Handed over", actor, now)
        _audit(work, plan, delivery, actor, "hand-over", now)
        work.commit()
    return replace(delivery, state=State.DELIVERED)


def forward(hub: Hub, by: Party, delivery_id: str, person: str) -> Delivery:
    """The lead's own coordinator hands the plan on to the other organisation's: the second hop."""
    with hub.store.writing() as work:
        delivery, plan = _mine(hub, work, by, delivery_id, person)
        directory = work.parties.directory()
        state = plan_state(work, plan, directory, hub.clock())
        other = state.member(delivery.receiver)
        if (
            by.id not in forwarders(state.facts)
            or other is None
            or "coordinator" not in other.roles
        ):
            raise NotFound(_NOT_YOURS)
        if delivery.receiver in state.facts.forwarded:
            return delivery
        now, actor = hub.clock(), f"{by.id}: {person}"
        if by.id != plan.lead:
            received = _received(work, plan, by)
            if received is None:
                raise Invalid("Forward the plan when you have received it yourself")
            first = Hop(plan.id, plan.lead, by.id, "", received.updated_at)
            work.journal.add_hop(repeatable(plan.id, plan.lead, by.id), first)
        hop = Hop(plan.id, by.id, delivery.receiver, person, now)
        work.journal.add_hop(repeatable(plan.id, by.id, delivery.receiver), hop)
        _audit(work, plan, delivery, actor, "forward", now)
        reconcile(hub, work, plan.id, directory, actor=actor)
        work.commit()
        found = work.deliveries.get(delivery_id, SYSTEM)
    assert found is not None
    return found


def decide_not_to_send(
    hub: Hub, by: Party, delivery_id: str, person: str, postscript: str
) -> Delivery:
    """A person decides that the receiver does not get it; final for this shared part.

    The postscript (efterskrift) becomes part of the plan's next version; it is the plan's own
    record of the decision and undoes no approval.
    """
    if not postscript.strip():
        raise Invalid("Say why in the postscript")
    with hub.store.writing() as work:
        delivery, plan = _mine(hub, work, by, delivery_id, person)
        if plan.lead != by.id:
            raise NotFound(_NOT_YOURS)
        if delivery.state is State.NOT_SENT:
            return delivery
        if delivery.state not in {State.BLOCKED, State.HELD, State.DUE}:
            raise Invalid("It has left, or the matter is closed; nothing was changed")
        now, actor = hub.clock(), f"{by.id}: {person}"
        reason = "A person decided not to send it; see the plan's postscript"
        move_on(work, delivery, State.NOT_SENT, reason, actor, now)
        _audit(work, plan, delivery, actor, "not-send", now)
        _add_postscript(work, plan, by, person, postscript, now, delivery.id)
        reconcile(hub, work, plan.id, work.parties.directory(), actor=actor)
        work.commit()
        found = work.deliveries.get(delivery_id, SYSTEM)
    assert found is not None
    return found


def _mine(
    hub: Hub, work: UnitOfWork, by: Party, delivery_id: str, person: str
) -> tuple[Delivery, Plan]:
    if not person.strip():
        raise Invalid("Say who does it")
    found = work.deliveries.get(delivery_id, SYSTEM)
    if found is not None and found.subscription:
        raise NotFound(_NOT_YOURS)
    plan = work.plans.lock(found.plan_id) if found else None
    delivery = work.deliveries.lock(delivery_id)
    if delivery is None or plan is None:
        raise NotFound(_NOT_YOURS)
    return delivery, plan


def _received(work: UnitOfWork, plan: Plan, party: Party) -> Delivery | None:
    """The first hop is done: the delivery by which the coordinator received the plan."""
    mine = work.deliveries.of_plan(plan.id, party.id)
    return next((d for d in mine if d.state is State.DELIVERED), None)


def _audit(
    work: UnitOfWork, plan: Plan, delivery: Delivery, actor: str, action: str, now: datetime
) -> None:
    work.journal.audit(
        now, actor, action, f"CarePlan/{plan.id}/_history/{delivery.version}",
        party=delivery.receiver, basis=delivery.basis, detail=f"delivery/{delivery.id}",
    )  # fmt: skip


def _add_postscript(
    work: UnitOfWork, plan: Plan, by: Party, person: str, text: str, now: datetime, about: str
) -> None:
    """A new plan version whose CarePlan carries one more postscript."""
    part = next(p for p in work.plans.parts(plan.id) if p.kind == SHARED)
    head = work.plans.version(plan.id, plan.head)
    assert head is not None
    care_plan = work.plans.resources(part.members[:1])[f"CarePlan/{part.id}"]
    added = {
        "id": f"{DECISION}{about}",
        "url": names.POSTSCRIPT,
        "extension": [
            {"url": "text", "valueString": text},
            {"url": "author", "valueString": person},
            {"url": "date", "valueDateTime": now.isoformat(timespec="seconds")},
        ],
    }
    changed = care_plan | {"extension": [*care_plan.get("extension", ()), added]}
    key = work.plans.save_resource(changed, sha256(canonical(changed)), part.id, by.id, now)
    part = replace(part, members=(key, *part.members[1:]))
    work.plans.save_part(part, now)
    manifest = {**head.manifest, part.id: part.members}
    at = never_before(head, now)
    work.plans.add_version(
        PlanVersion(plan.id, plan.head + 1, manifest, head.digest, by.id, at, plan.head), None
    )

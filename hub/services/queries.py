"""What people and parties look up. Every query has a viewer; none changes anything but audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.contract import PlanView
from hub.errors import Invalid, NotFound
from hub.model.party import CITIZEN, SYSTEM, Viewer
from hub.model.records import Delivery, DeliveryEvent, Hop, LossRow, Plan, Task
from hub.model.routing import newest_for
from hub.services.hub import Hub
from hub.services.state import PlanState, plan_state
from hub.services.tasks import SAID
from hub.services.views import build_view
from hub.store.work import UnitOfWork


@dataclass(frozen=True)
class DeliveryDetail:
    """One delivery with everything an operator asks about it."""

    delivery: Delivery
    history: list[DeliveryEvent]
    losses: list[LossRow]
    hops: list[Hop]


def read_plan(hub: Hub, viewer: Viewer, plan_id: str) -> PlanView:
    """The newest version the viewer may read now; NotFound also for what it may not know of.

    The disclosure is audited before the view is returned.
    """
    now = hub.clock()
    with hub.store.writing() as work:
        plan = work.plans.get(plan_id, viewer, now)
        if plan is None:
            raise NotFound("No such plan is known to you")
        state = plan_state(work, plan, work.parties.directory(), now)
        number = _readable(state, viewer)
        reduced = build_view(work, state, number, viewer.id, now) if number else None
        if reduced is None:
            raise NotFound("No such plan is known to you")
        work.journal.audit(
            now, viewer.id, "read", f"CarePlan/{plan_id}/_history/{number}",
            party=viewer.id, basis=reduced.basis, role=state.role_of(viewer.id),
        )  # fmt: skip
        work.commit()
    return reduced.view


def _readable(state: PlanState, viewer: Viewer) -> int | None:
    """What is not sent is not read either."""
    member = state.member(viewer.id)
    version = newest_for(state.facts, member) if member is not None else None
    return version.number if version is not None else None


def delivery_detail(hub: Hub, viewer: Viewer, delivery_id: str) -> DeliveryDetail:
    """One delivery with its history and losses."""
    with hub.store.reading() as work:
        delivery = work.deliveries.get(delivery_id, viewer)
        if delivery is None:
            raise NotFound("No such delivery is known to you")
        return DeliveryDetail(
            delivery,
            work.deliveries.history(delivery_id),
            work.losses.of(delivery_id=delivery_id),
            work.journal.hops(delivery.plan_id),
        )


def deliveries(
    hub: Hub,
    viewer: Viewer,
    *,
    state: str | None = None,
    receiver: str | None = None,
    plan_id: str | None = None,
) -> list[Delivery]:
    """Deliveries, newest first."""
    with hub.store.reading() as work:
        return work.deliveries.listing(viewer, state=state, receiver=receiver, plan_id=plan_id)


def whole_plan_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The id of the plan that begins so, as tables show it; NotFound, or Invalid for several."""
    with hub.store.reading() as work:
        found = work.plans.beginning(beginning, viewer, hub.clock())
    return the_one(found, "plan")


def whole_delivery_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The same of a delivery. An empty beginning is none: acts follow on what is found."""
    with hub.store.reading() as work:
        found = work.deliveries.beginning(beginning, viewer) if beginning else []
    return the_one(found, "delivery")


def the_one(found: list[str], what: str) -> str:
    """Of what was found by the beginning of an id; NotFound for none, Invalid for several."""
    if not found:
        raise NotFound(f"No such {what} is known to you")
    if len(found) > 1:
        raise Invalid(f"More than one {what} begins so; give more of the id")
    return found[0]


def known_receiver(hub: Hub, receiver: str) -> str:
    """The same, if it is the citizen or a party; else NotFound."""
    with hub.store.reading() as work:
        if receiver != CITIZEN and work.parties.get(receiver) is None:
            raise NotFound("No such party; see: ki-hub parties list")
    return receiver


def tasks(hub: Hub, viewer: Viewer, *, done: bool = False) -> list[Task]:
    """Tasks, oldest first; a party's are about plans it leads or may know of now."""
    now = hub.clock()
    with hub.store.reading() as work:
        found = work.journal.tasks(viewer, done=done)
        return [
            t
            for t in found
            if t.plan_id is None or t.kind in SAID or _knows(work, viewer, t.plan_id, now)
        ]


def _knows(work: UnitOfWork, viewer: Viewer, plan_id: str, now: datetime) -> bool:
    plan = work.plans.get(plan_id, SYSTEM, now)
    led = plan is not None and plan.lead == viewer.id
    return led or work.plans.get(plan_id, viewer, now) is not None


def plans(hub: Hub, viewer: Viewer) -> list[Plan]:
    """Plans without content, newest first."""
    with hub.store.reading() as work:
        return work.plans.listing(viewer, hub.clock())

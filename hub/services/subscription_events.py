"""What happened, for those who asked to be told: events of FHIR Subscriptions.

An event is a delivery row, made in the transaction of the change, for a party that may read what
changed at that moment (:mod:`hub.services.sight`). It gets its number in the subscription later,
by a worker, if the party may still read it then: numbers are without gaps and tell nothing of what
a party may not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from hub.contract import Resource
from hub.model.delivery import State
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Delivery, Plan
from hub.model.subscription import FhirSubscription, Wish
from hub.services.entries import Disclosure
from hub.services.hub import Hub
from hub.services.sight import Citizens, Sight
from hub.services.subscription_state import ACTOR, add_notification
from hub.store.work import UnitOfWork

GONE = "The receiver may not know of it now"


@dataclass(frozen=True)
class Occurrence:
    """The newest version of something a party may read."""

    about: str
    """``Type/id``."""
    version: int
    plan_id: str
    citizen: str
    basis: str


@dataclass(frozen=True)
class Shown:
    """What an event is about, as the party may read it now."""

    resources: list[Resource]
    """What it is about first; empty unless asked for in full."""
    why: Disclosure


def follow(work: UnitOfWork, citizen: str, plan: Plan | None, actor: str, now: datetime) -> None:
    """Make events follow the facts about a citizen; in the transaction of the change.

    ``plan`` is the plan that is decided on, locked; None if only the consents are looked at. Can
    be run at any time and changes nothing when nothing changed.
    """
    for subscription in work.subscriptions.listening():
        viewer = Viewer("party", subscription.party)
        wish = subscription.wish
        if wish.patients is not None and citizen not in wish.patients:
            continue
        found = [*_occurrences(Sight(work, viewer, now), wish, frozenset({citizen}))]
        if wish.kind == "CarePlan":
            found = [o for o in found if plan is not None and o.plan_id == plan.id]
            _take_back(work, subscription, plan, {o.about for o in found}, actor, now)
        tell(work, subscription, found, actor, now)


def begin(work: UnitOfWork, subscription: FhirSubscription, now: datetime) -> None:
    """What is there now is no event."""
    sight = Sight(work, Viewer("party", subscription.party), now)
    for one in _occurrences(sight, subscription.wish, None):
        work.subscriptions.see(subscription.id, one.about, one.version)


def catch_up(hub: Hub, subscription_id: str) -> None:
    """What changed beside the making of the subscription, when nobody was told of it yet.

    Each in a transaction of its own, the plan locked as for every decision on it.
    """
    with hub.store.reading() as work:
        subscription = work.subscriptions.get(subscription_id, SYSTEM)
        assert subscription is not None
        sight = Sight(work, Viewer("party", subscription.party), hub.clock())
        found = [*_occurrences(sight, subscription.wish, None)]
        seen = work.subscriptions.seen(subscription_id)
    for one in found:
        if one.version > seen.get(one.about, 0):
            with hub.store.writing() as work:
                plan = work.plans.lock(one.plan_id) if one.plan_id else None
                follow(work, one.citizen, plan, ACTOR, hub.clock())
                work.commit()


def tell(
    work: UnitOfWork,
    subscription: FhirSubscription,
    found: list[Occurrence],
    actor: str,
    now: datetime,
) -> None:
    """An event for each that is newer than what the subscription has."""
    seen = work.subscriptions.seen_of(subscription.id, [o.about for o in found])
    for one in found:
        if subscription.wish.wants(one.about, one.citizen) and one.version > seen.get(one.about, 0):
            add_notification(
                work, subscription, one.about, one.plan_id, one.version, one.basis, actor, now
            )
            work.subscriptions.see(subscription.id, one.about, one.version)


def shown(
    work: UnitOfWork, sight: Sight, delivery: Delivery, *, full: bool = False
) -> Shown | None:
    """What the event is about, now; None if the party may not know of it now."""
    kind, _, resource_id = delivery.about.partition("/")
    if kind == "CarePlan":
        found, why = sight.plan(resource_id), sight.knows(resource_id)
        if found is None or why is None:
            return None
        entries = sight.view(found[0].plan, found[1]) if full else []
        return Shown([e.resource for e in entries], why)
    citizens = work.resources.citizens_of(kind, [resource_id])
    entry = next((e for e in sight.decisions(citizens) if e.key == delivery.about), None)
    if entry is None:
        return None
    return Shown([entry.resource] if full else [], entry.why)


def number_due(hub: Hub) -> int:
    """Number the events that have no number, oldest first; returns how many were looked at."""
    with hub.store.reading() as work:
        waiting = work.deliveries.unnumbered(hub.limits.batch)
    for delivery_id in waiting:
        with hub.store.writing() as work:
            _number(work, delivery_id, hub.clock())
            work.commit()
    return len(waiting)


def _number(work: UnitOfWork, delivery_id: str, now: datetime) -> None:
    found = work.deliveries.get(delivery_id, SYSTEM)
    assert found is not None
    if found.plan_id:
        work.plans.lock(found.plan_id)
    subscription = work.subscriptions.lock(found.subscription)
    delivery = work.deliveries.lock(delivery_id)
    assert subscription is not None
    assert delivery is not None
    if delivery.state is not State.DUE or delivery.event is not None:
        return
    sight = Sight(work, Viewer("party", subscription.party), now)
    if shown(work, sight, delivery) is None:
        withdraw(work, delivery, GONE, ACTOR, now)
        return
    work.subscriptions.save(replace(subscription, events=subscription.events + 1))
    work.deliveries.number(delivery_id, subscription.events + 1)


def withdraw(work: UnitOfWork, delivery: Delivery, reason: str, actor: str, now: datetime) -> None:
    """Not sent (again); told anew if the party may know of it again."""
    work.deliveries.move(delivery, State.CANCELLED, reason, actor, now)
    work.subscriptions.forget(delivery.subscription, delivery.about)


def _take_back(
    work: UnitOfWork,
    subscription: FhirSubscription,
    plan: Plan | None,
    readable: set[str],
    actor: str,
    now: datetime,
) -> None:
    """What is due about a plan that may not be known of any more."""
    for row in work.deliveries.of_subscription(subscription.id, State.DUE):
        if plan is not None and row.plan_id == plan.id and row.about not in readable:
            withdraw(work, row, GONE, actor, now)


def _occurrences(sight: Sight, wish: Wish, citizens: Citizens) -> Iterator[Occurrence]:
    if wish.kind == "CarePlan":
        for plan, number in sight.newest(citizens):
            why = sight.knows(plan.id)
            assert why is not None
            yield Occurrence(f"CarePlan/{plan.id}", number, plan.id, plan.citizen_id, why.basis)
        return
    for entry in sight.decisions(citizens):
        plan_id = entry.why.plan_id or ""
        yield Occurrence(entry.key, int(entry.version), plan_id, entry.citizen, entry.why.basis)

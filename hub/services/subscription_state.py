"""A FHIR Subscription's states: asked for, answered, broken, silent, ended.

Every change of what its resource says is a new version of the resource. The subscription's row is
locked before any of its deliveries.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hub.contract import Resource
from hub.model.delivery import FINAL, State
from hub.model.party import SYSTEM
from hub.model.plan import canonical
from hub.model.records import Delivery, Task
from hub.model.subscription import FORMAT, HANDSHAKE, HEARTBEAT, KEEPALIVE, FhirSubscription
from hub.services.hub import Hub, new_id, repeatable, sha256
from hub.store.timers import SLACK
from hub.store.work import UnitOfWork

ACTOR: Final = "hub"
SUSPENDED: Final = "Suspended by the hub's operator"
ENDED: Final = "The subscription's time is over"
_BROKEN: Final = (
    "A subscription of yours is in error; mend its endpoint and set it to requested again"
)


def write(
    work: UnitOfWork, changed: FhirSubscription, resource: Resource, now: datetime, by: str
) -> FhirSubscription:
    """Keep the new state, and the resource as it now reads, as a version."""
    said: Resource = {k: v for k, v in resource.items() if k not in {"error", "meta"}}
    said["status"] = changed.status
    if changed.error is not None:
        said["error"] = changed.error
    if "meta" in resource:
        said["meta"] = resource["meta"]
    digest = sha256(canonical(said))
    _, _, version = work.plans.save_resource(said, digest, changed.party, by, now)
    kept = replace(changed, version=version)
    work.subscriptions.save(kept)
    return kept


def rewrite(
    work: UnitOfWork, before: FhirSubscription, changed: FhirSubscription, now: datetime, by: str
) -> FhirSubscription:
    """The same for a change that its resource's own words have no part in."""
    return write(work, changed, work.subscriptions.resource(before), now, by)


def greet(work: UnitOfWork, subscription: FhirSubscription, actor: str, now: datetime) -> None:
    """A handshake is due; one that was on its way is not waited for."""
    for row in work.deliveries.of_subscription(subscription.id):
        if row.about in KEEPALIVE and row.state not in FINAL:
            work.deliveries.move(
                row, State.CANCELLED, "Another handshake took its place", actor, now
            )
    add_notification(work, subscription, HANDSHAKE, "", 0, "", actor, now)


def add_notification(
    work: UnitOfWork,
    subscription: FhirSubscription,
    about: str,
    plan_id: str,
    version: int,
    basis: str,
    actor: str,
    now: datetime,
) -> None:
    """A row of the outbox, due."""
    reasons = {HANDSHAKE: "The endpoint must answer first", HEARTBEAT: "Nothing else was sent"}
    work.deliveries.add(
        Delivery(
            id=new_id(), plan_id=plan_id, receiver=subscription.party, format=FORMAT,
            version=version, digest="", state=State.DUE,
            reason=reasons.get(about, "The receiver subscribes to this change"), basis=basis,
            created_at=now, updated_at=now, subscription=subscription.id,
            about=about,
        ),
        actor,
    )  # fmt: skip


def answered(work: UnitOfWork, about: str, subscription_id: str, now: datetime) -> None:
    """The endpoint took a notification; its first makes the subscription active."""
    found = work.subscriptions.lock(subscription_id)
    assert found is not None
    if about != HANDSHAKE or found.status != "requested":
        work.subscriptions.save(replace(found, told_at=now))
        return
    active = replace(found, status="active", error=None, told_at=now)
    rewrite(work, found, active, now, ACTOR)
    work.journal.close_tasks(ACTOR, now, task_id=_task(subscription_id))


def broken(work: UnitOfWork, subscription_id: str, reason: str, now: datetime) -> None:
    """A notification could not be brought: the subscriber's move."""
    found = work.subscriptions.lock(subscription_id)
    assert found is not None
    if found.deleted_at is not None or found.status == "off":
        return
    rewrite(work, found, replace(found, status="error", error=reason), now, ACTOR)
    for row in work.deliveries.of_subscription(subscription_id, State.DUE):
        if row.about in KEEPALIVE:
            work.deliveries.move(row, State.CANCELLED, "The subscription is in error", ACTOR, now)
    work.journal.open_task(
        Task(_task(subscription_id), "subscription-error", found.party, _BROKEN, None, None, None,
             now)
    )  # fmt: skip


def silence(work: UnitOfWork, subscription_id: str, reason: str, actor: str, now: datetime) -> None:
    """Nothing more is sent: what waits, and what would be tried again, is cancelled."""
    for row in work.deliveries.of_subscription(subscription_id):
        if row.state not in FINAL:
            work.deliveries.move(row, State.CANCELLED, reason, actor, now)
    work.journal.close_tasks(actor, now, task_id=_task(subscription_id))


def keep_alive(hub: Hub) -> int:
    """Heartbeats where nothing was sent for the period, and ends; how many."""
    with hub.store.reading() as work:
        now = hub.clock()
        silent = [s.id for s in work.subscriptions.silent() if _due(s, now)]
        ended = work.subscriptions.ended(now)
    for subscription_id in silent:
        with hub.store.writing() as work:
            found = work.subscriptions.lock(subscription_id)
            # Another worker may have been here: there is at most one.
            still = {s.id for s in work.subscriptions.silent()}
            if found is not None and subscription_id in still:
                add_notification(work, found, HEARTBEAT, "", 0, "", ACTOR, hub.clock())
                work.commit()
    for subscription_id in ended:
        with hub.store.writing() as work:
            found = work.subscriptions.lock(subscription_id)
            if found is not None and found.status != "off":
                rewrite(work, found, replace(found, status="off", error=ENDED), now, ACTOR)
                silence(work, subscription_id, ENDED, ACTOR, now)
                work.commit()
    return len(silent) + len(ended)


def _due(subscription: FhirSubscription, now: datetime) -> bool:
    assert subscription.wish.heartbeat is not None
    last = subscription.told_at or subscription.created_at
    # Told later than now: by a clock that was ahead.
    return last + timedelta(seconds=subscription.wish.heartbeat) <= now or last > now + SLACK


def known(work: UnitOfWork, subscription_id: str) -> FhirSubscription:
    """One that is there."""
    found = work.subscriptions.get(subscription_id, SYSTEM)
    assert found is not None
    return found


def _task(subscription_id: str) -> str:
    return repeatable("task", "subscription-error", subscription_id)

"""What the operator sees of FHIR Subscriptions, and may do: stop one, and let it go on.

Never the party's own headers, and of its endpoint only the machine: a path may hold a secret.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from hub.errors import NotFound
from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.model.subscription import FhirSubscription
from hub.services.hub import Hub
from hub.services.subscription_state import SUSPENDED, greet, rewrite
from hub.store.work import UnitOfWork

_UNKNOWN: Final = "No such subscription"


def subscription_rows(hub: Hub) -> list[dict[str, Any]]:
    """Every subscription that is not deleted, oldest first."""
    with hub.store.reading() as work:
        return [_row(work, one) for one in work.subscriptions.listing(SYSTEM)]


def subscription_row(hub: Hub, subscription_id: str) -> dict[str, Any]:
    """One, with its notifications; raises NotFound."""
    with hub.store.reading() as work:
        one = work.subscriptions.get(subscription_id, SYSTEM)
        if one is None:
            raise NotFound(_UNKNOWN)
        rows = work.deliveries.of_subscription(subscription_id)
        return _row(work, one) | {"notifications": [_notification(r) for r in rows]}


def suspend(hub: Hub, subscription_id: str, *, by: str, reason: str) -> None:
    """Send nothing of it until it is resumed; events are kept meanwhile."""
    with hub.store.writing() as work:
        found = _lock(work, subscription_id)
        now = hub.clock()
        changed = replace(
            found, status="off", error=SUSPENDED, suspended_by=by, suspended_reason=reason
        )
        rewrite(work, found, changed, now, by)
        work.journal.audit(now, by, "suspend", f"Subscription/{found.id}", party=found.party)
        work.commit()


def resume(hub: Hub, subscription_id: str, *, by: str) -> None:
    """Its endpoint must answer first; then what was kept is sent, in order."""
    with hub.store.writing() as work:
        found = _lock(work, subscription_id)
        if found.suspended_by is None:
            return
        now = hub.clock()
        changed = replace(
            found, status="requested", error=None, suspended_by=None, suspended_reason=None
        )
        changed = rewrite(work, found, changed, now, by)
        greet(work, changed, by, now)
        work.journal.audit(now, by, "resume", f"Subscription/{found.id}", party=found.party)
        work.commit()
    hub.wake.set()


def _lock(work: UnitOfWork, subscription_id: str) -> FhirSubscription:
    found = work.subscriptions.lock(subscription_id)
    if found is None or found.deleted_at is not None:
        raise NotFound(_UNKNOWN)
    return found


def _row(work: UnitOfWork, one: FhirSubscription) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for row in work.deliveries.of_subscription(one.id):
        counts[row.state.value] = counts.get(row.state.value, 0) + 1
    return {
        "subscription": one.id,
        "party": one.party,
        "topic": one.wish.topic.rpartition("/")[2],
        "channel": one.wish.channel,
        "content": one.wish.content,
        "machine": urlsplit(one.wish.endpoint).netloc,
        "status": one.status,
        "error": one.error,
        "suspended_by": one.suspended_by,
        "suspended_reason": one.suspended_reason,
        "events": one.events,
        "told_at": one.told_at.isoformat() if one.told_at else None,
        "created_at": one.created_at.isoformat(),
        "deleted_at": one.deleted_at.isoformat() if one.deleted_at else None,
        "deliveries": counts,
        "waiting": sum(counts.get(s.value, 0) for s in (State.DUE, State.RETRY_AT)),
    }


def _notification(row: Delivery) -> dict[str, Any]:
    return {
        "delivery": row.id,
        "about": row.about.partition("/")[0],
        "event": row.event,
        "plan": row.plan_id or None,
        "sequence": row.sequence,
        "state": row.state.value,
        "reason": row.reason,
        "attempts": row.attempts,
        "updated_at": row.updated_at.isoformat(),
    }

"""Deletes what has been kept long enough, kind by kind; legal holds; erasing a pseudonym's key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.errors import Invalid, NotFound
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Plan
from hub.model.trail import EXPIRED, segment_object
from hub.services.hub import Hub
from hub.services.kept import kept_reason
from hub.services.overview import for_operators
from hub.store.audit_rows import HUB
from hub.store.retention import Hold
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
_PLAN_HELD: Final = "The plan is under a legal hold already"
_CITIZEN_HELD: Final = "The citizen is under a legal hold already"
_PLAN_FREE: Final = "The plan is under no legal hold"
_CITIZEN_FREE: Final = "The citizen is under no legal hold"


def expire(hub: Hub) -> int:
    """Delete what is older than the settings say; returns how many things. 0 days: for ever."""
    limits = hub.limits
    return (
        _segments(hub, limits.audit_days)
        + _expire(hub, "inbox", limits.inbox_days, lambda w, t: w.retention.delete_documents(t))
        + _expire(hub, "delivery", limits.delivery_days, lambda w, t: w.retention.delete_sent(t))
        + _expire(hub, "task", limits.task_days, lambda w, t: w.retention.delete_tasks(t))
    )


def _segments(hub: Hub, days: int) -> int:
    """Whole segments of the audit trail, each in a transaction with the row that says so."""
    gone = 0
    while days:
        now = hub.clock()
        with hub.store.writing() as work:
            number = work.retention.expired_segment(now - timedelta(days=days))
            if number is None:
                return gone
            place = segment_object(number)
            by = work.journal.audit(now, HUB, EXPIRED, place, detail=f"older than {days} days")
            gone += work.retention.expire_segment(number, by, now)
            work.commit()
        LOG.info("retention.segment", number=number)
    return gone


def _expire(hub: Hub, what: str, days: int, delete: Callable[[UnitOfWork, datetime], int]) -> int:
    if not days:
        return 0
    now = hub.clock()
    with hub.store.writing() as work:
        gone = delete(work, now - timedelta(days=days))
        if gone:
            told = f"{gone} older than {days} days"
            work.journal.audit(now, HUB, EXPIRED, what, detail=told)
            work.commit()
    return gone


def hold(hub: Hub, viewer: Viewer, plan_id: str, *, reason: str, citizen: bool = False) -> Hold:
    """Keep everything of the plan until it is released; with ``citizen`` everything about its
    citizen, of any plan or of none. Invalid if it is held already."""
    why = kept_reason(reason)
    with hub.store.writing() as work:
        plan = _plan(hub, work, viewer, plan_id)
        whose = plan.citizen_id if citizen else ""
        made = Hold("" if citizen else plan_id, whose, why, viewer.id, hub.clock())
        if not work.retention.hold(made):
            raise Invalid(_CITIZEN_HELD if citizen else _PLAN_HELD)
        _audit(hub, work, viewer, "legal-hold", plan_id, why, _what(citizen))
        work.commit()
    return made


def release(hub: Hub, viewer: Viewer, plan_id: str, *, reason: str, citizen: bool = False) -> None:
    """Let its records, or those about its citizen, be deleted when their time is up; Invalid if
    they are not held."""
    why = kept_reason(reason)
    with hub.store.writing() as work:
        plan = _plan(hub, work, viewer, plan_id)
        held = {"citizen_id": plan.citizen_id} if citizen else {"plan_id": plan_id}
        if not work.retention.release(**held):
            raise Invalid(_CITIZEN_FREE if citizen else _PLAN_FREE)
        _audit(hub, work, viewer, "legal-release", plan_id, why, _what(citizen))
        work.commit()


def _what(citizen: bool) -> str:
    return "citizen" if citizen else "plan"


def holds(hub: Hub, viewer: Viewer) -> list[Hold]:
    """Every hold in force."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return work.retention.holds()


def forget(hub: Hub, viewer: Viewer, plan_id: str, *, reason: str) -> None:
    """Erase the key of the citizen's pseudonym: the trail's rows stay, and name nobody.

    Raises Invalid while a plan of the citizen's is open or under a legal hold.
    """
    why = kept_reason(reason)
    with hub.store.writing() as work:
        plan = _plan(hub, work, viewer, plan_id)
        if work.retention.held_citizen(plan.citizen_id):
            raise Invalid("The citizen, or a plan of theirs, is under a legal hold; release it")
        if any(p.open for p in work.plans.of_citizen(plan.citizen_id, SYSTEM, hub.clock())):
            raise Invalid("A plan of this citizen is open; its access record is still needed")
        # The row is written while the key is there: the last that bears this pseudonym.
        _audit(hub, work, viewer, "forget", plan_id, why)
        if not work.trail.forget(plan.citizen_id):
            raise NotFound("The trail knows this citizen by no pseudonym")
        work.commit()


def _plan(hub: Hub, work: UnitOfWork, viewer: Viewer, plan_id: str) -> Plan:
    for_operators(viewer)
    plan = work.plans.get(plan_id, SYSTEM, hub.clock())
    if plan is None:
        raise NotFound("No such plan is known to you")
    return plan


def _audit(
    hub: Hub, work: UnitOfWork, viewer: Viewer, action: str, plan_id: str, why: str, what: str = ""
) -> None:
    work.journal.audit(
        hub.clock(), viewer.id, action, f"CarePlan/{plan_id}", role="operator", reason=why,
        detail=what,
    )  # fmt: skip

"""Deletes what has been kept long enough, kind by kind; legal holds; erasing a pseudonym's key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

import structlog

from hub.errors import Invalid, NotFound
from hub.model.alone import KINDS
from hub.model.party import SYSTEM, Viewer
from hub.model.records import ENDED
from hub.model.trail import EXPIRED, segment_object
from hub.services.documents import status_of_part
from hub.services.hub import Hub
from hub.services.kept import kept_reason
from hub.services.overview import for_operators
from hub.services.whose import Subject, Whose, held_fast, subject_of
from hub.store.audit_rows import HUB
from hub.store.retention import Hold
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
Of = Literal["plan", "citizen"]
"""What a hold is on."""
HOLD: Final = "legal-hold"
RELEASE: Final = "legal-release"
FORGET: Final = "forget"
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
        + _expire(hub, "delivery", limits.delivery_days, partial(_sent, hub))
        + _expire(hub, "task", limits.task_days, lambda w, t: w.retention.delete_tasks(t))
    )


def _sent(hub: Hub, work: UnitOfWork, before: datetime) -> int:
    kept = work.retention
    gone = kept.delete_unfetched(before, hub.clock()) + kept.delete_sent(before)
    return gone + kept.delete_threads(before)


def _segments(hub: Hub, days: int) -> int:
    """Whole segments of the audit trail, each in a transaction with the row that says so."""
    gone = 0
    while days:
        now = hub.clock()
        with hub.store.writing() as work:
            work.retention.take_turn()
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
        work.retention.take_turn()
        gone = delete(work, now - timedelta(days=days))
        if gone:
            told = f"{gone} older than {days} days"
            work.journal.audit(now, HUB, EXPIRED, what, detail=told)
            work.commit()
    return gone


def hold(hub: Hub, viewer: Viewer, whose: Whose, *, reason: str, citizen: bool = False) -> Hold:
    """Keep everything of the plan until it is released; with ``citizen``, or where no plan names
    the citizen, everything about the citizen, of any plan or of none. Invalid if it is held."""
    why = kept_reason(reason)
    subject_of(hub, viewer, whose, HOLD)
    with hub.store.writing() as work:
        named = held_fast(hub, work, whose)
        work.retention.take_turn()
        plan = "" if citizen else named.plan
        made = Hold(plan, "" if plan else named.citizen, why, viewer.id, hub.clock())
        if not work.retention.hold(made):
            raise Invalid(_PLAN_HELD if plan else _CITIZEN_HELD)
        _audit(hub, work, viewer, HOLD, named, why, _what(plan))
        work.commit()
    return made


def release(hub: Hub, viewer: Viewer, whose: Whose, *, reason: str, citizen: bool = False) -> Of:
    """Let its records, or those about the citizen, be deleted when their time is up; says which of
    them. Invalid if they are not held."""
    why = kept_reason(reason)
    subject_of(hub, viewer, whose, RELEASE)
    with hub.store.writing() as work:
        named = held_fast(hub, work, whose)
        plan = "" if citizen else named.plan
        if not work.retention.release(plan, "" if plan else named.citizen):
            raise Invalid(_PLAN_FREE if plan else _CITIZEN_FREE)
        _audit(hub, work, viewer, RELEASE, named, why, _what(plan))
        work.commit()
    return _what(plan)


def _what(plan: str) -> Of:
    return "plan" if plan else "citizen"


def holds(hub: Hub, viewer: Viewer) -> list[Hold]:
    """Every hold in force."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return work.retention.holds()


def forget(hub: Hub, viewer: Viewer, whose: Whose, *, reason: str) -> None:
    """Erase the key of the citizen's pseudonym: the trail's rows stay, and name nobody. What was
    said in threads with receivers goes too.

    Raises Invalid while a plan of the citizen's, or a document that stands alone, is open, or the
    citizen or a plan is under a legal hold.
    """
    why = kept_reason(reason)
    subject_of(hub, viewer, whose, FORGET)
    with hub.store.writing() as work:
        named = held_fast(hub, work, whose)
        if work.retention.held_citizen(named.citizen):
            raise Invalid("The citizen, or a plan of theirs, is under a legal hold; release it")
        open_ = [p for p in work.plans.of_citizen(named.citizen, SYSTEM, hub.clock()) if p.open]
        alone = work.documents.of_kinds(KINDS, named.citizen)
        if open_ or any(status_of_part(work, part) not in ENDED for part in alone):
            raise Invalid("A plan of this citizen is open; its access record is still needed")
        # The row is written while the key is there: the last that bears this pseudonym.
        _audit(hub, work, viewer, FORGET, named, why)
        if not work.trail.forget(named.citizen):
            raise NotFound("The trail knows this citizen by no pseudonym")
        work.retention.drop_threads(named.citizen)
        work.commit()


def _audit(
    hub: Hub, work: UnitOfWork, viewer: Viewer, action: str, named: Subject, why: str,
    what: str = "",
) -> None:  # fmt: skip
    work.journal.audit(
        hub.clock(), viewer.id, action, named.place, role="operator", reason=why, detail=what,
        citizen=named.citizen,
    )  # fmt: skip

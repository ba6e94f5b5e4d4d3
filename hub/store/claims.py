"""Which deliveries a worker may take now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    exists,
    or_,
    select,
)

from hub.model.delivery import UNDER_WAY, State
from hub.model.party import CITIZEN
from hub.model.subscription import HANDSHAKE, HEARTBEAT
from hub.model.withdrawal import NOTICE
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import DELIVERY, PARTY
from hub.store.withdrawal_tables import RECALL


def claimable(now: datetime, limit: int) -> Select[str]:
    """Their ids, locked: due ones to make, frozen ones to send (again)."""
    free = or_(DELIVERY.c.lease_until.is_(None), DELIVERY.c.lease_until < now)
    other = DELIVERY.alias("other")
    told = DELIVERY.c.subscription != ""
    notice = is_notice(DELIVERY)
    same = and_(
        is_notice(other) == notice,
        other.c.subscription == DELIVERY.c.subscription,
        or_(told, and_(other.c.plan_id == DELIVERY.c.plan_id,
                       other.c.receiver == DELIVERY.c.receiver)),
    )  # fmt: skip
    # The citizen's copy waits for a person's hand, not on a broker: it holds up nobody.
    by_hand = and_(other.c.receiver == CITIZEN, other.c.state == State.SENT.value)
    busy = exists().where(same, other.c.state.in_([s.value for s in UNDER_WAY]), ~by_hand)
    older = exists().where(
        same,
        other.c.state == State.DUE.value,
        or_(and_(told, other.c.event < DELIVERY.c.event),
            and_(~told, ~notice, other.c.version < DELIVERY.c.version),
            and_(notice, other.c.created_at < DELIVERY.c.created_at)),
    )  # fmt: skip
    citizen_first = exists().where(
        other.c.plan_id == DELIVERY.c.plan_id,
        other.c.receiver == CITIZEN,
        DELIVERY.c.receiver != CITIZEN,
        DELIVERY.c.about.not_like("Consent/%"),
        ~notice,
        other.c.state == State.DUE.value,
        other.c.version <= DELIVERY.c.version,
    )
    recalled = exists().where(RECALL.c.party == PARTY.c.id, RECALL.c.open)
    paused = exists().where(PARTY.c.id == DELIVERY.c.receiver, or_(PARTY.c.paused, recalled))
    due = and_(DELIVERY.c.state == State.DUE.value, ~busy, ~older, ~citizen_first)
    # Of several that a receiver asked for once more, one after the other.
    before = or_(
        other.c.version < DELIVERY.c.version,
        and_(other.c.version == DELIVERY.c.version, other.c.created_at < DELIVERY.c.created_at),
    )
    waits = exists().where(
        same, ~told, before, other.c.state.in_([s.value for s in UNDER_WAY]), ~by_hand
    )
    again = and_(DELIVERY.c.state == State.RETRY_AT.value, DELIVERY.c.retry_at <= now, ~waits)
    frozen = DELIVERY.c.state == State.SENDING.value
    return (
        select(DELIVERY.c.id)
        .where(free, ~paused, or_(~told, _goes_out()), or_(due, again, frozen))
        .order_by(case((DELIVERY.c.receiver == CITIZEN, 0), else_=1), DELIVERY.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=DELIVERY)
    )


def is_notice(of: FromClause) -> ColumnElement[bool]:
    """It is a notice and not the plan itself."""
    return of.c.about.startswith(NOTICE)


def _goes_out() -> ColumnElement[bool]:
    """A notification of a FHIR Subscription that may be sent now."""
    open_ = and_(
        SUBSCRIPTION.c.id == DELIVERY.c.subscription,
        SUBSCRIPTION.c.suspended_by.is_(None),
        SUBSCRIPTION.c.deleted_at.is_(None),
    )
    greets = and_(DELIVERY.c.about == HANDSHAKE, SUBSCRIPTION.c.status == "requested")
    tells = or_(DELIVERY.c.event.is_not(None), DELIVERY.c.about == HEARTBEAT)
    return exists().where(open_, or_(greets, and_(SUBSCRIPTION.c.status == "active", tells)))

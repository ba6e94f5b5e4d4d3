"""Which deliveries a worker may take now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
)

from hub.model.breaker import Circuit
from hub.model.delivery import UNDER_WAY, State
from hub.model.lanes import BY_HAND, Full
from hub.model.party import CITIZEN
from hub.model.subscription import HANDSHAKE, HEARTBEAT, HOOK
from hub.model.withdrawal import NOTICE
from hub.store.breaker_tables import BREAKER
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import DELIVERY, PARTY
from hub.store.withdrawal_tables import RECALL

_TOLD = DELIVERY.c.subscription != ""
_WITH_PLACES = DELIVERY.outerjoin(PARTY, PARTY.c.id == DELIVERY.c.receiver).outerjoin(
    SUBSCRIPTION, SUBSCRIPTION.c.id == DELIVERY.c.subscription
)
_TRANSPORT = case(
    (_TOLD, HOOK),
    (DELIVERY.c.receiver == CITIZEN, BY_HAND),
    else_=func.coalesce(PARTY.c.transport, ""),
)
_ENDPOINT = case((_TOLD, SUBSCRIPTION.c.endpoint), else_=PARTY.c.endpoint)


def claimable(now: datetime, limit: int, full: Full) -> Select[Any]:
    """Id, transport and endpoint of each, locked: due ones to make, frozen ones to send (again).

    Not while the receiver is paused or its queue is being taken back, nor while its endpoint is
    left alone; one at a time per (plan, receiver) and per (document that stands alone, receiver),
    oldest version first; and nobody's copy before the citizen's own is made. Notices go by
    themselves, in the order they were made. Of a FHIR
    Subscription one at a time, in the order of its events, while it is active; before that only
    its handshake. Nothing for what is ``full``.
    """
    return (
        select(DELIVERY.c.id, _TRANSPORT, _ENDPOINT)
        .select_from(_WITH_PLACES)
        .where(_ready(now), _has_room(full), ~_left_alone(now))
        .order_by(case((DELIVERY.c.receiver == CITIZEN, 0), else_=1), DELIVERY.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=DELIVERY)
    )


def _ready(now: datetime) -> ColumnElement[bool]:
    """Its turn has come, and nobody has it."""
    free = or_(DELIVERY.c.lease_until.is_(None), DELIVERY.c.lease_until < now)
    other = DELIVERY.alias("other")
    told = _TOLD
    notice = is_notice(DELIVERY)
    same = and_(
        is_notice(other) == notice,
        other.c.subscription == DELIVERY.c.subscription,
        or_(told, and_(or_(other.c.plan_id == DELIVERY.c.plan_id,
                           other.c.document == DELIVERY.c.document),
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
    recalled = exists().where(RECALL.c.party == DELIVERY.c.receiver, RECALL.c.open)
    paused = or_(func.coalesce(PARTY.c.paused, false()), recalled)
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
    return and_(free, ~paused, or_(~told, _goes_out()), or_(due, again, frozen))


def _has_room(full: Full) -> ColumnElement[bool]:
    """More of it may be begun now."""
    place = func.coalesce(_ENDPOINT, _TRANSPORT)
    own = _TRANSPORT.in_(full.own)
    outside = false() if full.outside else place.not_in(full.endpoints)
    return or_(and_(own, _TRANSPORT.not_in(full.transports)), and_(~own, outside))


def _left_alone(now: datetime) -> ColumnElement[bool]:
    """Its endpoint failed so often that nothing is sent there now."""
    shut = BREAKER.c.state != Circuit.CLOSED.value
    return exists().where(BREAKER.c.endpoint == _ENDPOINT, shut, BREAKER.c.until > now)


def is_notice(of: FromClause) -> ColumnElement[bool]:
    """It is a notice and not the plan itself."""
    return of.c.about.startswith(NOTICE)


def _goes_out() -> ColumnElement[bool]:
    """A notification of a FHIR Subscription that may be sent now."""
    open_ = and_(SUBSCRIPTION.c.suspended_by.is_(None), SUBSCRIPTION.c.deleted_at.is_(None))
    greets = and_(DELIVERY.c.about == HANDSHAKE, SUBSCRIPTION.c.status == "requested")
    tells = or_(DELIVERY.c.event.is_not(None), DELIVERY.c.about == HEARTBEAT)
    return and_(open_, or_(greets, and_(SUBSCRIPTION.c.status == "active", tells)))

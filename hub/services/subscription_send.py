"""Step 5 for notifications of FHIR Subscriptions: made, frozen, sent and settled as every delivery.

Bytes, number and the plan's consent epoch are committed before anything leaves; a crash in between
sends the same bytes again under the same id and the same event number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from hub.contract import Resource
from hub.fhir.codec import dump_json
from hub.fhir.notification import Event, Kind, Told, message, message_response, notification
from hub.model.delivery import State
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Delivery, Plan
from hub.model.subscription import HANDSHAKE, HOOK, KEEPALIVE, FhirSubscription, Wish
from hub.sending import Confirm, Endpoint, Outgoing
from hub.services.attempts import ACTOR, fail, retry_after
from hub.services.breakers import heard
from hub.services.entries import Disclosure
from hub.services.frozen import open_to
from hub.services.hub import Hub, repeatable
from hub.services.parcels import Parcel
from hub.services.sight import Sight
from hub.services.silence import heard_from
from hub.services.state import plan_state
from hub.services.subscription_events import GONE, catch_up, follow, shown, withdraw
from hub.services.subscription_state import answered, known
from hub.store.work import UnitOfWork

_NARROWED: Final = "Less may be told than when it was made; these bytes are not sent again"


@dataclass(frozen=True)
class _Made:
    """A notification made from what could be read, not yet frozen."""

    body: bytes
    media_type: str
    why: Disclosure | None
    """None: it tells of nothing (a handshake, a heartbeat)."""


def prepare_notification(hub: Hub, delivery: Delivery, token: str) -> Parcel | None:
    """One notification that was claimed, in ``sending``; None if it is not to be sent now."""
    with hub.store.reading() as work:
        subscription = known(work, delivery.subscription)
        wish = subscription.wish
        due = delivery.state is State.DUE
        made = make(hub, work, delivery, subscription) if due else None
    if not _frozen(hub, delivery, made, wish, token):
        return None
    with hub.store.reading() as work:
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
    assert frozen is not None
    parcel = _parcel(hub, frozen, wish)
    if not hub.reach.hook(wish.endpoint):
        parcel.settle(Confirm(False, "The hub may not call this address", permanent=True))
        return None
    return parcel


def _settle(
    hub: Hub, delivery: Delivery, endpoint: Endpoint, wish: Wish, heard_there: Confirm
) -> None:
    confirm = _understood(wish, heard_there)
    if confirm.accepted and delivery.about == HANDSHAKE:
        catch_up(hub, delivery.subscription)
    with hub.store.writing() as work:
        work.subscriptions.lock(delivery.subscription)
        current = work.deliveries.lock(delivery.id)
        assert current is not None
        if current.state is State.SENDING:
            _after_send(hub, work, current, confirm)
        heard(hub, work, endpoint, delivery.id, heard_there)
        work.commit()
    hub.wake.set()


def make(
    hub: Hub, work: UnitOfWork, delivery: Delivery, subscription: FhirSubscription
) -> _Made | None:
    """The notification, as the party may read what it is about now; None if it may not."""
    now, wish = hub.clock(), subscription.wish
    event: list[Event] = []
    why = None
    kind: Kind = "handshake" if delivery.about == HANDSHAKE else "heartbeat"
    count = subscription.events
    if delivery.about not in KEEPALIVE:
        sight = Sight(work, Viewer("party", subscription.party), now)
        found = shown(work, sight, delivery, full=wish.content == "full-resource")
        if found is None or delivery.event is None:
            return None
        event = [event_of(delivery, found.resources)]
        why, kind, count = found.why, "event-notification", delivery.event
    told = Told(subscription.id, wish.topic, subscription.status, count, subscription.error)
    ids = (delivery.id, repeatable(delivery.id, "status"))
    silent = wish.content == "empty"
    bundle = notification(hub.base_url, told, kind, ids, now, event, silent=silent)
    if wish.channel == "message":
        ids = (repeatable(delivery.id, "message"), repeatable(delivery.id, "header"))
        bundle = message(hub.base_url, bundle, wish.topic, ids, wish.endpoint)
    return _Made(_written(bundle, wish.payload), wish.payload, why)


def event_of(delivery: Delivery, resources: list[Resource]) -> Event:
    """A numbered event that may be told of."""
    assert delivery.event is not None
    return Event(
        delivery.event, delivery.created_at, delivery.about, delivery.version, tuple(resources)
    )


def _written(bundle: Resource, media_type: str) -> bytes:
    if media_type.endswith("xml"):
        from hub.fhir.xml import to_xml  # noqa: PLC0415 - loads the type tables

        return to_xml(bundle)
    return dump_json(bundle)


def _frozen(hub: Hub, delivery: Delivery, made: _Made | None, wish: Wish, token: str) -> bool:
    """Commit that it may have left; False if it is not to be sent now."""
    now = hub.clock()
    with hub.store.writing() as work:
        plan = work.plans.lock(delivery.plan_id) if delivery.plan_id else None
        subscription = work.subscriptions.lock(delivery.subscription)
        current = work.deliveries.lock(delivery.id)
        assert subscription is not None
        assert current is not None
        mine = work.deliveries.holds_claim(delivery.id, token)
        if current.state is not delivery.state or not mine:
            return False
        refused = _refused(work, plan, current, wish, now)
        if refused:
            withdraw(work, current, refused, ACTOR, now)
            _audit(work, current, None, now)
            if plan is not None:
                follow(work, plan.citizen_id, plan, ACTOR, now)
        elif not _as_it_was(work, delivery, plan, made, subscription, wish):
            # Something changed while it was made, or it must wait: decide anew.
            work.deliveries.release(delivery.id)
        else:
            _freeze(work, current, made, plan, now)
            work.deliveries.lease(delivery.id, now + hub.limits.send_lease, token)
            work.commit()
            return True
        work.commit()
    return False


def _freeze(
    work: UnitOfWork, current: Delivery, made: _Made | None, plan: Plan | None, now: datetime
) -> None:
    if made is None and current.state is State.SENDING:
        work.deliveries.restate(current, "Sent again after an interruption", ACTOR, now)
        return
    attempts = current.attempts + 1
    if made is None:
        work.deliveries.move(current, State.SENDING, "Sent again", ACTOR, now, attempts=attempts)
        return
    work.deliveries.move(
        current, State.SENDING, "Frozen; on its way", ACTOR, now,
        body=made.body,
        media_type=made.media_type,
        basis=made.why.basis if made.why else current.basis,
        consent_epoch=made.why.epoch if made.why else None,
        sections=_sections(work, plan, current, now),
        sequence=work.deliveries.next_sequence(
            current.plan_id, current.receiver, current.format, current.subscription
        ),
        attempts=attempts,
    )  # fmt: skip
    if made.why is not None:
        _audit(work, current, made.why, now)


def _sections(
    work: UnitOfWork, plan: Plan | None, current: Delivery, now: datetime
) -> list[str] | None:
    if plan is None:
        return None
    state = plan_state(work, plan, work.parties.directory(), now)
    return open_to(state.facts, current.receiver)


def _refused(
    work: UnitOfWork, plan: Plan | None, current: Delivery, wish: Wish, now: datetime
) -> str:
    """Why it may not leave at this moment; empty if it may."""
    if current.about in KEEPALIVE:
        return ""
    sight = Sight(work, Viewer("party", current.receiver), now)
    if shown(work, sight, current) is None:
        return GONE
    frozen = current.state is not State.DUE and wish.content == "full-resource"
    if not frozen or plan is None:
        return ""
    told = frozenset(current.sections or ()) <= frozenset(_sections(work, plan, current, now) or ())
    return "" if told and plan.consent_epoch == current.consent_epoch else _NARROWED


def _as_it_was(
    work: UnitOfWork,
    delivery: Delivery,
    plan: Plan | None,
    made: _Made | None,
    subscription: FhirSubscription,
    wish: Wish,
) -> bool:
    """What it was made from holds, and nobody has stopped it since it was claimed."""
    registered = work.parties.get(delivery.receiver)
    wanted = "requested" if delivery.about == HANDSHAKE else "active"
    stopped = subscription.status != wanted or registered is None or registered.paused
    if stopped or subscription.wish != wish:
        return False
    if delivery.state is not State.DUE:
        return True
    if made is None:
        return False
    return made.why is None or plan is None or made.why.epoch == plan.consent_epoch


def _parcel(hub: Hub, delivery: Delivery, wish: Wish) -> Parcel:
    address = wish.endpoint
    assert delivery.body is not None
    if wish.channel == "message":
        address = f"{address.rstrip('/')}/$process-message"
    headers: dict[str, str] = {}
    for name, value in wish.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    headers |= {
        "ki-delivery": delivery.id,
        "ki-sequence": str(delivery.sequence),
        "ki-attempt": str(delivery.attempts),
    }
    message = Outgoing(delivery.id, delivery.body, delivery.media_type or wish.payload, headers)
    endpoint = Endpoint(HOOK, address, None, wish.timeout)
    return Parcel(message, endpoint, partial(_settle, hub, delivery, endpoint, wish))


def _understood(wish: Wish, confirm: Confirm) -> Confirm:
    """A message is answered with a message: what that says counts."""
    if wish.channel != "message" or not confirm.accepted:
        return confirm
    said = message_response(confirm.answer, confirm.answer_type)
    if said == "ok":
        return confirm
    reason = "The receiver answered the message with an error"
    return Confirm(False, reason, permanent=said == "fatal-error")


def _after_send(hub: Hub, work: UnitOfWork, delivery: Delivery, confirm: Confirm) -> None:
    now = hub.clock()
    if confirm.accepted:
        work.deliveries.move(delivery, State.DELIVERED, "The endpoint took it", ACTOR, now)
        heard_from(work, delivery.receiver, now)
        answered(work, delivery.about, delivery.subscription, now)
    elif confirm.permanent:
        fail(hub, work, delivery, confirm.reason)
    else:
        retry_after(hub, work, delivery, confirm)


def _audit(work: UnitOfWork, delivery: Delivery, why: Disclosure | None, now: datetime) -> None:
    """Of telling; with ``why`` None, of not telling."""
    place = f"{delivery.about}/_history/{delivery.version}"
    work.journal.audit(
        now, ACTOR, "disclose", why.object if why else place, party=delivery.receiver,
        basis=why.basis if why else "", outcome="success" if why else "denied",
        detail=f"delivery/{delivery.id}",
    )  # fmt: skip

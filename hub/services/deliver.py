"""Step 5: make and send what is due.

:mod:`hub.services.senders` claims in one transaction. Here the bytes are made outside any; the
basis is checked again, and bytes, ids and the consent epoch are frozen in the next (``sending``:
from here it may have left); then the transport gets them, and what it said is written. A crash in
between sends the frozen bytes again, under the same key: twice at worst, never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog

from hub.contract import Rendered
from hub.errors import HubError, Temporary, TooLargeToSend
from hub.model.delivery import State
from hub.model.lanes import BY_HAND
from hub.model.party import CITIZEN, SYSTEM, Directory, RegisteredParty
from hub.model.records import Delivery
from hub.sending import Confirm, Endpoint
from hub.services.again import audit_disclosure, begin_again
from hub.services.answering import prepare_answer
from hub.services.asking import ask_for_hand_over, ask_person
from hub.services.attempts import ACTOR, fail, outgoing, retry_after, subscription_of
from hub.services.document_send import freeze_document
from hub.services.frozen import open_to, why_not
from hub.services.gate import answers_for, is_notice, stopped
from hub.services.holding import held_back
from hub.services.hub import Hub
from hub.services.notices import freeze_notice
from hub.services.outgoing import conforming
from hub.services.parcels import Parcel
from hub.services.resend import answer_by, renewed
from hub.services.route import reconcile
from hub.services.settling import parcel
from hub.services.state import PlanState, plan_state
from hub.services.subscription_send import prepare_notification
from hub.services.threads import Before, before, remember, still
from hub.services.views import Reduced, build_view
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()
_TO_HAND: Final = Endpoint(BY_HAND, "")
Found = TypeVar("Found")


@dataclass(frozen=True)
class _Made:
    """A document made from a state of the plan, not yet frozen."""

    rendered: Rendered
    source: _Source
    reduced: Reduced


@dataclass(frozen=True)
class _Source:
    """What a document is made from, read in one transaction."""

    reduced: Reduced | None
    epoch: int
    directory: Directory
    before: Before


def prepare(hub: Hub, delivery_id: str, token: str) -> Parcel | None:
    """Make and freeze a delivery that was claimed; None if it is not to be sent now."""
    with hub.store.reading() as work:
        delivery = work.deliveries.get(delivery_id, SYSTEM)
        assert delivery is not None
        registered = work.parties.get(delivery.receiver)
        of_plan = bool(delivery.plan_id) and not delivery.subscription
        plain = of_plan and delivery.state is State.DUE and not is_notice(delivery)
        source = _source(hub, work, delivery) if plain else None
    if delivery.subscription:
        return prepare_notification(hub, delivery, token)
    if not delivery.plan_id and not delivery.document:
        return prepare_answer(hub, delivery, token)
    return _frozen(hub, delivery, registered, source, token)


def guarded(hub: Hub, delivery_id: str, token: str, step: Callable[[], Found]) -> Found | None:
    """Do one step of a delivery; what goes wrong is its own, and None comes back."""
    log = LOG.bind(delivery=delivery_id)
    try:
        return step()
    except Temporary as e:
        # Nothing has left, or nobody knows: the claim lapses, and it is taken up again.
        log.warning("delivery.waits", number=e.number)
    except TooLargeToSend as e:
        log.warning("delivery.too.large", number=e.number)
        _wait_for_person(hub, delivery_id, token, e.text)
    except HubError as e:
        log.warning("delivery.failed", number=e.number)
        _give_up(hub, delivery_id, token, e.text)
    except Exception as e:
        # One document that breaks its adapter must not stop the other deliveries.
        log.error("delivery.broke", error=type(e).__name__)
        _give_up(hub, delivery_id, token, f"The format failed ({type(e).__name__})")
    return None


def _frozen(
    hub: Hub,
    delivery: Delivery,
    registered: RegisteredParty | None,
    source: _Source | None,
    token: str,
) -> Parcel | None:
    """A copy of the plan, a notice, or a document that stands alone, in ``sending`` with its
    bytes."""
    if source is not None:
        made = _render(hub, delivery, registered, source)
        frozen = _freeze(hub, delivery, made, token)
    elif delivery.state is State.DUE:
        freeze = freeze_document if delivery.document else freeze_notice
        frozen = freeze(hub, delivery, token)
    else:
        body = renewed(hub, delivery) if delivery.state is State.RETRY_AT else None
        frozen = begin_again(hub, delivery, token, body)
    if frozen is None:
        return None
    endpoint = registered.endpoint if registered else _TO_HAND
    subscription = subscription_of(registered, delivery)
    receipt = subscription is None or subscription.receipt
    return parcel(hub, outgoing(frozen), endpoint, partial(_after_send, hub, receipt))


def _source(hub: Hub, work: UnitOfWork, delivery: Delivery) -> _Source:
    plan = work.plans.get(delivery.plan_id, SYSTEM, hub.clock())
    assert plan is not None
    directory = work.parties.directory()
    state = plan_state(work, plan, directory, hub.clock())
    reduced = build_view(work, state, delivery.version, delivery.receiver, hub.clock())
    return _Source(reduced, plan.consent_epoch, directory, before(work, state, delivery, reduced))


def _render(
    hub: Hub,
    delivery: Delivery,
    registered: RegisteredParty | None,
    source: _Source,
) -> _Made | None:
    reduced = source.reduced
    if reduced is None:
        return None
    lead = reduced.view.lead
    assert lead is not None
    subscription = subscription_of(registered, delivery)
    context = hub.context(
        source.directory,
        lead,
        delivery.id,
        thread=source.before.thread.state if source.before.thread else None,
        may_repeat=source.before.may_repeat,
        options=subscription.options if subscription else {},
        local=hub.local(delivery.receiver, delivery.format),
    )
    adapter = hub.adapters.adapter(delivery.format)
    receiver = registered.party if registered else lead
    rendered = conforming(hub, adapter.render(reduced.view, receiver, context))
    return _Made(rendered, source, reduced)


def _freeze(hub: Hub, delivery: Delivery, made: _Made | None, token: str) -> Delivery | None:
    """Commit bytes, ids, sequence and epoch; from here the message may have left. None if it is
    not to be sent now."""
    now = hub.clock()
    with hub.store.writing() as work:
        plan = work.plans.lock(delivery.plan_id)
        current = work.deliveries.lock(delivery.id, token)
        assert plan is not None
        if current is None or current.state is not State.DUE:
            return None
        directory = work.parties.directory()
        state = plan_state(work, plan, directory, now)
        refused = why_not(work, plan, state.facts, current)
        if refused:
            work.deliveries.move(current, State.CANCELLED, refused, ACTOR, now)
            audit_disclosure(work, current, now, "denied", reason=refused)
            reconcile(hub, work, plan.id, directory, actor=ACTOR)
            work.commit()
            return None
        if (
            made is None
            or not _holds(work, state, current, made)
            or stopped(work, current.receiver)
        ):
            # Something changed while the document was made: decide anew.
            work.deliveries.release(delivery.id)
            work.commit()
            return None
        registered = work.parties.get(current.receiver)
        frozen = None
        if not held_back(hub, work, current, registered, made.rendered.losses):
            _write_frozen(work, state, current, made, now, (token, now + hub.limits.send_lease))
            frozen = work.deliveries.get(delivery.id, SYSTEM, body=True)
        work.commit()
    return frozen


def _write_frozen(
    work: UnitOfWork,
    state: PlanState,
    current: Delivery,
    made: _Made,
    now: datetime,
    mine: tuple[str, datetime],
) -> None:
    """``mine``: the claim under which it stays in hand, and until when."""
    claim, until = mine
    work.deliveries.move(
        current, State.SENDING, "Frozen; on its way", ACTOR, now,
        body=made.rendered.body,
        media_type=made.rendered.media_type,
        message_id=made.rendered.message_id,
        basis=made.reduced.basis,
        consent_epoch=made.source.epoch,
        sections=open_to(state.facts, current.receiver),
        sequence=work.deliveries.next_sequence(
            state.plan.id, current.receiver, current.format
        ),
        attempts=current.attempts + 1,
        claim=claim,
        lease_until=until,
    )  # fmt: skip
    work.losses.add(made.rendered.losses, delivery_id=current.id)
    remember(work, state, current, made.source.before, made.rendered, made.reduced)
    role = state.role_of(current.receiver)
    audit_disclosure(work, current, now, "success", basis=made.reduced.basis, role=role)


def _holds(work: UnitOfWork, state: PlanState, delivery: Delivery, made: _Made) -> bool:
    """What the document was made from is so still."""
    same = state.plan.consent_epoch == made.source.epoch
    return same and still(work, state, delivery, made.source.before)


def _after_send(
    hub: Hub, receipt: bool, work: UnitOfWork, delivery: Delivery, confirm: Confirm
) -> None:
    now = hub.clock()
    if confirm.accepted and delivery.receiver == CITIZEN:
        work.deliveries.move(delivery, State.SENT, "Made; waits to be handed over", ACTOR, now)
        plan = work.plans.get(delivery.plan_id, SYSTEM, now)
        assert plan is not None
        ask_for_hand_over(work, delivery, plan.lead, now)
    elif confirm.accepted and receipt:
        by = answer_by(hub, work, delivery)
        reason = "Kept for the receiver"
        work.deliveries.move(delivery, State.SENT, reason, ACTOR, now, retry_at=by)
    elif confirm.accepted:
        work.deliveries.move(delivery, State.SENT, "Kept for the receiver", ACTOR, now)
        sent = work.deliveries.lock(delivery.id)
        assert sent is not None
        reason = "This receiver gives no receipts"
        work.deliveries.move(sent, State.DELIVERED, reason, ACTOR, now)
    elif confirm.permanent:
        fail(hub, work, delivery, confirm.reason)
    else:
        retry_after(hub, work, delivery, confirm)


def _give_up(hub: Hub, delivery_id: str, token: str, reason: str) -> None:
    with hub.store.writing() as work:
        found = work.deliveries.get(delivery_id, SYSTEM)
        if found is not None and found.subscription:
            work.subscriptions.lock(found.subscription)
        current = work.deliveries.lock(delivery_id)
        mine = work.deliveries.holds_claim(delivery_id, token)
        if mine and current is not None and current.state in {State.DUE, State.SENDING}:
            fail(hub, work, current, reason)
        work.commit()


def _wait_for_person(hub: Hub, delivery_id: str, token: str, reason: str) -> None:
    """Nothing has left and nothing is wrong with it: a person of the lead's unit acts. A document
    that stands alone has no plan to record that in; there an operator does."""
    now = hub.clock()
    with hub.store.writing() as work:
        current = work.deliveries.lock(delivery_id)
        asked = OPERATOR if current and current.document else None
        if current and asked is None:
            asked = answers_for(work, current, now)
        mine = work.deliveries.holds_claim(delivery_id, token)
        if mine and current is not None and asked is not None and current.state is State.DUE:
            work.deliveries.move(current, State.BLOCKED, reason, ACTOR, now)
            ask_person(work, "too-large", current, asked, now)
        work.commit()

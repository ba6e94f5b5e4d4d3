"""Notices: what a receiver of a plan is told about it, without any of its content.

A notice is a delivery like every other: a row in the transaction of its cause, frozen, sent,
receipted. It goes to whom something was sent, and to nobody else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.contract import Adapter, Notice, Party, Rendered
from hub.model.delivery import State
from hub.model.party import SYSTEM, Directory, RegisteredParty
from hub.model.records import Delivery, Plan, Thread
from hub.model.withdrawal import NOTICE, TEXTS
from hub.ports import carries_notices
from hub.services.again import audit_disclosure
from hub.services.attempts import ACTOR
from hub.services.gate import refused_now, stopped
from hub.services.hub import Hub, repeatable
from hub.services.outgoing import conforming
from hub.store.work import UnitOfWork

BASIS = "notice"
"""The basis of telling a receiver that what it has may be used no more."""


def add_notice(
    hub: Hub,
    work: UnitOfWork,
    plan: Plan,
    receiver: str,
    kind: str,
    cause: str,
    actor: str,
    now: datetime,
) -> None:
    """Tell the receiver; once for each cause."""
    registered = work.parties.get(receiver)
    if registered is None:
        return
    notice_id = repeatable("notice", plan.id, receiver, kind, cause)
    if work.deliveries.get(notice_id, SYSTEM) is not None:
        return
    format_ = _format(hub, work, plan, registered)
    made = notice_row(notice_id, plan.id, receiver, format_, plan.head, NOTICE + kind, now)
    work.deliveries.add(made, actor)


def notice_row(
    id_: str, plan: str, receiver: str, format_: str, version: int, about: str, now: datetime
) -> Delivery:
    """A notice that is due."""
    return Delivery(
        id=id_,
        plan_id=plan,
        receiver=receiver,
        format=format_,
        version=version,
        digest="",
        state=State.DUE,
        reason="A notice; it holds nothing of the plan",
        basis=BASIS,
        created_at=now,
        updated_at=now,
        about=about,
    )


def _format(hub: Hub, work: UnitOfWork, plan: Plan, registered: RegisteredParty) -> str:
    """What the party asks for notices in, else what it last had that carries one, else the
    format that is made for them."""
    asked = [s.format for s in registered.subscriptions if s.content == "notice"]
    had = [d.format for d in work.deliveries.of_plan(plan.id, registered.party.id) if d.attempts]
    wished = [s.format for s in registered.subscriptions]
    for wanted in (*asked, *reversed(had), *wished):
        if carries_notices(hub.adapters.adapter(wanted)):
            return wanted
    return hub.adapters.for_notices().format


def freeze_notice(hub: Hub, delivery: Delivery, token: str) -> Delivery | None:
    """Make it and commit its bytes; None if it is not to be sent now."""
    with hub.store.reading() as work:
        plan = work.plans.get(delivery.plan_id, SYSTEM, hub.clock())
        registered = work.parties.get(delivery.receiver)
        directory = work.parties.directory()
        thread = work.conversations.thread(delivery.plan_id, delivery.receiver, delivery.format)
    assert plan is not None
    assert registered is not None
    lead = directory.get(plan.lead)
    assert lead is not None
    made = _render(hub, delivery, registered, (lead, directory), thread)
    now = hub.clock()
    with hub.store.writing() as work:
        work.plans.lock(delivery.plan_id)
        current = work.deliveries.lock(delivery.id, token)
        if current is None or current.state is not State.DUE:
            return None
        refused = refused_now(work, current, now)
        same = thread == work.conversations.thread(
            delivery.plan_id, delivery.receiver, delivery.format
        )
        goes = not refused and same and not stopped(work, delivery.receiver)
        if refused:
            work.deliveries.move(current, State.CANCELLED, refused, ACTOR, now)
        elif not goes:
            work.deliveries.release(current.id)
        else:
            _write(work, current, made, thread, now)
            work.deliveries.lease(current.id, now + hub.limits.send_lease, token)
        frozen = work.deliveries.get(delivery.id, SYSTEM, body=True) if goes else None
        work.commit()
    return frozen


def _write(
    work: UnitOfWork, current: Delivery, made: Rendered, thread: Thread | None, now: datetime
) -> None:
    work.deliveries.move(
        current, State.SENDING, "Frozen; on its way", ACTOR, now,
        body=made.body,
        media_type=made.media_type,
        message_id=made.message_id,
        sequence=work.deliveries.next_sequence(
            current.plan_id, current.receiver, current.format
        ),
        attempts=current.attempts + 1,
    )  # fmt: skip
    if made.thread is not None and thread is not None:
        # The next document repeats the thread only when this message too was acknowledged.
        told = replace(thread.continued_by(made.thread), delivery_id=current.id)
        work.conversations.save_thread(current.plan_id, current.receiver, current.format, told)
    audit_disclosure(work, current, now, "success", basis=BASIS)


def _render(
    hub: Hub,
    delivery: Delivery,
    registered: RegisteredParty,
    told: tuple[Party, Directory],
    thread: Thread | None,
) -> Rendered:
    lead, directory = told
    adapter: Adapter = hub.adapters.adapter(delivery.format)
    options = next((s.options for s in registered.subscriptions if s.format == delivery.format), {})
    context = hub.context(
        directory, lead, delivery.id,
        thread=thread.state if thread else None,
        options=options,
        local=hub.local(delivery.receiver, delivery.format),
    )  # fmt: skip
    kind = delivery.about.removeprefix(NOTICE)
    content = Notice(delivery.plan_id, kind, TEXTS[kind])
    return conforming(hub, adapter.render(content, registered.party, context))

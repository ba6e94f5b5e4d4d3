"""One round of a worker's work. Every step may be interrupted, and run beside others."""

from __future__ import annotations

from datetime import timedelta

import structlog

from hub.contract import Party
from hub.errors import (
    BusUnavailable,
    HubError,
    Issue,
    NotFound,
    StoreUnavailable,
    Temporary,
)
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.numbers import id_names_a_citizen
from hub.fhir.outcome import error_outcome, outcome, status_of
from hub.model.delivery import FINAL
from hub.model.party import Viewer
from hub.model.records import InboxItem, Task
from hub.ports import InboundMessage, answers_queue, deliveries_queue
from hub.sending import Outgoing
from hub.services.accept import accept
from hub.services.attempts import fail
from hub.services.clock_steps import follow_clock
from hub.services.denied import audit_refusal
from hub.services.hub import Hub, new_id, repeatable
from hub.services.lapse import ACTOR, follow_time
from hub.services.logins import forget_logins
from hub.services.missed import ask_for_missed, read_wish
from hub.services.operate import dead_letters
from hub.services.operate.many import go_on
from hub.services.process import process
from hub.services.recall import recall_due
from hub.services.resend import ask_again
from hub.services.retention import expire
from hub.services.senders import Senders, deliver_due
from hub.services.settle import read_receipt, receipt_for
from hub.services.subscription_events import number_due
from hub.services.subscription_state import keep_alive
from hub.services.withdrawal import settle_withdrawals
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

LOG = structlog.get_logger()


def work_once(hub: Hub, senders: Senders | None = None) -> int:
    """Process kept messages, publish answers, deliver what is due; returns how much was done.

    With ``senders``, sending is begun and not waited for.
    """
    with hub.store.reading() as work:
        waiting = work.inbox.waiting(hub.clock(), hub.limits.batch)
    for item_id in waiting:
        if hub.hand.ending.is_set():
            return 0
        try:
            process(hub, item_id)
        except Temporary as e:
            LOG.warning("message.later", inbox=item_id, number=e.number)
    told = number_due(hub) + keep_alive(hub) + ask_again(hub) + go_on(hub)
    # Before anything new is sent: what may not be had any more.
    taken = recall_due(hub) + settle_withdrawals(hub)
    answered = _answer(hub)
    begun = senders.begin() if senders else deliver_due(hub)
    return len(waiting) + answered + told + taken + begun


def _answer(hub: Hub) -> int:
    """Put each committed answer on its sender's queue; the message id correlates.

    Published together, their confirms awaited together. While the broker is away they wait, and
    nobody else waits for them: receivers that are reached without it get theirs all the same.
    """
    with hub.store.reading() as work:
        items = work.inbox.unanswered(hub.limits.batch)
    try:
        confirms = hub.bus.publish_many([(answers_queue(i.sender), _answered(i)) for i in items])
    except BusUnavailable as e:
        LOG.warning("answers.later", number=e.number)
        return 0
    for item, confirm in zip(items, confirms, strict=True):
        with hub.store.writing() as work:
            if not confirm.accepted:
                LOG.warning("answer.refused", inbox=item.id, reason=confirm.reason)
                _ask_operator(hub, work, item)
            work.inbox.mark_answered(item.id)
            work.commit()
    return len(items)


def _answered(item: InboxItem) -> Outgoing:
    return Outgoing(
        key=item.id,
        body=(item.answer or "").encode(),
        media_type="application/fhir+json",
        headers={
            "ki-answers": item.message_id,
            "ki-status": str(item.status),
            "ki-location": _location(item),
        },
    )


def _ask_operator(hub: Hub, work: UnitOfWork, item: InboxItem) -> None:
    """The sender does not get its answer by itself; a person must see to it."""
    text = "An answer could not be put on its sender's queue; tell the sender, mend the queue"
    task_id = repeatable("task", "answer", item.id)
    now = hub.clock()
    work.journal.open_task(Task(task_id, "answer", OPERATOR, text, None, None, item.id, now))


def _location(item: InboxItem) -> str:
    return f"CarePlan/{item.plan_id}/_history/{item.plan_version}" if item.plan_id else ""


def receive(hub: Hub, message: InboundMessage) -> None:
    """A message from the broker: committed when this returns, so that it may be acknowledged.

    A refusal is answered and not raised: the broker must not bring the same bytes again.
    """
    if message.kind == "dead":
        _dead(hub, message)
        return
    with hub.store.reading() as work:
        registered = work.parties.get(message.user)
    if registered is None:
        raise NotFound("The broker's user is no party here")
    sender = registered.party
    try:
        if message.kind == "receipt":
            _of_receiver(hub, sender, message)
        else:
            accepted = accept(
                hub, sender, message.format, message.body, message.media_type,
                message_id=message.message_id, channel="amqp",
            )  # fmt: skip
            if accepted.duplicate:
                _answer_again(hub, accepted.item.id)
    except (StoreUnavailable, Temporary):
        raise
    except HubError as e:
        _refused(hub, sender.id, message, e)


def _answer_again(hub: Hub, item_id: str) -> None:
    """A resend gets the same answer once more."""
    with hub.store.writing() as work:
        work.inbox.mark_answered(item_id, answered=False)
        work.commit()
    hub.wake.set()


def _of_receiver(hub: Hub, sender: Party, message: InboundMessage) -> None:
    """A receiver's receipt, or its question for what it missed; that one is answered."""
    content = parse_json(message.body)
    if "missed" not in content:
        receipt_for(hub, sender, read_receipt(message.body))
        return
    wish = read_wish(content["missed"])
    try:
        rows = ask_for_missed(hub, sender, wish)
    except HubError as e:
        named = {"plan": wish.plan}
        audit_refusal(hub, Viewer.of(sender), "act", "receipts missed {plan}", named, e)
        raise
    text = f"Of what you missed, {len(rows)} are on their way, or wait for you"
    body = dump_json(outcome((Issue("information", "informational", text),)))
    _tell(hub, sender.id, message, body, 202)


def _refused(hub: Hub, sender: str, message: InboundMessage, error: HubError) -> None:
    LOG.warning("message.refused", sender=sender, number=error.number)
    _tell(hub, sender, message, dump_json(error_outcome(error)), status_of(error))


def _tell(hub: Hub, sender: str, message: InboundMessage, body: bytes, status: int) -> None:
    # An id that was refused for what it may hold is not repeated either.
    known_as = "" if id_names_a_citizen(message.message_id or "") else message.message_id or ""
    answer = Outgoing(
        key=new_id(),
        body=body,
        media_type="application/fhir+json",
        headers={"ki-answers": known_as, "ki-status": str(status)},
    )
    hub.bus.publish(answers_queue(sender), answer)


def _dead(hub: Hub, message: InboundMessage) -> None:
    """A dead letter becomes an operator's task; its bytes are kept in the hub's own queue."""
    now = hub.clock()
    with hub.store.writing() as work:
        key = dead_letters.keep(hub, work, message)
        _give_up(hub, work, message)
        text = "A message on the broker could not be taken; see the dead letters"
        task = Task(dead_letters.task_of(key), "dead-letter", OPERATOR, text, None, None, None, now)
        work.journal.open_task(task)
        work.commit()


def _give_up(hub: Hub, work: UnitOfWork, message: InboundMessage) -> None:
    """What the broker gave up of the hub's own makes its delivery dead; later ones go on.

    Only the hub publishes to a deliveries queue; a party's own message names no delivery here,
    whatever its id.
    """
    delivery = work.deliveries.lock(message.message_id) if message.message_id else None
    if delivery is None or delivery.state in FINAL or delivery.sequence is None:
        return
    if not message.user and message.reason.endswith(f" in {deliveries_queue(delivery.receiver)}"):
        fail(hub, work, delivery, "The broker gave it up; see the dead letters")


def maintain(hub: Hub) -> int:
    """Delete what has been kept long enough, and follow consents that began or ended."""
    follow_clock(hub)
    follow_time(hub)
    now = hub.clock()
    with hub.store.writing() as work:
        deleted = work.inbox.delete_expired_seals(now)
        unreadable = work.inbox.delete_unreadable(now - timedelta(days=hub.limits.refused_days))
        for message in unreadable:
            # Nobody can look any more at what was set aside, so nobody is asked to.
            work.journal.close_tasks(ACTOR, now, kind="set-aside", inbox_id=message)
        work.commit()
    deleted += len(unreadable) + forget_logins(hub)
    return deleted + dead_letters.expire(hub) + expire(hub)

"""Dead letters: what the broker gave up, looked at, put back or let go by an operator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from hub.errors import Invalid, NotFound
from hub.fhir.codec import parse_json
from hub.fhir.numbers import id_names_a_citizen
from hub.model.dead_letter import DeadLetter, read_letter
from hub.model.party import SYSTEM, RegisteredParty, Viewer
from hub.ports import InboundMessage, answers_queue
from hub.sending import Outgoing
from hub.services.accept import accept
from hub.services.hub import Hub, repeatable, sha256
from hub.services.kept import KeptBytes, kept_reason
from hub.services.operate.one import Order, do
from hub.services.overview import for_operators
from hub.services.queries import the_one
from hub.services.settle import read_receipt, receipt_for
from hub.store.audit_rows import HUB
from hub.store.queues import Waiting
from hub.store.work import UnitOfWork

QUEUE: Final = "ki.dead"
_UNKNOWN: Final = "No such dead letter waits"
NOT_KEPT: Final = "It was larger than this hub reads, and its bytes were not kept"
NOT_KNOWN: Final = "It cannot be put back: what it was, or whose, is not known; let it go"


def keep(hub: Hub, work: UnitOfWork, message: InboundMessage) -> str:
    """Put it with the dead letters; returns its key. The same one twice is one, but one that
    was put back and died again is there again."""
    named = (message.user, message.message_id or "", message.reason)
    key = repeatable("dead-letter", sha256(*(n.encode() for n in named), message.body))
    headers = {
        "reason": message.reason, "user": message.user, "format": _plain(message.format),
        "message-id": _plain(message.message_id or ""),
    }  # fmt: skip
    work.queues.reopen(QUEUE, key)
    work.queues.add(QUEUE, Outgoing(key, message.body, message.media_type, headers), hub.clock())
    return key


def _plain(name: str) -> str:
    """What a party named it, which is shown: never a citizen's number."""
    return "" if id_names_a_citizen(name) else name


def task_of(key: str) -> str:
    """The id of the operator's task about it."""
    return repeatable("task", "dead-letter", key)


def letters(hub: Hub, viewer: Viewer) -> list[DeadLetter]:
    """Every one that waits, oldest first; nothing of what they hold."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return [
            read_letter(m.key, m.at, m.headers, m.media_type, len(m.body))
            for m in work.queues.waiting(QUEUE, limit=None)
        ]


def letter(hub: Hub, viewer: Viewer, key: str) -> DeadLetter:
    """One of them; NotFound for one that was put back or let go."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return _waiting(work, key)


def whole_key(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The key of the letter that begins so; NotFound, or Invalid for several."""
    found = [x.key for x in letters(hub, viewer) if x.key.startswith(beginning)]
    return the_one(found if beginning else [], "dead letter")


def look(hub: Hub, viewer: Viewer, key: str, *, reason: str, actor: str = "") -> KeptBytes:
    """Its bytes, once the look is committed to the audit trail."""
    for_operators(viewer)
    why = kept_reason(reason)
    with hub.store.writing() as work:
        found = _waiting(work, key)
        kept = work.queues.get(QUEUE, key)
        if kept is None or not kept.body:
            raise NotFound("Its bytes were too many to be kept, or are deleted")
        _audit(hub, work, found, actor or viewer.id, "break-glass", why)
        work.commit()
    return KeptBytes(kept.body, f"dead-letter-{key[:8]}.bin")


def discard(hub: Hub, viewer: Viewer, key: str, *, reason: str, actor: str = "") -> None:
    """It is not to be put back. Its bytes stay until the time of what could not be read is up."""
    for_operators(viewer)
    why, by = kept_reason(reason), actor or viewer.id
    with hub.store.writing() as work:
        found = _waiting(work, key)
        _gone(hub, work, found, by, "discard", why)
        work.commit()


def replay(hub: Hub, viewer: Viewer, key: str, *, reason: str, actor: str = "") -> str:
    """Put it back; returns what became of it: ``message/<id>``, ``delivery/<id>`` or so.

    A document or receipt comes in again as its sender's, by the identity that the broker had
    checked; what was taken meanwhile is known by its message id and not done twice. A delivery
    is sent again, if it may be. Raises Invalid with the reason where it cannot be put back, and
    what accepting it raises; then it stays where it is.
    """
    for_operators(viewer)
    why, by = kept_reason(reason), actor or viewer.id
    with hub.store.reading() as work:
        found = _waiting(work, key)
        kept = work.queues.get(QUEUE, key)
    assert kept is not None
    if found.way in {"document", "receipt"}:
        became = _taken_in(hub, found, kept.body)
        with hub.store.writing() as work:
            _waiting(work, key)
            _gone(hub, work, found, by, "replay", why, became)
            work.commit()
        return became
    with hub.store.writing() as work:
        _waiting(work, key)
        became = _sent_again(hub, work, found, Order("resend", by, why, f"dead-letter-{key[:8]}"))
        _gone(hub, work, found, by, "replay", why, became)
        work.commit()
    hub.wake.set()
    return became


def _taken_in(hub: Hub, found: DeadLetter, body: bytes) -> str:
    sender = _sender(hub, found)
    if not body:
        raise Invalid(NOT_KEPT)
    if found.way == "receipt":
        if "missed" in parse_json(body):
            raise Invalid("It asked for what its sender missed; let it go, its sender asks again")
        return f"delivery/{receipt_for(hub, sender.party, read_receipt(body)).id}"
    accepted = accept(
        hub, sender.party, found.format, body, found.media_type,
        message_id=found.message_id or None, channel="amqp",
    )  # fmt: skip
    return f"message/{accepted.item.id}"


def _sender(hub: Hub, found: DeadLetter) -> RegisteredParty:
    with hub.store.reading() as work:
        sender = work.parties.get(found.user)
    if sender is None:
        raise Invalid("Its sender is no party here")
    return sender


def _sent_again(hub: Hub, work: UnitOfWork, found: DeadLetter, order: Order) -> str:
    if found.way == "delivery":
        delivery = work.deliveries.get(found.message_id, SYSTEM)
        if delivery is None:
            raise Invalid("It names no delivery of this hub's; it cannot be put back")
        done, told = do(hub, work, delivery.id, order)
        if not done:
            raise Invalid(told)
        return f"delivery/{delivery.id}"
    if found.way == "answer":
        item = work.inbox.get(found.message_id, SYSTEM)
        if item is not None and found.queue == answers_queue(item.sender):
            work.inbox.mark_answered(item.id, answered=False)
            return f"message/{item.id}"
    raise Invalid(NOT_KNOWN)


def _waiting(work: UnitOfWork, key: str) -> DeadLetter:
    kept = work.queues.get(QUEUE, key)
    if kept is None or not work.queues.holds(QUEUE, key):
        raise NotFound(_UNKNOWN)
    return read_letter(kept.key, kept.at, kept.headers, kept.media_type, len(kept.body))


def _gone(
    hub: Hub, work: UnitOfWork, found: DeadLetter, by: str, action: str, why: str, became: str = ""
) -> None:
    work.queues.settle(QUEUE, found.key, hub.clock())
    work.journal.close_tasks(by, hub.clock(), task_id=task_of(found.key))
    _audit(hub, work, found, by, action, why, became)


def _audit(
    hub: Hub, work: UnitOfWork, found: DeadLetter, by: str, action: str, why: str, became: str = ""
) -> None:
    """Of a delivery in the record of its plan: whoever looked saw something of it."""
    about = work.deliveries.get(found.message_id, SYSTEM) if found.way == "delivery" else None
    party = about.receiver if about else found.user or None
    work.journal.audit(
        hub.clock(), by, action, f"dead-letter/{found.key}", party=party, detail=became,
        plan_id=(about.plan_id or None) if about else None, role="operator", reason=why,
    )  # fmt: skip


def expire(hub: Hub) -> int:
    """Delete what came so long ago that nobody needs to look at it, as with all that could not be
    read; nothing about a plan or citizen under a legal hold."""
    now = hub.clock()
    before = now - timedelta(days=hub.limits.refused_days)
    with hub.store.writing() as work:
        old = [m for m in work.queues.old(QUEUE, before) if not _is_held(work, m)]
        for one in old:
            work.queues.empty(QUEUE, one.key, now)
            work.journal.close_tasks(HUB, now, task_id=task_of(one.key))
        if old:
            work.commit()
    return len(old)


def _is_held(work: UnitOfWork, kept: Waiting) -> bool:
    return work.retention.held_delivery(kept.headers.get("message-id", ""))


def letter_row(found: DeadLetter) -> dict[str, Any]:
    """As API and CLI give it."""
    return {
        "letter": found.key,
        "way": found.way,
        "sender": found.user or None,
        "queue": found.queue,
        "reason": found.reason,
        "format": found.format or None,
        "about": found.message_id or None,
        "bytes": found.size,
        "at": found.at.isoformat(),
    }

"""Messages that have ids of their own and are acknowledged by a message: known again, answered.

A message is named twice: by its envelope, new each time it is sent, and by its own id, the same
each time. What is kept decides between the four cases (docs/medcom.md). The acknowledgement is a
delivery: a row in the transaction that settles the message it answers, sent like any other.
"""

from __future__ import annotations

from typing import Literal

from hub.capabilities import Conversing
from hub.contract import RawMessage, Rendered
from hub.errors import Busy, HubError, Issue, MessageReused
from hub.model.delivery import ACKNOWLEDGES, State
from hub.model.party import SYSTEM, RegisteredParty
from hub.model.records import Delivery, InboxItem
from hub.services.hub import Hub, new_id
from hub.services.received import issues_of
from hub.store.work import UnitOfWork

Outcome = Literal["ok", "transient", "permanent"]


def met_before(
    hub: Hub, work: UnitOfWork, item: InboxItem, sender: RegisteredParty
) -> InboxItem | None:
    """The row in which this message was kept before; None if it is new, and then it is known now.

    New is also what came before and could not be processed then. Its ids decide, and what it says
    does not (MedCom's rule MR8). Raises MessageReused for an envelope's id that named another
    message, Busy while the first one is being processed.
    """
    adapter = hub.adapters.adapter(item.format)
    named = adapter.names(item.body or b"") if isinstance(adapter, Conversing) else None
    if named is None:
        return None
    envelope = work.conversations.envelope(item.sender, named.envelope)
    if envelope is not None and envelope[0] != named.message:
        text = "The envelope's id was used before, for another message; each one has its own"
        raise MessageReused(text, at="Bundle.id")
    first_id = work.conversations.message(item.sender, named.message)
    first = work.inbox.get(first_id, SYSTEM) if first_id not in {None, item.id} else None
    if first is not None and first.state == "received":
        raise Busy("The same message is being processed; this one waits for its answer")
    if first is None or first.state == "set-aside":
        work.conversations.take_over(item.sender, named.message, item.id)
        work.conversations.add_envelope(item.sender, named, item.id, item.received_at)
        return None
    work.conversations.add_envelope(item.sender, named, first.id, item.received_at)
    return first


def says_the_same(hub: Hub, item: InboxItem, first: InboxItem, sender: RegisteredParty) -> bool:
    """Of a message that came again: nobody reads it, but the audit tells what was not read."""
    fingerprint = hub.adapters.adapter(item.format).fingerprint
    return len({fingerprint(raw(i, sender)) for i in (item, first) if i.body is not None}) < 2


def raw(item: InboxItem, sender: RegisteredParty) -> RawMessage:
    """The kept message as its adapter reads it."""
    return RawMessage(
        sender.party, item.format, item.body or b"", item.media_type, item.message_id,
        item.received_at,
    )  # fmt: skip


def outcome_of(item: InboxItem) -> Outcome:
    """What the stored answer of a settled message says in an acknowledgement."""
    if item.state == "set-aside":
        return "transient"
    return "permanent" if item.state in {"refused", "sealed"} else "ok"


def outcome_for(error: HubError) -> Outcome:
    """The same of an error."""
    return "transient" if error.move in {"operator", "nobody"} else "permanent"


def acknowledgement(
    hub: Hub,
    item: InboxItem,
    sender: RegisteredParty,
    outcome: Outcome,
    issues: tuple[Issue, ...] = (),
    *,
    first: InboxItem | None = None,
) -> Rendered | None:
    """The answer to a kept message; None where the format has none, or none is due.

    ``first``: the row the message was first kept in; the answer is the same, in a new envelope.
    """
    adapter = hub.adapters.adapter(item.format)
    if item.request is not None or item.body is None or not isinstance(adapter, Conversing):
        return None
    with hub.store.reading() as work:
        directory = work.parties.directory()
    context = hub.context(directory, sender.party, (first or item).id)
    return adapter.answer(raw(item, sender), outcome, issues, context)


def put_on_its_way(hub: Hub, work: UnitOfWork, item: InboxItem, answer: Rendered | None) -> None:
    """The row of an acknowledgement, frozen: the worker sends it as it is."""
    if answer is None:
        return
    now = hub.clock()
    delivery = Delivery(
        id=new_id(),
        plan_id="",
        receiver=item.sender,
        format=item.format,
        version=0,
        digest=item.body_hash,
        state=State.SENDING,
        reason="Acknowledges a received message",
        basis="",
        attempts=1,
        sequence=work.deliveries.next_sequence("", item.sender, item.format),
        message_id=answer.message_id,
        media_type=answer.media_type,
        created_at=now,
        updated_at=now,
        about=f"{ACKNOWLEDGES}{item.id}",
        body=answer.body,
    )
    work.deliveries.add(delivery, "hub")


def answer_again(hub: Hub, item: InboxItem) -> None:
    """The same bytes came again: the same acknowledgement, in a new envelope."""
    with hub.store.reading() as work:
        kept = work.inbox.get(item.id, SYSTEM)
        sender = work.parties.get(item.sender)
    if kept is None or sender is None or kept.answer is None:
        return
    answer = acknowledgement(hub, kept, sender, outcome_of(kept), issues_of(kept.answer))
    if answer is not None:
        with hub.store.writing() as work:
            put_on_its_way(hub, work, kept, answer)
            work.commit()
        hub.wake.set()

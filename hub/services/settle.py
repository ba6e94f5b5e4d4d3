"""Step 6: a receiver's receipt settles its delivery; a second one changes nothing."""

from __future__ import annotations

from hub.contract import Party, Receipt
from hub.errors import Invalid, NotFound
from hub.fhir.codec import parse_json
from hub.model.delivery import FINAL, State
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.services.attempts import fail, retry_or_fail
from hub.services.hub import Hub
from hub.services.resend import once_more, patience_with
from hub.services.silence import heard_from
from hub.store.work import UnitOfWork


def settle(hub: Hub, work: UnitOfWork, receiver: Party, receipt: Receipt) -> Delivery:
    """ok: delivered. transient: tried again. permanent: dead, and the operator is asked.

    Raises NotFound for a message that this party was never sent.
    """
    found = work.deliveries.by_message(receiver.id, receipt.of)
    delivery = work.deliveries.lock(found.id) if found else None
    unsent = delivery is None or (delivery.body is None and delivery.sequence is None)
    # A notification is answered where it is received; nothing else settles it.
    if delivery is None or unsent or delivery.subscription:
        raise NotFound("No such message was sent to you")
    now = hub.clock()
    heard_from(work, receiver.id, now)
    if receipt.outcome != "transient":
        # An acknowledgement by another way than the mailbox empties the mailbox too.
        work.queues.settle(deliveries_queue(receiver.id), delivery.id, now)
    if _changes_nothing(delivery, receipt):
        text = f"Answered once more ({receipt.outcome}); nothing is changed by it"
        work.deliveries.note(delivery.id, now, delivery.state, text, receiver.id)
        return delivery
    work.deliveries.set_outcome(delivery.id, receipt.outcome)
    if receipt.outcome == "ok":
        reason = "The receiver has it"
        work.deliveries.move(delivery, State.DELIVERED, reason, receiver.id, now)
        work.journal.close_tasks(receiver.id, now, delivery_id=delivery.id)
    elif receipt.outcome == "transient":
        _later(hub, work, delivery)
    else:
        fail(hub, work, delivery, "The receiver refused it")
    hub.wake.set()
    return delivery


def _changes_nothing(delivery: Delivery, receipt: Receipt) -> bool:
    """It is settled, or waits already; but what was given up is delivered if its receiver says so
    after all. A refusal is not taken back by an acknowledgement of the same message."""
    late = delivery.state is State.DEAD and delivery.outcome != "permanent"
    if receipt.outcome == "ok" and late:
        return False
    again = receipt.outcome == "transient" and delivery.state is State.RETRY_AT
    return delivery.state in FINAL or again


def _later(hub: Hub, work: UnitOfWork, delivery: Delivery) -> None:
    reason, patience = "The receiver could not take it now", patience_with(hub, work, delivery)
    if patience is None:
        retry_or_fail(hub, work, delivery, reason)
    elif not once_more(hub, work, delivery, patience, reason, hub.clock() + patience.wait):
        fail(hub, work, delivery, f"{reason} (every attempt is spent)")


def receipt_for(hub: Hub, receiver: Party, receipt: Receipt) -> Delivery:
    """Settle in a transaction of its own."""
    with hub.store.writing() as work:
        delivery = settle(hub, work, receiver, receipt)
        work.commit()
    return delivery


def read_receipt(body: bytes) -> Receipt:
    """``{"delivery": id, "outcome": "ok" | "transient" | "permanent", "text": …}``."""
    content = parse_json(body)
    outcome = content.get("outcome")
    if outcome not in {"ok", "transient", "permanent"} or not content.get("delivery"):
        raise Invalid("A receipt names its delivery and says ok, transient or permanent")
    return Receipt(of=str(content["delivery"]), outcome=outcome, text="")

"""A party fetches and receipts its deliveries over HTTP. Fetching is the disclosure: it is
decided and audited when it happens, not when the message was put there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from hub.contract import Party, Receipt
from hub.errors import NotFound
from hub.model.delivery import State
from hub.model.party import Viewer
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.services.gate import refused_now
from hub.services.hub import Hub
from hub.services.settle import settle
from hub.services.silence import heard_from
from hub.store.queues import Waiting
from hub.store.work import UnitOfWork

MOST: Final = 100
"""Letters listed at once."""
_AT_THE_RECEIVER: Final = frozenset({State.SENDING, State.SENT, State.RETRY_AT, State.DELIVERED})


@dataclass(frozen=True)
class Letter:
    """A message in the mailbox."""

    id: str
    """The delivery id: tells a resend from a new message."""
    format: str
    media_type: str
    plan: str
    """Empty for an answer, which is of no plan, and for a document that stands alone."""
    document: str
    """The CarePlan of such a document; else empty."""
    sequence: int
    """Of this plan, or document, in this format; a gap means something is missing."""
    at: datetime
    body: bytes


def waiting(hub: Hub, party: Party) -> list[Letter]:
    """What has not been receipted and may be had now, oldest first; the first hundred."""
    with hub.store.reading() as work:
        letters = (
            _letter(m, delivery)
            # Counted after the choice: what may not be had must not stand before what may.
            for m in work.queues.waiting(deliveries_queue(party.id), limit=None)
            if (delivery := _may_have(hub, work, party, m.key)) is not None
        )
        return list(islice(letters, MOST))


def fetch(hub: Hub, party: Party, key: str) -> Letter:
    """One message, audited; NotFound when there is none, or no legal basis for it now."""
    with hub.store.writing() as work:
        message = work.queues.get(deliveries_queue(party.id), key)
        delivery = _may_have(hub, work, party, key) if message else None
        if message is None or delivery is None:
            raise NotFound("No such message waits for you")
        heard_from(work, party.id, hub.clock())
        work.journal.audit(
            hub.clock(), party.id, "fetch", delivery.place, party=party.id,
            basis=delivery.basis, detail=f"delivery/{delivery.id}",
        )  # fmt: skip
        work.commit()
    return _letter(message, delivery)


def receipt(hub: Hub, party: Party, answer: Receipt) -> Delivery:
    """Settle the delivery and take it out of the mailbox, in one transaction."""
    with hub.store.writing() as work:
        delivery = settle(hub, work, party, answer)
        work.commit()
        found = work.deliveries.get(delivery.id, Viewer.of(party))
    assert found is not None
    return found


def _may_have(hub: Hub, work: UnitOfWork, party: Party, key: str) -> Delivery | None:
    delivery = work.deliveries.get(key, Viewer.of(party))
    if delivery is None or delivery.state not in _AT_THE_RECEIVER:
        return None
    registered = work.parties.get(party.id)
    if registered is None or registered.paused:
        return None
    return None if refused_now(work, delivery, hub.clock()) else delivery


def _letter(message: Waiting, delivery: Delivery) -> Letter:
    return Letter(
        message.key, delivery.format, message.media_type, delivery.plan_id, delivery.document,
        delivery.sequence or 0, message.at, message.body,
    )  # fmt: skip

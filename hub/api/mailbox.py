"""A party's mailbox: list, fetch, receipt."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from hub.api.security import HubDep, PartyDep
from hub.contract import Receipt
from hub.services import mailbox

ROUTER = APIRouter(tags=["mailbox"])
_DOCUMENT: Final[dict[str, Any]] = {
    "description": "The document, in its format's media type",
    "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
}


class Waiting(BaseModel):
    """A message that waits."""

    delivery: str
    format: str
    media_type: str
    plan: str | None
    """None: an answer, which is of no plan, or a document that stands alone."""
    document: str | None
    """The CarePlan of a document that stands alone."""
    sequence: int
    href: str


class ReceiptIn(BaseModel):
    """The receiver's answer to one message."""

    outcome: Literal["ok", "transient", "permanent"]


class DeliveryState(BaseModel):
    """How the delivery now stands."""

    delivery: str
    state: str


@ROUTER.get("/mailbox")
def list_mailbox(hub: HubDep, party: PartyDep) -> list[Waiting]:
    """What has not been receipted, oldest first."""
    return [
        Waiting(
            delivery=m.id, format=m.format, media_type=m.media_type, plan=m.plan or None,
            document=m.document or None, sequence=m.sequence, href=f"/mailbox/{m.id}",
        )
        for m in mailbox.waiting(hub, party.party)
    ]  # fmt: skip


@ROUTER.get("/mailbox/{delivery}", response_class=Response, responses={200: _DOCUMENT})
def fetch(delivery: str, hub: HubDep, party: PartyDep) -> Response:
    """The document itself. Fetching is not receipting: it stays until it is receipted."""
    found = mailbox.fetch(hub, party.party, delivery)
    headers = {
        "KI-Delivery": found.id,
        "KI-Format": found.format,
        "KI-Sequence": str(found.sequence),
        "Cache-Control": "no-store",
    }
    of = {"KI-Plan": found.plan, "KI-Document": found.document}
    headers |= {name: value for name, value in of.items() if value}
    return Response(found.body, headers=headers, media_type=found.media_type)


@ROUTER.post("/mailbox/{delivery}/receipt")
def receipt(delivery: str, answer: ReceiptIn, hub: HubDep, party: PartyDep) -> DeliveryState:
    """Settle a delivery; sending the same receipt again changes nothing."""
    found = mailbox.receipt(hub, party.party, Receipt(delivery, answer.outcome))
    return DeliveryState(delivery=found.id, state=found.state.value)

"""POST /fhir/$process-message (https://hl7.org/fhir/R4/messageheader-operation-process-message.html).

The event in the MessageHeader finds the format; everything else is as for /documents, and bytes
that cannot be read are kept just the same.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.documents import receive
from hub.api.fhir_http import read_body
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Operation
from hub.errors import InputRefused, Malformed
from hub.services.hub import CANONICAL, Hub

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (
    Operation(
        "process-message",
        "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message",
    ),
)


@ROUTER.post("/fhir/$process-message", include_in_schema=False)
def process_message(request: Request, body: BodyDep, hub: HubDep, sender: PartyDep) -> Response:
    """A FHIR message Bundle."""
    return receive(hub, sender.party, _format(hub, request, body), body, request)


def _format(hub: Hub, request: Request, body: bytes) -> str:
    """The format of the message's event.

    Bytes that are not even FHIR have no event: the canonical format keeps them, as any document
    that it cannot read, for the operator, and refuses them.
    """
    try:
        bundle = read_body(request, body)
    except InputRefused:
        return CANONICAL
    return hub.adapters.for_event(_event(bundle)).format


def _event(bundle: dict[str, Any]) -> str:
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else {}
    found = first.get("resource") if isinstance(first, dict) else None
    header = found if isinstance(found, dict) else {}
    event = header.get("eventCoding", {})
    if header.get("resourceType") != "MessageHeader" or not isinstance(event, dict):
        raise Malformed("The first entry must be a MessageHeader", at="Bundle.entry[0].resource")
    return f"{event.get('system', '')}|{event.get('code', '')}"

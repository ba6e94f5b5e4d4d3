"""POST [base] with a transaction (https://hl7.org/fhir/R4/http.html#transaction): all or nothing.

Creates, updates and reads; at most one part of one plan (the shared part, or one sector plan)
and any number of Consents. Consents count before the plan: they may be what permits it. Reads are
answered after the writes, and one that finds nothing says so without failing the rest. Deletes
are refused: nothing is ever deleted.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.batch import carry_out
from hub.api.body import BodyDep
from hub.api.fhir_http import WireDep, answer, media_type, preferred_return, read_body
from hub.api.scopes import of_bundle
from hub.api.security import HubDep, PartyDep, require
from hub.api.serves import Interaction
from hub.api.writes import respond, submit
from hub.contract import Resource
from hub.errors import InputRefused
from hub.model.party import Viewer

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("transaction"), Interaction("batch"))
_LINE: Final = {"method": "POST", "url": ""}


@ROUTER.post("/fhir", include_in_schema=False)
def transaction_or_batch(
    request: Request, body: BodyDep, hub: HubDep, sender: PartyDep, wire: WireDep
) -> Response:
    """The Bundle's type says which."""
    declared, message_id = media_type(request), request.headers.get("Message-Id")
    viewer = Viewer.of(sender.party)
    bundle = _bundle(request, body)
    require(request, hub, of_bundle(bundle or {}, hub.base_url))
    if bundle is not None and bundle.get("type") == "batch":
        wanted = preferred_return(request) or "representation"
        made = carry_out(hub, sender.party, bundle, message_id, wanted)
        return answer(request, wire, made)
    kept = submit(hub, sender.party, _LINE, body, declared, message_id)
    return respond(request, wire, hub, viewer, kept)


def _bundle(request: Request, body: bytes) -> Resource | None:
    """The Bundle; None for anything else, which is kept as it came and answered from there."""
    try:
        found = read_body(request, body)
    except InputRefused:
        return None
    return found if found.get("resourceType") == "Bundle" else None

"""POST [type] (https://hl7.org/fhir/R4/http.html#create), with ``If-None-Exist`` too.

A Consent stands by itself: a KiConsent or a KiApproval. Its id, or else its content, is the
sender's own name for it, so the same one sent again is 200 and creates nothing, and the same id
with other content is its next version. What is part of a plan comes with its CarePlan in a
transaction (422 otherwise).
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import WireDep, media_type, served
from hub.api.security import HubDep, PartyDep, require
from hub.api.serves import Interaction
from hub.api.writes import respond, submit
from hub.errors import Invalid
from hub.fhir.numbers import condition_names_a_citizen
from hub.model.party import Viewer

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("create", ("Consent",)),)


@ROUTER.post("/fhir/{kind}", include_in_schema=False)
def create_resource(
    kind: str, request: Request, body: BodyDep, hub: HubDep, sender: PartyDep, wire: WireDep
) -> Response:
    """A new resource; 200 with the one there is, if ``If-None-Exist`` finds one."""
    line = {"method": "POST", "url": served(kind)}
    condition = request.headers.get("If-None-Exist")
    if condition is not None:
        if condition_names_a_citizen(condition):
            text = "A citizen's number may not stand in a header; send a transaction"
            raise Invalid(text, at="If-None-Exist")
        require(request, hub, [f"{kind}.s"])
        line["ifNoneExist"] = condition
    kept = submit(
        hub, sender.party, line, body, media_type(request), request.headers.get("Message-Id")
    )
    return respond(request, wire, hub, Viewer.of(sender.party), kept)

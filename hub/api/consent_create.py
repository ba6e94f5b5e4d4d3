"""POST /fhir/Consent (https://hl7.org/fhir/R4/http.html#create): a KiConsent or a KiApproval."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.documents import receive
from hub.api.fhir_http import read_body
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Interaction
from hub.errors import Malformed

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("create", ("Consent",)),)
CANONICAL = "fhir"
"""The standard's own name; the canonical format is the only one the core speaks."""


@ROUTER.post("/fhir/Consent")
def create_consent(request: Request, body: BodyDep, hub: HubDep, sender: PartyDep) -> Response:
    """Register a citizen's consent, refusal, or decision on a plan."""
    if read_body(request, body).get("resourceType") != "Consent":
        raise Malformed("Send a Consent resource", at="Consent")
    return receive(hub, sender.party, CANONICAL, body, request)

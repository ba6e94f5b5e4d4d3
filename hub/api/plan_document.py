"""GET CarePlan/[id]/$document: the plan as a document Bundle
(https://hl7.org/fhir/R4/documents.html), the paper template's sections in order.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import WireDep, answer, known_id
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Operation
from hub.fhir import names
from hub.model.party import Viewer
from hub.services.whole import document

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (
    Operation("document", f"{names.BASE}/OperationDefinition/CarePlan-document", ("CarePlan",)),
)


@ROUTER.get("/fhir/CarePlan/{plan_id}/$document", include_in_schema=False)
def plan_document(
    plan_id: str, request: Request, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """The newest version the caller may read."""
    found, version, modified = document(hub, Viewer.of(viewer.party), known_id(plan_id))
    return answer(request, wire, found, version=version, modified=modified)

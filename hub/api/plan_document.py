"""CarePlan/[id]/$document, by GET or POST: the plan as a document Bundle
(https://hl7.org/fhir/R4/documents.html), the paper template's sections in order.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import WireDep, answer, handling, known_id
from hub.api.parameters import operation_pairs
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Operation
from hub.errors import Malformed
from hub.fhir import names
from hub.model.party import Viewer
from hub.services.whole import document

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (
    Operation("document", f"{names.BASE}/OperationDefinition/CarePlan-document", ("CarePlan",)),
)
_KNOWN: Final = frozenset({"_format", "_pretty"})


@ROUTER.api_route(
    "/fhir/CarePlan/{plan_id}/$document", methods=["GET", "HEAD", "POST"], include_in_schema=False
)
def plan_document(
    plan_id: str, request: Request, body: BodyDep, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """The newest version the caller may read; the operation has no parameters of its own."""
    asked = operation_pairs(request, body, "CarePlan")
    if asked.keys() - _KNOWN and handling(request) == "strict":
        raise Malformed("The operation has no parameters")
    found, version, modified = document(hub, Viewer.of(viewer.party), known_id(plan_id))
    return answer(request, wire, found, version=version, modified=modified)

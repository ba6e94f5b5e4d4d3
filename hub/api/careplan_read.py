"""GET /fhir/CarePlan/{id} (https://hl7.org/fhir/R4/http.html#read)."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.api.security import HubDep, PartyDep
from hub.fhir.codec import dump_json
from hub.model.party import Viewer
from hub.services.queries import plan_resource, read_plan

ROUTER = APIRouter(tags=["fhir"])


@ROUTER.get("/fhir/CarePlan/{plan_id}")
def read_care_plan(plan_id: str, hub: HubDep, viewer: PartyDep) -> Response:
    """The newest version the caller may read; 404 also for what it may not know of."""
    view = read_plan(hub, Viewer.of(viewer.party), plan_id)
    return Response(
        dump_json(plan_resource(view)),
        headers={"ETag": f'W/"{view.version}"'},
        media_type="application/fhir+json",
    )

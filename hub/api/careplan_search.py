"""CarePlan search (https://hl7.org/fhir/R4/http.html#search): by patient.

A CPR number never stands in a URL: search by identifier goes by POST to ``_search``.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.security import HubDep, PartyDep
from hub.contract import PlanView
from hub.errors import Invalid
from hub.fhir.codec import dump_json
from hub.model.party import Viewer
from hub.services.hub import Hub
from hub.services.queries import find_plans, plan_resource

ROUTER = APIRouter(tags=["fhir"])


@ROUTER.get("/fhir/CarePlan")
def search_care_plans(request: Request, hub: HubDep, viewer: PartyDep) -> Response:
    """``?patient=Patient/<id>``, the hub's own id."""
    parameters = {k: request.query_params.getlist(k) for k in request.query_params}
    if any(p.startswith("patient") and ("identifier" in p) for p in parameters):
        raise Invalid(
            "A citizen's number may not stand in a URL; POST it to CarePlan/_search",
            at="patient.identifier",
        )
    return _search(hub, Viewer.of(viewer.party), parameters)


@ROUTER.post("/fhir/CarePlan/_search")
def search_care_plans_by_post(body: BodyDep, hub: HubDep, viewer: PartyDep) -> Response:
    """``patient`` or ``patient.identifier=system|value``, form-encoded."""
    return _search(hub, Viewer.of(viewer.party), parse_qs(body.decode("utf-8", "replace")))


def _search(hub: Hub, viewer: Viewer, parameters: dict[str, list[str]]) -> Response:
    unknown = set(parameters) - {"patient", "patient.identifier", "_format"}
    if unknown:
        raise Invalid("Search by patient or patient.identifier", at=sorted(unknown)[0])
    citizen = number = None
    if "patient.identifier" in parameters:
        system, _, value = parameters["patient.identifier"][0].partition("|")
        number = (system, value)
    elif "patient" in parameters:
        citizen = parameters["patient"][0].removeprefix("Patient/")
    else:
        raise Invalid("State the citizen: patient or patient.identifier", at="patient")
    found = find_plans(hub, viewer, citizen=citizen, number=number)
    return Response(dump_json(_bundle(hub, found)), media_type="application/fhir+json")


def _bundle(hub: Hub, found: list[PlanView]) -> dict[str, object]:
    bundle: dict[str, object] = {
        "resourceType": "Bundle", "type": "searchset", "total": len(found),
    }  # fmt: skip
    if found:
        bundle["entry"] = [
            {
                "fullUrl": f"{hub.base_url}/CarePlan/{v.plan_id}",
                "resource": plan_resource(v),
                "search": {"mode": "match"},
            }
            for v in found
        ]
    return bundle

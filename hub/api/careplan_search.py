"""CarePlan search (https://hl7.org/fhir/R4/http.html#search): by patient.

A CPR number never stands in a URL: search by identifier goes by POST to ``_search``.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.security import HubDep, PartyDep
from hub.contract import PlanView
from hub.errors import Invalid, Malformed
from hub.fhir.codec import dump_json
from hub.model.party import Viewer
from hub.services.hub import Hub
from hub.services.queries import find_plans, plan_resource

ROUTER = APIRouter(tags=["fhir"])
MOST_PARAMETERS = 20
_ID = re.compile(r"(Patient/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The hub's own Patient id; a citizen's number never has this form."""


@ROUTER.get("/fhir/CarePlan")
def search_care_plans(request: Request, hub: HubDep, viewer: PartyDep) -> Response:
    """``?patient=Patient/<id>``, the hub's own id."""
    parameters = {k: request.query_params.getlist(k) for k in request.query_params}
    if any(p.startswith("patient") and ("identifier" in p) for p in parameters):
        raise Invalid(
            "A citizen's number may not stand in a URL; POST it to CarePlan/_search",
            at="patient.identifier",
        )
    if not all(_ID.fullmatch(value) for value in parameters.get("patient", ())):
        raise Invalid("Give the hub's own id of the citizen: Patient/<id>", at="patient")
    return _search(hub, Viewer.of(viewer.party), parameters)


@ROUTER.post("/fhir/CarePlan/_search")
def search_care_plans_by_post(body: BodyDep, hub: HubDep, viewer: PartyDep) -> Response:
    """``patient`` or ``patient.identifier=system|value``, form-encoded."""
    try:
        parameters = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Malformed("Send a few parameters, form-encoded") from None
    return _search(hub, Viewer.of(viewer.party), parameters)


def _search(hub: Hub, viewer: Viewer, parameters: dict[str, list[str]]) -> Response:
    unknown = set(parameters) - {"patient", "patient.identifier", "_format"}
    if unknown:
        # What was asked for may be a person's number or name; it is not repeated.
        raise Invalid("Search by patient or patient.identifier, and nothing else")
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

"""Patient/[id]/$everything (https://hl7.org/fhir/R4/patient-operation-everything.html) and the same
for a CarePlan: what belongs to it, as far as the caller may read it.

By GET with the parameters in the address, or by POST with them in a Parameters resource
(https://hl7.org/fhir/R4/operations.html#executing).
"""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import Wire, WireDep, answer, handling, known_id
from hub.api.parameters import operation_pairs
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Operation
from hub.contract import Resource
from hub.errors import Malformed
from hub.fhir import names
from hub.fhir.dates import range_of
from hub.fhir.paging import PAGE, Token, address, read_token
from hub.fhir.parameters import SERVED
from hub.fhir.query import MOST_ON_A_PAGE
from hub.fhir.results import Mode, searchset
from hub.model.party import RegisteredParty, Viewer
from hub.services.hub import Hub
from hub.services.whole import Wanted, everything

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (
    Operation(
        "everything", "http://hl7.org/fhir/OperationDefinition/Patient-everything", ("Patient",)
    ),
    Operation("everything", f"{names.BASE}/OperationDefinition/CarePlan-everything", ("CarePlan",)),
)
_KNOWN: Final = frozenset({"_since", "_type", "_count"})
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")


@ROUTER.api_route(
    "/fhir/Patient/{resource_id}/$everything",
    methods=["GET", "HEAD", "POST"],
    include_in_schema=False,
)
def patient_everything(
    resource_id: str, request: Request, body: BodyDep, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """The citizen, and everything about the citizen."""
    asked = operation_pairs(request, body, "Patient")
    return _answer(request, wire, hub, viewer, ("Patient", known_id(resource_id)), asked)


@ROUTER.api_route(
    "/fhir/CarePlan/{resource_id}/$everything",
    methods=["GET", "HEAD", "POST"],
    include_in_schema=False,
)
def plan_everything(
    resource_id: str, request: Request, body: BodyDep, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """The plan, and everything in it; of a sector plan what it leads to."""
    asked = operation_pairs(request, body, "CarePlan")
    return _answer(request, wire, hub, viewer, ("CarePlan", known_id(resource_id)), asked)


def _answer(
    request: Request,
    wire: Wire,
    hub: Hub,
    viewer: RegisteredParty,
    about: tuple[str, str],
    asked: dict[str, str],
) -> Response:
    kind, resource_id = about
    path = f"{kind}/{resource_id}/$everything"
    if asked.keys() - _KNOWN - {PAGE, "_format", "_pretty"} and handling(request) == "strict":
        raise Malformed("The operation has the parameters _since, _type and _count")
    pairs = tuple(pair for pair in asked.items() if pair[0] in _KNOWN)
    begun = Token(path, pairs, hub.clock(), ())
    token = read_token(asked[PAGE], path) if PAGE in asked else begun
    wanted = _wanted(dict(token.pairs))
    found = everything(hub, Viewer.of(viewer.party), kind, resource_id, wanted, token)
    own = [(PAGE, token.write())] if token.after else list(token.pairs)
    links = [("self", address(hub.base_url, path, own))]
    if found.next is not None:
        links.append(("next", address(hub.base_url, path, [(PAGE, found.next.write())])))
    own_key = f"{kind}/{resource_id}"
    shown: list[tuple[Resource, Mode]] = [
        (entry.resource, "match" if entry.key == own_key else "include") for entry in found.entries
    ]
    return answer(request, wire, searchset(hub.base_url, shown, total=found.total, links=links))


def _wanted(settings: dict[str, str]) -> Wanted:
    types = frozenset(t for t in settings.get("_type", "").split(",") if t)
    if types - SERVED.keys():
        raise Malformed("Name types that are served; see metadata", at="_type")
    since = None
    if "_since" in settings:
        found = range_of(settings["_since"].replace(" ", "+"))
        if found is None:
            raise Malformed("Not an instant", at="_since")
        since = found.low
    count = settings.get("_count", str(MOST_ON_A_PAGE))
    if not _NUMBER.fullmatch(count):
        raise Malformed("Not a number of resources", at="_count")
    return Wanted(types, since, min(int(count), MOST_ON_A_PAGE))

"""GET [type]/[id]/_history/[vid] (https://hl7.org/fhir/R4/http.html#vread)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import WireDep, answer, known_id, served
from hub.api.security import HubDep, PartyDep
from hub.api.serves import STORED, Interaction
from hub.model.party import Viewer
from hub.services.resources import vread

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("vread", STORED),)


@ROUTER.api_route(
    "/fhir/{kind}/{resource_id}/_history/{version}",
    methods=["GET", "HEAD"],
    include_in_schema=False,
)
def vread_resource(
    kind: str,
    resource_id: str,
    version: str,
    request: Request,
    hub: HubDep,
    viewer: PartyDep,
    wire: WireDep,
) -> Response:
    """One version, reduced to what the caller may see of it now.

    It is never answered with 304: the version is fixed, what may be seen of it is not.
    """
    found = (served(kind), known_id(resource_id), known_id(version))
    entry = vread(hub, Viewer.of(viewer.party), *found)
    return answer(
        request, wire, entry.resource, version=entry.version, modified=entry.modified
    )  # fmt: skip

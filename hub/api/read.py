"""GET [type]/[id] (https://hl7.org/fhir/R4/http.html#read), conditional and HEAD too.

There is no 410 here: nothing is ever deleted, so what is not found never was there for the
caller, or is not any more; it is not told which.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import (
    WireDep,
    address_pairs,
    answer,
    handling,
    known_id,
    not_modified,
    served,
    unchanged,
)
from hub.api.security import HubDep, PartyDep
from hub.api.serves import STORED, Interaction
from hub.fhir.query import parse
from hub.fhir.subset import subset
from hub.model.party import Viewer
from hub.services.resources import read

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("read", STORED),)


@ROUTER.api_route(
    "/fhir/{kind}/{resource_id}", methods=["GET", "HEAD"], include_in_schema=False
)  # fmt: skip
def read_resource(
    kind: str, resource_id: str, request: Request, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """The newest version the caller may read; 404 also for what it may not know of."""
    pairs = address_pairs(request, served(kind))
    # The only parameters of a read are those of the answer's form.
    form = parse(kind, [p for p in pairs if p[0] in _FORM], strict=handling(request) == "strict")
    found = read(hub, Viewer.of(viewer.party), kind, known_id(resource_id))
    entry = found.entry
    if unchanged(request, entry.version, entry.modified, found.since):
        return not_modified(entry.version, entry.modified)
    place = f"{hub.base_url}/{entry.key}/_history/{entry.version}"
    return answer(
        request,
        wire,
        subset(entry.resource, form),
        version=entry.version,
        modified=entry.modified,
        headers={"Content-Location": place},
    )


_FORM: Final = frozenset({"_summary", "_elements"})

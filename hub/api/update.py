"""PUT [type]/[id] (https://hl7.org/fhir/R4/http.html#update).

``If-Match`` is required on what is part of a plan (428 without it, 412 if that version is not the
one in the plan's newest version); on a Consent it is honoured where it is sent. An unknown id is
405: only the hub gives ids. What the caller may read and another owns is 403. Content that is
there already is no new version.

What is read afterwards is what was put, but: narrative and contained resources are not kept,
``meta.versionId`` and ``meta.lastUpdated`` are the hub's, references to the hub's own resources
become relative, a plan's lists get ranks and its interventions ids.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import WireDep, known_id, media_type, served
from hub.api.security import HubDep, PartyDep
from hub.api.serves import STORED, Interaction
from hub.api.writes import respond, submit
from hub.model.party import Viewer

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("update", STORED),)


@ROUTER.put("/fhir/{kind}/{resource_id}", include_in_schema=False)
def update_resource(
    kind: str,
    resource_id: str,
    request: Request,
    body: BodyDep,
    hub: HubDep,
    sender: PartyDep,
    wire: WireDep,
) -> Response:
    """What the resource shall be from now on."""
    line = {"method": "PUT", "url": f"{served(kind)}/{known_id(resource_id)}"}
    if "If-Match" in request.headers:
        line["ifMatch"] = request.headers["If-Match"]
    kept = submit(
        hub, sender.party, line, body, media_type(request), request.headers.get("Message-Id")
    )
    return respond(request, wire, hub, Viewer.of(sender.party), kept)

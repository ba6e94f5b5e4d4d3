"""GET /fhir/ConceptMap: the code tables as published, to read and to find by url.

Open to all, as ``metadata`` is: they say what a code of a format means, and nothing of anyone. A
party's own codes are its own and are not among them.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import WireDep, address_pairs, answer, handling, known_id
from hub.api.security import HubDep
from hub.api.serves import Described, Interaction
from hub.errors import Issue, Malformed, NotFound
from hub.fhir.concept_maps import concept_maps
from hub.fhir.paging import address
from hub.fhir.results import searchset

ROUTER = APIRouter(tags=["fhir"])
KIND: Final = "ConceptMap"
SERVES: Final = (
    Interaction("read", (KIND,)),
    Interaction("search-type", (KIND,)),
    Described(KIND, parameters=(("_id", "token"), ("url", "uri")), versioned=False),
)
_FORM: Final = frozenset({"_format", "_pretty"})


@ROUTER.api_route("/fhir/ConceptMap", methods=["GET", "HEAD"], include_in_schema=False)
def search(request: Request, hub: HubDep, wire: WireDep) -> Response:
    """All of them, or those with an ``_id`` or ``url``; commas mean "or"."""
    pairs = address_pairs(request, KIND)
    wanted = [(n, frozenset(v.split(","))) for n, v in pairs if n in {"_id", "url"}]
    unknown = [n for n, _ in pairs if n not in {"_id", "url", *_FORM}]
    if unknown and handling(request) == "strict":
        raise Malformed("A search parameter is not known here; see the CapabilityStatement")
    found = [
        resource
        for resource in concept_maps().values()
        if all(resource[n.removeprefix("_")] in values for n, values in wanted)
    ]
    text = f"{len(unknown)} search parameters are not known here and were left out"
    bundle = searchset(
        hub.base_url,
        [(resource, "match") for resource in found],
        total=len(found),
        links=[("self", address(hub.base_url, KIND, [p for p in pairs if p[0] not in unknown]))],
        warnings=[Issue("warning", "not-supported", text)] if unknown else (),
    )
    return answer(request, wire, bundle)


@ROUTER.api_route("/fhir/ConceptMap/{map_id}", methods=["GET", "HEAD"], include_in_schema=False)
def read(map_id: str, request: Request, wire: WireDep) -> Response:
    """One by its id; raises NotFound."""
    address_pairs(request, KIND)
    found = concept_maps().get(known_id(map_id))
    if found is None:
        raise NotFound("No such resource is known to you")
    return answer(request, wire, found)

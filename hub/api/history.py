"""GET [type]/[id]/_history and [type]/_history (https://hl7.org/fhir/R4/http.html#history).

Newest first, paged by ``_count``. ``_since`` is as R4 has it; there are no deletions to tell of.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.fhir_http import Wire, WireDep, address_pairs, answer, handling, known_id, served
from hub.api.security import HubDep, PartyDep
from hub.api.serves import STORED, Interaction
from hub.errors import Malformed
from hub.fhir.dates import range_of
from hub.fhir.paging import PAGE, Token, address, read_token
from hub.fhir.query import MOST_ON_A_PAGE, USUAL_ON_A_PAGE
from hub.fhir.results import history_bundle
from hub.model.party import RegisteredParty, Viewer
from hub.services.hub import Hub
from hub.services.resources import history

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("history-instance", STORED), Interaction("history-type", STORED))
_KNOWN: Final = frozenset({"_since", "_count", "_format", "_pretty", PAGE})


@ROUTER.api_route("/fhir/{kind}/_history", methods=["GET", "HEAD"], include_in_schema=False)
def history_of_type(
    kind: str, request: Request, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """Versions of everything of the type that the caller may read."""
    return _page(request, wire, hub, viewer, served(kind), None)


@ROUTER.api_route(
    "/fhir/{kind}/{resource_id}/_history", methods=["GET", "HEAD"], include_in_schema=False
)
def history_of_instance(
    kind: str, resource_id: str, request: Request, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """Versions of one resource."""
    return _page(request, wire, hub, viewer, served(kind), known_id(resource_id))


def _page(
    request: Request,
    wire: Wire,
    hub: Hub,
    viewer: RegisteredParty,
    kind: str,
    resource_id: str | None,
) -> Response:
    path = f"{kind}/{resource_id}/_history" if resource_id else f"{kind}/_history"
    asked = dict(address_pairs(request, kind))
    if asked.keys() - _KNOWN and handling(request) == "strict":
        raise Malformed("A history has the parameters _since and _count")
    begun = Token(path, tuple(p for p in asked.items() if p[0] in {"_since", "_count"}),
                  hub.clock(), ())  # fmt: skip
    token = read_token(asked[PAGE], path) if PAGE in asked else begun
    settings = dict(token.pairs)
    found = history(
        hub,
        Viewer.of(viewer.party),
        kind,
        resource_id,
        since=_since(settings.get("_since")),
        count=_count(settings.get("_count")),
        token=token,
    )
    own = [(PAGE, token.write())] if token.after else list(token.pairs)
    links = [("self", address(hub.base_url, path, own))]
    if found.next is not None:
        links.append(("next", address(hub.base_url, path, [(PAGE, found.next.write())])))
    versions = [entry.resource for entry in found.entries]
    bundle = history_bundle(hub.base_url, versions, total=found.total, links=links)
    return answer(request, wire, bundle)


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    # An unescaped "+" of an offset arrives as a space.
    found = range_of(text.replace(" ", "+"))
    if found is None:
        raise Malformed("Not an instant", at="_since")
    return found.low


def _count(text: str | None) -> int:
    if text is None:
        return USUAL_ON_A_PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise Malformed("Not a number of versions", at="_count")
    return min(int(text), MOST_ON_A_PAGE)

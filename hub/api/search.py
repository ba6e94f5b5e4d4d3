"""GET [type]?… and POST [type]/_search (https://hl7.org/fhir/R4/http.html#search).

A citizen's number never stands in a URL: a search by it goes by POST, and the addresses in the
answer have the hub's own ids in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from hub.api.body import BodyDep
from hub.api.fhir_http import (
    BAD_ESCAPE,
    Wire,
    WireDep,
    address_pairs,
    answer,
    handling,
    named_wire,
    refuse_numbers,
    served,
)
from hub.api.scopes import of_query
from hub.api.security import HubDep, PartyDep, require
from hub.api.serves import STORED, Interaction
from hub.contract import Resource
from hub.errors import Malformed
from hub.fhir.paging import PAGE, Pair, Token, address, read_token
from hub.fhir.query import MOST_PARAMETERS, Query, parse
from hub.fhir.results import Mode, searchset
from hub.fhir.subset import subset
from hub.model.party import RegisteredParty, Viewer
from hub.services.hub import Hub
from hub.services.search import SearchPage, search

ROUTER = APIRouter(tags=["fhir"])
SERVES: Final = (Interaction("search-type", STORED),)
_FORM: Final = "application/x-www-form-urlencoded"


@ROUTER.api_route("/fhir/{kind}", methods=["GET", "HEAD"], include_in_schema=False)
def search_type(
    kind: str, request: Request, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """Search by what stands in the address, or go on with a page."""
    pairs = address_pairs(request, served(kind))
    return _answer(request, wire, hub, viewer, kind, pairs)


@ROUTER.post("/fhir/{kind}/_search", include_in_schema=False)
def search_type_by_post(
    kind: str, request: Request, body: BodyDep, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """Search by a form, and by what stands in the address."""
    pairs = address_pairs(request, served(kind))
    form = _form(request, body)
    wanted = dict(form).get("_format")
    wire = named_wire(wanted, pretty=wire.pretty) if wanted else wire
    return _answer(request, wire, hub, viewer, kind, [*pairs, *form])


def _form(request: Request, body: bytes) -> list[Pair]:
    declared = request.headers.get("Content-Type", _FORM).split(";")[0].strip().lower()
    if body and declared != _FORM:
        raise HTTPException(415)
    try:
        if BAD_ESCAPE.search(body):
            raise ValueError
        return parse_qsl(body.decode("utf-8"), max_num_fields=MOST_PARAMETERS, errors="strict")
    except ValueError:
        raise Malformed(f"Send at most {MOST_PARAMETERS} parameters, form-encoded UTF-8") from None


def _answer(
    request: Request,
    wire: Wire,
    hub: Hub,
    viewer: RegisteredParty,
    kind: str,
    pairs: Sequence[Pair],
) -> Response:
    page = next((value for name, value in pairs if name == PAGE), None)
    token = Token(kind, (), hub.clock(), ()) if page is None else read_token(page, kind)
    refuse_numbers(token.pairs, kind)
    query = parse(kind, token.pairs if page else pairs, strict=handling(request) == "strict")
    require(request, hub, of_query(query))
    found = search(hub, Viewer.of(viewer.party), query, token)
    return answer(request, wire, bundle(hub.base_url, query, found, page, _format(pairs)))


def bundle(
    base: str, query: Query, found: SearchPage, page: str | None, form: list[Pair]
) -> Resource:
    """A page of a result, with its links."""
    begun = address(base, query.type, found.used)
    links = [("self", address(base, query.type, [(PAGE, page)]) if page else begun)]
    links.append(("first", begun))
    if found.next is not None:
        links.append(("next", address(base, query.type, [(PAGE, found.next.write()), *form])))
    shown: list[tuple[Resource, Mode]] = [(subset(e.resource, query), "match")
                                          for e in found.matches]  # fmt: skip
    # _elements names elements of what was searched for, _summary is for everything.
    along = replace(query, elements=frozenset())
    shown += [(subset(e.resource, along), "include") for e in found.included]
    return searchset(
        base,
        shown,
        total=None if query.total == "none" else found.total,
        links=links,
        warnings=query.ignored,
    )


def _format(pairs: Sequence[Pair]) -> list[Pair]:
    """The form of the answer goes on to the next page."""
    return [pair for pair in pairs if pair[0] in {"_format", "_pretty"}]

"""Search, ``$status`` and ``$events`` of a party's own Subscriptions
(http://hl7.org/fhir/uv/subscriptions-backport, 1.1.0 for R4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import (
    Wire,
    WireDep,
    address_pairs,
    answer,
    handling,
    known_id,
    read_body,
    refuse_numbers,
)
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Interaction, Operation
from hub.contract import Resource
from hub.errors import Issue, Malformed, NotFound
from hub.fhir.query import MOST_PARAMETERS
from hub.fhir.results import searchset
from hub.model.party import RegisteredParty
from hub.model.subscription import BACKPORT, CONTENTS, Content
from hub.services import subscription_queries, subscriptions
from hub.services.hub import Hub

ROUTER = APIRouter(tags=["fhir"])
KIND: Final = "Subscription"
Pairs = Sequence[tuple[str, str]]
_FORM: Final = frozenset({"_format", "_pretty"})
SEARCHED: Final = (
    ("_id", "token"), ("criteria", "string"), ("status", "token"), ("type", "token"),
    ("url", "uri"),
)  # fmt: skip
"""Search parameters: name and type."""
_SEARCHED: Final = tuple(name for name, _ in SEARCHED)
_DEFINED: Final = f"{BACKPORT}/OperationDefinition/backport-subscription"
SERVES: Final = (
    Interaction("search-type", (KIND,)),
    Operation("status", f"{_DEFINED}-status", (KIND,)),
    Operation("events", f"{_DEFINED}-events", (KIND,)),
)
_LAST: Final = 2**31 - 1


@ROUTER.api_route("/fhir/Subscription", methods=["GET", "HEAD"], include_in_schema=False)
def search(request: Request, hub: HubDep, party: PartyDep, wire: WireDep) -> Response:
    """One's own, all on one page."""
    return _search(request, hub, party, wire, address_pairs(request, KIND))


@ROUTER.post("/fhir/Subscription/_search", include_in_schema=False)
def search_by_post(
    request: Request, body: BodyDep, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """The same by a form."""
    try:
        form = parse_qsl(body.decode("utf-8"), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Malformed(f"Send at most {MOST_PARAMETERS} parameters, form-encoded UTF-8") from None
    refuse_numbers(form, KIND)
    return _search(request, hub, party, wire, [*address_pairs(request, KIND), *form])


@ROUTER.get("/fhir/Subscription/$status", include_in_schema=False)
@ROUTER.post("/fhir/Subscription/$status", include_in_schema=False)
def status_of_all(
    request: Request, body: BodyDep, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Of all one's own, or those with an ``id`` or a ``status``."""
    pairs = _parameters(request, body)
    return _status(request, wire, hub, party, _values(pairs, "id"), _values(pairs, "status"))


@ROUTER.get("/fhir/Subscription/{resource_id}/$status", include_in_schema=False)
@ROUTER.post("/fhir/Subscription/{resource_id}/$status", include_in_schema=False)
def status_of_one(
    resource_id: str, request: Request, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Of one."""
    found = subscriptions.find(hub, party.party, known_id(resource_id))
    if found.subscription.deleted_at is not None:
        raise NotFound(subscriptions.UNKNOWN)
    return _status(request, wire, hub, party, {resource_id}, None)


@ROUTER.get("/fhir/Subscription/{resource_id}/$events", include_in_schema=False)
@ROUTER.post("/fhir/Subscription/{resource_id}/$events", include_in_schema=False)
def events(
    resource_id: str, request: Request, body: BodyDep, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Past events, as they may be read now."""
    asked = dict(_parameters(request, body))
    wanted = asked.get("content")
    content: Content | None = next((c for c in CONTENTS if c == wanted), None)
    if wanted is not None and content is None:
        raise Malformed(f"Choose one of {', '.join(CONTENTS)}", at="content")
    since = _number(asked.get("eventsSinceNumber"), "eventsSinceNumber", 1)
    until = _number(asked.get("eventsUntilNumber"), "eventsUntilNumber", _LAST)
    found = subscription_queries.events(
        hub, party.party, known_id(resource_id), since, until, content
    )
    return answer(request, wire, found)


def _search(
    request: Request, hub: Hub, party: RegisteredParty, wire: Wire, pairs: Pairs
) -> Response:
    unknown = sorted({n for n, _ in pairs} - {*_SEARCHED, *_FORM})
    if unknown and handling(request) == "strict":
        raise Malformed(f"A Subscription is searched by {', '.join(_SEARCHED)}")
    used = [(n, v) for n, v in pairs if n in _SEARCHED]
    found = [f.newest.resource for f in subscriptions.own(hub, party.party)]
    matches = [r for r in found if all(_matches(r, n, v.split(",")) for n, v in used)]
    link = f"{hub.base_url}/{KIND}" + (f"?{urlencode(used)}" if used else "")
    text = "A parameter of the search is not known here and was left out"
    warnings = [Issue("warning", "not-supported", text)] if unknown else []
    bundle = searchset(
        hub.base_url, [(r, "match") for r in matches], total=len(matches),
        links=[("self", link)], warnings=warnings,
    )  # fmt: skip
    return answer(request, wire, bundle)


def _matches(resource: Resource, name: str, wanted: Sequence[str]) -> bool:
    channel = resource["channel"]
    if name == "criteria":
        return any(resource["criteria"].lower().startswith(w.lower()) for w in wanted)
    value = {"_id": resource["id"], "status": resource["status"], "type": channel["type"],
             "url": channel["endpoint"]}[name]  # fmt: skip
    return any(w.rpartition("|")[2] == value for w in wanted)


def _status(
    request: Request,
    wire: Wire,
    hub: Hub,
    party: RegisteredParty,
    ids: set[str] | None,
    wanted: set[str] | None,
) -> Response:
    found = subscription_queries.statuses(hub, party.party, ids, wanted)
    entries = [
        {"fullUrl": f"urn:uuid:{p['id']}", "resource": p, "search": {"mode": "match"}}
        for p in found
    ]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    bundle["link"] = [{"relation": "self", "url": f"{hub.base_url}{request.url.path[5:]}"}]
    return answer(request, wire, bundle | ({"entry": entries} if entries else {}))


def _parameters(request: Request, body: bytes) -> list[tuple[str, str]]:
    """Of the address, and of a Parameters resource."""
    pairs = address_pairs(request, KIND)
    if not body:
        return pairs
    sent = read_body(request, body)
    listed = sent.get("parameter", [])
    if sent.get("resourceType") != "Parameters" or not isinstance(listed, list):
        raise Malformed("Send a Parameters resource", at="Parameters")
    for one in listed:
        if not isinstance(one, dict):
            raise Malformed("Send a Parameters resource", at="Parameters.parameter")
        value = next((v for k, v in one.items() if k.startswith("value")), "")
        pairs.append((str(one.get("name", "")), str(value)))
    return pairs


def _values(pairs: Pairs, name: str) -> set[str] | None:
    found = {part for n, v in pairs if n == name for part in v.split(",")}
    return found or None


def _number(text: str | None, name: str, usual: int) -> int:
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed("Not an event's number", at=name)
    return int(text)

"""Subscription: create, read, vread, update, delete, history and search of one's own
(http://hl7.org/fhir/uv/subscriptions-backport, 1.1.0 for R4).

Another party's does not exist: 404. One's own deleted one is gone: 410.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import (
    WireDep,
    answer,
    if_match,
    known_id,
    not_modified,
    preferred_return,
    read_body,
    unchanged,
)
from hub.api.security import HubDep, PartyDep
from hub.api.serves import Described, Interaction
from hub.api.subscription_operations import KIND, SEARCHED
from hub.contract import Resource
from hub.errors import Issue, Malformed, NotFound, StaleBase
from hub.fhir.outcome import error_outcome, outcome
from hub.fhir.results import history_bundle
from hub.model.subscription import BACKPORT, PROFILE, TOPICS
from hub.services import subscriptions
from hub.services.subscriptions import Found, Version

ROUTER = APIRouter(tags=["fhir"])
_TOPIC: Final = f"{BACKPORT}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"
_CODES: Final = ("create", "delete", "history-instance", "history-type", "read", "update", "vread")
SERVES: Final = (
    *(Interaction(code, (KIND,)) for code in _CODES),
    Described(
        KIND,
        instantiates=f"{BACKPORT}/CapabilityStatement/backport-subscription-server-r4",
        profiles=(PROFILE,),
        parameters=SEARCHED,
        extensions=tuple((_TOPIC, topic) for topic in TOPICS),
    ),
)


@ROUTER.post("/fhir/Subscription", include_in_schema=False)
def create(
    request: Request, body: BodyDep, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Ask to be told; the endpoint is asked to answer next."""
    made = subscriptions.subscribe(hub, party.party, _sent(request, body))
    place = f"{hub.base_url}/Subscription/{made.resource['id']}/_history/{made.number}"
    return _written(request, wire, made, 201, {"Location": place})


@ROUTER.api_route("/fhir/Subscription/_history", methods=["GET", "HEAD"], include_in_schema=False)
def history_of_all(request: Request, hub: HubDep, party: PartyDep, wire: WireDep) -> Response:
    """Every version of all one's own, deleted ones too, newest first."""
    found = subscriptions.own(hub, party.party, deleted=True)
    return answer(request, wire, _history(hub.base_url, f"{KIND}/_history", found))


@ROUTER.api_route(
    "/fhir/Subscription/{resource_id}/_history", methods=["GET", "HEAD"], include_in_schema=False
)
def history(
    resource_id: str, request: Request, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Every version, newest first, a deletion before them."""
    found = subscriptions.find(hub, party.party, known_id(resource_id))
    return answer(request, wire, _history(hub.base_url, f"{KIND}/{resource_id}/_history", [found]))


@ROUTER.api_route(
    "/fhir/Subscription/{resource_id}", methods=["GET", "HEAD"], include_in_schema=False
)
def read(
    resource_id: str, request: Request, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """As it stands: its status, and what went wrong."""
    found = subscriptions.find(hub, party.party, known_id(resource_id))
    if found.subscription.deleted_at is not None:
        return _gone(request, wire)
    newest = found.newest
    if unchanged(request, newest.number, newest.modified, newest.modified):
        return not_modified(newest.number, newest.modified)
    return answer(
        request, wire, newest.resource, version=newest.number, modified=newest.modified
    )  # fmt: skip


@ROUTER.put("/fhir/Subscription/{resource_id}", include_in_schema=False)
def update(
    resource_id: str, request: Request, body: BodyDep, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """Change it; ``If-Match`` is honoured."""
    sent = _sent(request, body)
    if sent.get("id") != known_id(resource_id):
        raise Malformed("The resource's id is not that of the address", at="Subscription.id")
    if subscriptions.find(hub, party.party, resource_id).subscription.deleted_at is not None:
        return _gone(request, wire)
    try:
        made = subscriptions.change(hub, party.party, resource_id, sent, if_match(request))
    except StaleBase as e:
        return answer(request, wire, error_outcome(e), 412)
    return _written(request, wire, made, 200, {})


@ROUTER.delete("/fhir/Subscription/{resource_id}", include_in_schema=False)
def delete(resource_id: str, hub: HubDep, party: PartyDep) -> Response:
    """Stop it."""
    subscriptions.end(hub, party.party, known_id(resource_id))
    return Response(status_code=204)


@ROUTER.api_route(
    "/fhir/Subscription/{resource_id}/_history/{version}",
    methods=["GET", "HEAD"],
    include_in_schema=False,
)
def vread(
    resource_id: str, version: str, request: Request, hub: HubDep, party: PartyDep, wire: WireDep
) -> Response:
    """One version."""
    versions = subscriptions.find(hub, party.party, known_id(resource_id)).versions
    found = next((v for v in versions if v.number == version), None)
    if found is None:
        raise NotFound(subscriptions.UNKNOWN)
    return answer(request, wire, found.resource, version=found.number, modified=found.modified)


def _sent(request: Request, body: bytes) -> Resource:
    sent = read_body(request, body)
    if sent.get("resourceType") != "Subscription":
        raise Malformed("Send a Subscription resource", at="Subscription")
    return sent


def _written(
    request: Request, wire: WireDep, made: Version, status: int, headers: dict[str, str]
) -> Response:
    shown: Resource | None = made.resource
    if preferred_return(request) == "minimal":
        shown = None
    elif preferred_return(request) == "OperationOutcome":
        shown = outcome((Issue("information", "informational", "It is kept"),))
    return answer(
        request, wire, shown, status, version=made.number, modified=made.modified, headers=headers
    )


def _gone(request: Request, wire: WireDep) -> Response:
    issue = Issue("error", "deleted", "You deleted this subscription; make a new one")
    return answer(request, wire, outcome((issue,), move="sender"), 410)


def _history(base: str, path: str, found: Sequence[Found]) -> Resource:
    versions = [v for f in found for v in f.versions]
    entries = history_bundle(base, [v.resource for v in versions], total=0, links=[])
    told = [(v.modified, int(v.number), e)
            for v, e in zip(versions, entries.get("entry", ()), strict=True)]  # fmt: skip
    told += [(f.subscription.deleted_at, int(f.newest.number) + 1, _deletion(base, f))
             for f in found if f.subscription.deleted_at is not None]  # fmt: skip
    ordered = sorted(told, key=lambda one: one[:2], reverse=True)
    links = [("self", f"{base}/{path}")]
    bundle = history_bundle(base, [], total=len(told), links=links)
    return bundle | ({"entry": [entry for _, _, entry in ordered]} if ordered else {})


def _deletion(base: str, found: Found) -> dict[str, Any]:
    one = found.subscription
    assert one.deleted_at is not None
    return {
        "fullUrl": f"{base}/{KIND}/{one.id}",
        "request": {"method": "DELETE", "url": f"{KIND}/{one.id}"},
        "response": {"status": "204", "lastModified": one.deleted_at.isoformat()},
    }

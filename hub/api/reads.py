"""A read inside a transaction or batch: the same services as the addresses of their own."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from hub.api.fhir_http import etag
from hub.api.search import bundle
from hub.errors import HubError, Malformed
from hub.fhir.interactions import Interaction
from hub.fhir.outcome import error_outcome, status_of
from hub.fhir.paging import Token
from hub.fhir.query import MOST_PARAMETERS, parse
from hub.fhir.subset import subset
from hub.model.party import Viewer
from hub.services.denied import audit_refusal
from hub.services.entries import Entry
from hub.services.hub import Hub
from hub.services.resources import read, vread
from hub.services.search import search

_ADDRESS: Final = "GET /fhir/{kind}/{resource_id}"


def got(hub: Hub, viewer: Viewer, one: Interaction) -> dict[str, Any]:
    """The entry that answers a GET; one that fails says why, and fails nothing else."""
    try:
        return _got(hub, viewer, one)
    except HubError as e:
        named = {"kind": one.kind, "resource_id": one.id or "", "version": one.version or ""}
        audit_refusal(hub, viewer, "read", _ADDRESS, named, e)
        return failed(e)


def failed(error: HubError) -> dict[str, Any]:
    """The entry that answers what could not be done."""
    return {"response": {"status": str(status_of(error)), "outcome": error_outcome(error)}}


def _got(hub: Hub, viewer: Viewer, one: Interaction) -> dict[str, Any]:
    try:
        pairs = parse_qsl(one.query, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise Malformed(f"Send at most {MOST_PARAMETERS} parameters", at=one.path) from None
    query = parse(one.kind, pairs)
    if not one.id:
        found = search(hub, viewer, query, Token(one.kind, (), hub.clock(), ()))
        page = bundle(hub.base_url, query, found, None, [])
        return {"resource": page, "response": {"status": "200"}}
    if one.version:
        return _entry(vread(hub, viewer, one.kind, one.id, one.version))
    entry = _entry(read(hub, viewer, one.kind, one.id).entry)
    return entry | {"resource": subset(entry["resource"], query)}


def _entry(entry: Entry) -> dict[str, Any]:
    response = {
        "status": "200",
        "etag": etag(entry.version),
        "lastModified": entry.modified.isoformat(),
    }
    # Without a fullUrl: what was written and then read would be in the Bundle twice (bdl-7).
    return {"resource": entry.resource, "response": response}

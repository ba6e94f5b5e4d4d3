"""A write over REST: kept, processed, and answered from what was stored.

Every create, update and transaction is a message (:mod:`hub.services.accept`): its bytes and its
request line are committed before anything is understood. With a ``Message-Id`` a resend gets the
same answer; without one, every request is a new one. The body of an answer is what ``Prefer``
asks for; a representation is read anew, as the caller may read it now.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from hub.api.fhir_http import Return, Wire, answer, preferred_return
from hub.api.reads import got
from hub.contract import Party, Resource
from hub.errors import Temporary
from hub.fhir.codec import parse_json
from hub.fhir.results import full_url
from hub.model.party import Viewer
from hub.model.records import InboxItem
from hub.services.accept import Accepted, accept
from hub.services.hub import CANONICAL, Hub
from hub.services.process import PATIENCE, PAUSE, answered
from hub.services.resources import versions
from hub.services.write import requested


def submit(
    hub: Hub,
    sender: Party,
    line: Mapping[str, str],
    body: bytes,
    media_type: str,
    message_id: str | None,
) -> Accepted:
    """Keep a request and carry it out; ``item`` is as it then stands, mostly answered."""
    kept = accept(hub, sender, CANONICAL, body, media_type, message_id=message_id, request=line)
    until = time.monotonic() + PATIENCE
    item = kept.item
    while item.answer is None and time.monotonic() < until:
        try:
            item = answered(hub, item.id, patience=until - time.monotonic())
        except Temporary:
            hub.wake.set()
            time.sleep(PAUSE)
    return Accepted(item, kept.duplicate)


def respond(request: Request, wire: Wire, hub: Hub, viewer: Viewer, kept: Accepted) -> Response:
    """The stored answer; 202 with the place to ask at while there is none."""
    item = kept.item
    headers = {"KI-Hub-Duplicate": "true"} if kept.duplicate else {}
    if item.answer is None:
        place = {"Location": f"/messages/{item.id}"}
        return answer(request, wire, None, 202, headers=headers | place)
    status = item.status or 200
    if status == 405:
        headers["Allow"] = "GET, HEAD"
    stored = parse_json(item.answer.encode())
    wanted = preferred_return(request) or "representation"
    if stored["resourceType"] == "OperationOutcome":
        return answer(request, wire, stored, status, headers=headers)
    assert item.request is not None
    if not item.request["url"]:
        made = transaction_response(hub, viewer, item, stored, wanted)
        return answer(request, wire, made, status, headers=headers)
    entry = filled(hub, viewer, stored["entry"], wanted)[0]
    told = entry["response"]
    if status == 201:
        headers["Location"] = told["location"]
    elif "resource" in entry:
        headers["Content-Location"] = told["location"]
    outcome: Resource = stored["entry"][0]["response"]["outcome"]
    # What may not be read any more is not shown, but told of.
    shown = entry.get("resource", outcome)
    body: dict[str, Resource | None] = {
        "minimal": None,
        "OperationOutcome": outcome,
        "representation": shown,
    }
    return answer(
        request,
        wire,
        body[wanted],
        status,
        version=told["etag"].removeprefix('W/"').removesuffix('"'),
        modified=datetime.fromisoformat(told["lastModified"]),
        headers=headers,
    )


def transaction_response(
    hub: Hub, viewer: Viewer, item: InboxItem, stored: Resource, wanted: Return
) -> Resource:
    """The stored results with what they made; reads are answered now, after the writes."""
    _, asked = requested(item, hub.base_url)
    entries = filled(hub, viewer, stored.get("entry", []), wanted)
    made = [
        got(hub, viewer, one) if one.method == "GET" else entry
        for one, entry in zip(asked, entries, strict=True)
    ]
    return stored | ({"entry": made} if made else {})


def filled(
    hub: Hub, viewer: Viewer, entries: list[dict[str, Any]], wanted: Return
) -> list[dict[str, Any]]:
    """Stored results with absolute addresses and, if wanted, what now may be read of them."""
    names = [_name(e["response"]["location"]) for e in entries if "location" in e["response"]]
    seen = versions(hub, viewer, names) if wanted == "representation" else {}
    made: list[dict[str, Any]] = []
    for entry in entries:
        response = dict(entry["response"])
        outcome = response.pop("outcome", None)
        told = wanted == "OperationOutcome" or (wanted == "representation" and _warns(outcome))
        if outcome is not None and told:
            response["outcome"] = outcome
        found = None
        if "location" in response:
            found = seen.get(_name(response["location"]))
            response["location"] = f"{hub.base_url}/{response['location']}"
        if found is None:
            made.append({"response": response})
            continue
        url = full_url(hub.base_url, found.resource)
        made.append({"fullUrl": url, "resource": found.resource, "response": response})
    return made


def _name(location: str) -> tuple[str, str]:
    key, _, version = location.partition("/_history/")
    return key, version


def _warns(outcome: Resource | None) -> bool:
    return outcome is not None and any(i["severity"] != "information" for i in outcome["issue"])

"""A batch (https://hl7.org/fhir/R4/http.html#transaction): entries that know nothing of each other.

Each entry that writes is a message of its own, kept before it is understood; with a
``Message-Id`` the entries' ids are that and their number. Each is answered by itself.
"""

from __future__ import annotations

from typing import Any

from hub.api.fhir_http import Return
from hub.api.reads import failed, got
from hub.api.writes import filled, submit
from hub.contract import Party, Resource
from hub.errors import HubError, Malformed, TooLarge
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.interactions import MOST_ENTRIES, Interaction, of_entry
from hub.model.party import Viewer
from hub.services.hub import Hub

_JSON = "application/fhir+json"


def carry_out(
    hub: Hub, sender: Party, batch: Resource, message_id: str | None, wanted: Return
) -> Resource:
    """The batch-response; raises Malformed or TooLarge only for what is no list of entries."""
    entries = batch.get("entry", [])
    if not isinstance(entries, list):
        raise Malformed("A Bundle has a list of entries", at="Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"More than {MOST_ENTRIES} entries; send fewer at a time")
    made = [
        _entry(hub, sender, entry, number, f"{message_id}#{number}" if message_id else None, wanted)
        for number, entry in enumerate(entries)
    ]
    response: Resource = {"resourceType": "Bundle", "type": "batch-response"}
    return response | ({"entry": made} if made else {})


def _entry(
    hub: Hub, sender: Party, entry: Any, number: int, message_id: str | None, wanted: Return
) -> dict[str, Any]:
    viewer = Viewer.of(sender)
    try:
        one = of_entry(entry, number, hub.base_url)
        if one.method == "GET":
            return got(hub, viewer, one)
        kept = submit(hub, sender, _line(one, entry), dump_json(one.content), _JSON, message_id)
    except HubError as e:
        return failed(e)
    item = kept.item
    if item.answer is None:
        return {"response": {"status": "202", "location": f"/messages/{item.id}"}}
    stored = parse_json(item.answer.encode())
    if stored["resourceType"] == "OperationOutcome":
        return {"response": {"status": str(item.status), "outcome": stored}}
    return filled(hub, viewer, stored["entry"], wanted)[0]


def _line(one: Interaction, entry: Any) -> dict[str, str]:
    url = one.key if one.id else one.kind
    conditions = {
        k: entry["request"][k] for k in ("ifMatch", "ifNoneExist") if k in entry["request"]
    }
    return {"method": one.method, "url": url, **conditions}

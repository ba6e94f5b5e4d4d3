"""Notifications of FHIR Subscriptions as the Backport guide has them for R4. Pure.

A notification is a Bundle of type ``history`` whose first entry is a Parameters resource with the
status; on the ``message`` channel that Bundle is what a message is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from hub.contract import Resource
from hub.errors import InputRefused
from hub.fhir.codec import parse_json
from hub.fhir.results import full_url

_STRUCTURE: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
STATUS_PROFILE: Final = f"{_STRUCTURE}/backport-subscription-status-r4"
NOTIFICATION_PROFILE: Final = f"{_STRUCTURE}/backport-subscription-notification-r4"

Kind = Literal["handshake", "heartbeat", "event-notification", "query-status", "query-event"]
Response = Literal["ok", "transient-error", "fatal-error"]


@dataclass(frozen=True)
class Event:
    """One event; without ``focus`` nothing may be said of it but its number."""

    number: int
    at: datetime | None = None
    focus: str | None = None
    """``Type/id``."""
    version: int = 1
    resources: Sequence[Resource] = ()
    """In full, what it is about first; empty where ids alone are told."""


@dataclass(frozen=True)
class Told:
    """What every notification says of its subscription."""

    id: str
    topic: str
    status: str
    events: int
    """Since the subscription began."""
    error: str | None = None


def status_parameters(
    base: str, told: Told, kind: Kind, parameters_id: str, events: Iterable[Event] = (),
    *, silent: bool = False,
) -> Resource:  # fmt: skip
    """The status; ``silent``: content ``empty``, which names neither topic nor resources."""
    found: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{told.id}"}}
    ]
    if not silent:
        found.append({"name": "topic", "valueCanonical": told.topic})
    found += [
        {"name": "status", "valueCode": told.status},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(told.events)},
    ]
    found += [_event(base, e, silent=silent) for e in events]
    if told.error is not None:
        found.append({"name": "error", "valueCodeableConcept": {"text": told.error}})
    return {
        "resourceType": "Parameters",
        "id": parameters_id,
        "meta": {"profile": [STATUS_PROFILE]},
        "parameter": found,
    }


def _event(base: str, event: Event, *, silent: bool) -> dict[str, Any]:
    part: list[dict[str, Any]] = [{"name": "event-number", "valueString": str(event.number)}]
    if event.at is not None:
        part.append({"name": "timestamp", "valueInstant": event.at.isoformat()})
    if event.focus is not None and not silent:
        part.append({"name": "focus", "valueReference": {"reference": f"{base}/{event.focus}"}})
        part += [
            {"name": "additional-context", "valueReference": {"reference": full_url(base, r)}}
            for r in event.resources[1:]
        ]
    return {"name": "notification-event", "part": part}


def notification(
    base: str, told: Told, kind: Kind, ids: tuple[str, str], at: datetime,
    events: Sequence[Event] = (), *, silent: bool = False,
) -> Resource:  # fmt: skip
    """The Bundle of a notification, or of an answer to ``$events``.

    ``ids``: UUIDs of the Bundle and of its Parameters.
    """
    bundle_id, parameters_id = ids
    status = status_parameters(base, told, kind, parameters_id, events, silent=silent)
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"urn:uuid:{parameters_id}",
            "resource": status,
            "request": {"method": "GET", "url": f"{base}/Subscription/{told.id}/$status"},
            "response": {"status": "200"},
        }
    ]
    if not silent:
        entries += _entries(base, events)
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {"lastUpdated": at.isoformat(), "profile": [NOTIFICATION_PROFILE]},
        "type": "history",
        "timestamp": at.isoformat(),
        "entry": entries,
    }


def _entries(base: str, events: Iterable[Event]) -> list[dict[str, Any]]:
    """What the events are about; the same version of a resource once (bdl-7)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events:
        if event.focus is None:
            continue
        for resource in event.resources:
            kind, version = resource["resourceType"], resource["meta"]["versionId"]
            place = f"{kind}/{resource['id']}"
            entry = _entry(base, place, place == event.focus and version == "1")
            found[place, version] = entry | {"resource": resource}
        if not event.resources:
            entry = _entry(base, event.focus, event.version == 1)
            found.setdefault((event.focus, str(event.version)), entry)
    return [_ordered(e) for e in found.values()]


def _entry(base: str, place: str, new: bool) -> dict[str, Any]:
    kind = place.partition("/")[0]
    return {
        "fullUrl": f"{base}/{place}",
        "request": {"method": "POST" if new else "PUT", "url": kind if new else place},
        "response": {"status": "201" if new else "200"},
    }


def _ordered(entry: Mapping[str, Any]) -> dict[str, Any]:
    order = ("fullUrl", "resource", "request", "response")
    return {name: entry[name] for name in order if name in entry}


def message(
    base: str, about: Resource, topic: str, ids: tuple[str, str], to: str
) -> Resource:  # fmt: skip
    """A FHIR message about a notification; its event is the topic.

    ``ids``: UUIDs of the Bundle and of its MessageHeader.
    """
    bundle_id, message_id = ids
    header = {
        "resourceType": "MessageHeader",
        "id": message_id,
        "eventUri": topic,
        "destination": [{"endpoint": to}],
        "source": {"name": "KI-hub", "endpoint": base},
        "focus": [{"reference": f"urn:uuid:{about['id']}"}],
    }
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "type": "message",
        "timestamp": about["timestamp"],
        "entry": [
            {"fullUrl": f"urn:uuid:{message_id}", "resource": header},
            {"fullUrl": f"urn:uuid:{about['id']}", "resource": about},
        ],
    }


def message_response(body: bytes, media_type: str) -> Response:
    """What the answer to a message says; an answer that is no message says ok by its status."""
    try:
        if "xml" in media_type:
            from hub.fhir.xml import from_xml  # noqa: PLC0415 - loads the type tables

            found = from_xml(body)
        else:
            found = parse_json(body)
    except InputRefused:
        return "ok"
    entries = found.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else {}
    header = first.get("resource") if isinstance(first, dict) else None
    response = header.get("response") if isinstance(header, dict) else None
    code = response.get("code") if isinstance(response, dict) else "ok"
    said: dict[Any, Response] = {"transient-error": "transient-error", "fatal-error": "fatal-error"}
    return said.get(code, "ok")

"""A message Bundle read tolerantly: whatever a sender put in it, reading never fails.

An element of the wrong JSON type reads as absent, so that a rule can report it. References are
compared on their last two parts (``Type/id``), because MedCom's own material uses relative
references, absolute ones and bare ``fullUrl`` side by side.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.medcom import urls
from hub.contract import Resource
from hub.errors import InputRefused
from hub.fhir.codec import dump_json, parse_json

_PLACE = re.compile(r"([A-Z]\w+)(?:\[(\d+)\])?(.*)")


def members(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; empty for anything that is no list."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def part(value: Any, *path: str) -> dict[str, Any]:
    """The object at the path of names, or an empty one."""
    here = value
    for name in path:
        here = here.get(name) if isinstance(here, Mapping) else None
    return here if isinstance(here, dict) else {}


def text(value: Any, *path: str) -> str:
    """The string at the path of names, or an empty one."""
    holder = part(value, *path[:-1]) if path else None
    found = holder.get(path[-1]) if holder is not None else value
    return found if isinstance(found, str) else ""


def extension(element: Mapping[str, Any], url: str) -> list[dict[str, Any]]:
    """Every extension with that URL."""
    return [e for e in members(element.get("extension")) if e.get("url") == url]


def short(reference: str) -> str:
    """``Type/id`` of a relative or absolute reference; other forms as they are."""
    parts = reference.rsplit("/", 2)
    return "/".join(parts[-2:]) if len(parts) > 1 else reference


@dataclass(frozen=True)
class Message:
    """One Bundle of type message."""

    bundle: Resource

    @cached_property
    def resources(self) -> list[Resource]:
        """The entries' resources, in order; an entry without one gives an empty object."""
        return [part(entry, "resource") for entry in members(self.bundle.get("entry"))]

    @cached_property
    def header(self) -> Resource:
        """The first entry if it is a MessageHeader, else an empty object."""
        first = self.resources[0] if self.resources else {}
        return first if first.get("resourceType") == "MessageHeader" else {}

    @property
    def event(self) -> tuple[str, str]:
        """The event's system and code."""
        coding = part(self.header, "eventCoding")
        return text(coding, "system"), text(coding, "code")

    @property
    def communication(self) -> Resource:
        """The Communication in focus, else the only one there is, else an empty object."""
        for focus in members(self.header.get("focus")):
            found = self.resolve(focus)
            if found.get("resourceType") == "Communication":
                return found
        return next(iter(self.of_type("Communication")), {})

    def of_type(self, kind: str) -> list[Resource]:
        """Every resource of that type."""
        return [r for r in self.resources if r.get("resourceType") == kind]

    def resolve(self, reference: Any) -> Resource:
        """The resource a Reference points at inside the bundle, or an empty object."""
        target = text(reference, "reference")
        return self._index.get(target) or self._index.get(short(target)) or {}

    @cached_property
    def _index(self) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for entry in members(self.bundle.get("entry")):
            resource = part(entry, "resource")
            kind, number = text(resource, "resourceType"), text(resource, "id")
            if kind and number:
                found[f"{kind}/{number}"] = resource
            if text(entry, "fullUrl"):
                found[text(entry, "fullUrl")] = resource
        return found

    def placed(self, at: str) -> str:
        """A rule's own place, such as ``Patient[0].name``, as a FHIRPath from the Bundle.

        A Communication without a number is the one in focus; another type's is its first. What
        is not there has no place of its own.
        """
        kind, number, rest = _PLACE.fullmatch(at).groups()  # type: ignore[union-attr]
        if kind == "Bundle":
            return at
        wanted = self.of_type(kind)[int(number or 0) :][:1]
        if kind == "Communication" and self.communication:
            wanted = [self.communication]
        return f"{self.place_of(wanted[0])}{rest}" if wanted else "Bundle.entry"

    def place_of(self, resource: Resource) -> str:
        """Where one of its resources is, whatever type it says that it has."""
        for i, entry in enumerate(self.bundle.get("entry") or ()):
            if part(entry, "resource") is resource:
                return f"Bundle.entry[{i}].resource"
        return "Bundle.entry"

    def current_provenance(self) -> list[Resource]:
        """The Provenances whose target is this message's header; exactly one when all is well."""
        own = f"MessageHeader/{text(self.header, 'id')}"
        return [
            p
            for p in self.of_type("Provenance")
            if any(short(text(t, "reference")) == own for t in members(p.get("target")))
        ]

    @property
    def activity(self) -> str:
        """The code of the current Provenance's activity."""
        return next((activity_of(p) for p in self.current_provenance()), "")


def activity_of(provenance: Resource) -> str:
    """The activity's code, such as ``new-message``."""
    codings = members(part(provenance, "activity").get("coding"))
    return next((text(c, "code") for c in codings if c.get("system") == urls.ACTIVITIES), "")


def payload_id(payload: Mapping[str, Any]) -> str:
    """A message segment's identifier value, ``urn:uuid:…``."""
    found = extension(payload, urls.IDENTIFIER)
    return text(found[0], "valueIdentifier", "value") if found else ""


def source_ids(provenance: Resource) -> list[str]:
    """The identifiers of the segments that a Provenance says were added in its message."""
    return [
        text(e, "what", "identifier", "value")
        for e in members(provenance.get("entity"))
        if e.get("role") == "source"
    ]


def fingerprint(body: bytes) -> str:
    """A hash of the content, equal for a message and its resend (rule MR7).

    A resend has another Bundle.id, another Bundle.timestamp and other Provenance times (and so
    another Provenance narrative); entries after the first have no order. Bytes that are no JSON
    object are hashed as they are.
    """
    try:
        bundle = parse_json(body)
    except InputRefused:
        return hashlib.sha256(body).hexdigest()
    content = {k: v for k, v in bundle.items() if k not in {"id", "timestamp", "entry", "text"}}
    entries = [dump_json(_canonical(_lasting(e))) for e in members(bundle.get("entry"))]
    digest = hashlib.sha256(dump_json(_canonical(content)))
    for entry in entries[:1] + sorted(entries[1:]):
        digest.update(hashlib.sha256(entry).digest())
    return digest.hexdigest()


def _lasting(entry: dict[str, Any]) -> dict[str, Any]:
    resource = part(entry, "resource")
    if resource.get("resourceType") != "Provenance":
        return entry
    passing = {"recorded", "text", "occurredDateTime", "occurredPeriod"}
    return entry | {"resource": {k: v for k, v in resource.items() if k not in passing}}


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _canonical(value[k]) for k in sorted(value)}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return value

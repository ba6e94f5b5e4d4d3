"""What tells a resend from a new message: the content without the marks of one sending."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import simplejson

from hub.contract import RawMessage
from hub.errors import InputRefused
from hub.fhir.wire import read

_SENDING: Final = {"lastUpdated", "versionId"}
"""Marks in ``meta`` that a server sets each time."""
_TIMES: Final = {"recorded", "occurredDateTime", "occurredPeriod"}
"""Elements of a Provenance that say when it was sent on."""


def fingerprint(message: RawMessage) -> str:
    """A hash of the content: not of Bundle.id and timestamp, MessageHeader.id and its fullUrl,
    ``meta`` versions or Provenance times. JSON and XML of one content are equal; bytes that are
    neither are hashed as they are."""
    try:
        bundle = read(message.body, message.media_type)
    except InputRefused:
        return hashlib.sha256(message.body).hexdigest()
    for mark in ("id", "timestamp"):
        bundle.pop(mark, None)
    for entry in _dictionaries(bundle.get("entry")):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        kind = resource.get("resourceType")
        if kind == "MessageHeader":
            entry.pop("fullUrl", None)
            resource.pop("id", None)
        elif kind == "Provenance":
            for mark in _TIMES:
                resource.pop(mark, None)
    text = simplejson.dumps(
        _without_versions(bundle), use_decimal=True, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _without_versions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_versions(v) for v in value]
    if not isinstance(value, dict):
        return value
    kept = {k: _without_versions(v) for k, v in value.items()}
    if isinstance(value.get("meta"), dict):
        kept["meta"] = {k: v for k, v in kept["meta"].items() if k not in _SENDING}
        if not kept["meta"]:
            del kept["meta"]
    return kept

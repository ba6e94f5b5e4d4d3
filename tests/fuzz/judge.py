"""What every answer below the FHIR base must be, whatever was asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Issue
from hub.fhir.codec import parse_json
from hub.fhir.subset import SUBSETTED
from hub.fhir.validation.validator import EmbeddedValidator
from hub.fhir.xml import from_xml
from tests.fuzz.requests import JSON, XML, Sent
from tests.fuzz.wire import Got

WITHOUT_BODY = {204, 304}
LARGE = 100_000
"""Bytes; a larger answer is held to everything but the invariants that need FHIRPath."""


@dataclass
class Judge:
    """Remembers what it has seen: the same bytes are as legal the second time."""

    thorough: EmbeddedValidator = field(default_factory=EmbeddedValidator)
    quick: EmbeddedValidator = field(default_factory=lambda: EmbeddedValidator(by_fhirpath=False))
    seen: set[bytes] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)

    def problems(self, sent: Sent, got: Got) -> list[str]:
        """Everything wrong with the answer; empty if nothing is."""
        self.statuses[got.status] = self.statuses.get(got.status, 0) + 1
        if got.status >= 500:
            return [f"status {got.status}"]
        if (
            sent.method == "HEAD"
            or got.status in WITHOUT_BODY
            or (got.status == 202 and not got.body)
        ):
            return ["a body where there is none"] if got.body else []
        resource, wrong = _read(got)
        if resource is None:
            return [wrong]
        found = _promised(sent, got, resource)
        digest = hashlib.sha256(got.body).digest()
        if digest not in self.seen:
            self.seen.add(digest)
            validator = self.quick if len(got.body) > LARGE else self.thorough
            found += [f"{i.expression}: {i.text}" for i in _illegal(validator, resource)]
        return found


def _illegal(validator: EmbeddedValidator, resource: Any) -> list[Issue]:
    """Errors; of resources that say they were cut, only those that cutting does not explain."""
    parts = [e.get("resource", {}) for e in resource.get("entry", ())] or [resource]
    cut = [p for p in parts if SUBSETTED in p.get("meta", {}).get("tag", ())]
    for part in cut:
        part["meta"].pop("profile", None)
    return [
        i
        for i in validator.check([resource])
        if i.severity in {"error", "fatal"} and not (cut and i.code == "invariant")
    ]


def _read(got: Got) -> tuple[Any, str]:
    media_type = got.headers.get("content-type", "")
    try:
        if media_type == JSON:
            return parse_json(got.body), ""
        if media_type == f"{XML}; charset=utf-8":
            return from_xml(got.body), ""
    except Exception as e:
        return None, f"not readable: {e!r}"
    return None, f"not FHIR: {media_type!r}"


def _promised(sent: Sent, got: Got, resource: Any) -> list[str]:
    """Status and resource fit, and a refusal says what is wrong and whose move it is."""
    is_outcome = resource["resourceType"] == "OperationOutcome"
    if got.status >= 400:
        told = [i for i in resource.get("issue", ()) if i["severity"] in {"error", "fatal"}]
        if not is_outcome or not told:
            return ["a refusal without an OperationOutcome of an error"]
        return [] if all(i.get("details", {}).get("text") for i in told) else ["no text"]
    if (
        sent.header("Accept") == XML
        and "_format" not in sent.target
        and b"_format" not in sent.body
    ):
        wrong = not got.headers["content-type"].startswith(XML)
        return ["asked for XML"] if wrong else []
    return []

"""Findings and errors as OperationOutcome (FHIR R4) in English and Danish, and their HTTP status.

An outcome is made once, with the Danish text as R4's ``translation`` of the English, and so it is
stored; :func:`in_language` makes of it what one reader gets. Pure: no web framework is known here.
The status table follows R4 "RESTful API" (3.1.0) and RFC 9110: 400 cannot be read, 422 read but
against a rule, 409 in conflict with what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.contract import Resource
from hub.errors import (
    CannotRender,
    HubError,
    InputRefused,
    Invalid,
    Issue,
    Malformed,
    MessageReused,
    Move,
    NoLegalBasis,
    NotFound,
    NotPermitted,
    NotThere,
    OverQuota,
    PreconditionFailed,
    StaleBase,
    Temporary,
    TooLarge,
    Unauthenticated,
    UnknownCode,
    Unsupported,
    VersionMissing,
    WrongSender,
)
from hub.fhir import names
from hub.fhir.language import Language, said

MOVE: Final = names.extension("move")
"""Extension on an OperationOutcome: valueCode saying whose move it is."""

ISSUE_TYPES: Final = frozenset(
    {
        "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown",
        "expired", "forbidden", "suppressed", "processing", "not-supported", "duplicate",
        "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
        "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
        "exception", "timeout", "incomplete", "throttled", "informational",
    }
)  # fmt: skip
"""http://hl7.org/fhir/ValueSet/issue-type of R4 4.0.1, a required binding."""

TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"
ALL_OK: Final = Issue("information", "informational", "All OK")

_STATUS: Final[dict[type[HubError], int]] = {
    Malformed: 400,
    TooLarge: 413,
    UnknownCode: 422,
    Invalid: 422,
    Unsupported: 415,
    WrongSender: 403,
    MessageReused: 409,
    StaleBase: 409,
    VersionMissing: 428,
    PreconditionFailed: 412,
    NotThere: 405,
    InputRefused: 422,
    Unauthenticated: 401,
    NoLegalBasis: 403,
    OverQuota: 429,
    NotFound: 404,
    NotPermitted: 403,
    CannotRender: 422,
    Temporary: 503,
}

# R4: OperationOutcome.issue.expression is a simple FHIRPath; anything else (an XML path, a line
# of a document in another format) belongs in location.
_FHIRPATH = re.compile(r"^[A-Z]\w*(\[\d+\])?(\.\w+(\[\d+\]|\([^()]*\))?)*$")


def outcome(issues: Iterable[Issue], *, move: Move | None = None) -> Resource:
    """An OperationOutcome with one entry per issue; with none, one saying all is well."""
    found = [_issue(i) for i in issues] or [_issue(ALL_OK)]
    made: Resource = {"resourceType": "OperationOutcome"}
    if move is not None:
        made["extension"] = [{"url": MOVE, "valueCode": move}]
    return made | {"issue": found}


def error_outcome(error: HubError) -> Resource:
    """The OperationOutcome of an error: its issues, and whose move it is by its class."""
    return outcome(error.issues, move=error.move)


def status_of(error: type[HubError] | HubError) -> int:
    """The HTTP status of an error or an error class; what no table names is 500."""
    wanted = error if isinstance(error, type) else type(error)
    return next((_STATUS[c] for c in wanted.__mro__ if c in _STATUS), 500)


def _issue(issue: Issue) -> dict[str, Any]:
    made: dict[str, Any] = {
        "severity": issue.severity,
        # An outcome is made while answering an error: a code outside the value set must not
        # turn into a second error, nor into an illegal resource.
        "code": issue.code if issue.code in ISSUE_TYPES else "processing",
        "details": {"text": issue.text, **_in_danish(issue)},
    }
    if issue.expression:
        kind = "expression" if _FHIRPATH.match(issue.expression) else "location"
        made[kind] = [issue.expression]
    return made


def _in_danish(issue: Issue) -> dict[str, Any]:
    danish = issue.text_da or said("da", issue.text)
    if danish is None:
        return {}
    parts = [{"url": "lang", "valueCode": "da"}, {"url": "content", "valueString": danish}]
    return {"_text": {"extension": [{"url": TRANSLATION, "extension": parts}]}}


def in_language(resource: Resource, language: Language) -> Resource:
    """An OperationOutcome in one language, and those in a Bundle; anything else as it is.

    A text that has no Danish stays in English, and then ``language`` is not stated.
    """
    if resource.get("resourceType") == "Bundle":
        entries = resource.get("entry", [])
        told = [_entry_in_language(e, language) for e in entries]
        return resource | {"entry": told} if told != entries else resource
    if resource.get("resourceType") != "OperationOutcome":
        return resource
    issues = [_told(i, language) for i in resource["issue"]]
    whole = language == "en" or all(map(translation, map(_details, resource["issue"])))
    rest = {k: v for k, v in resource.items() if k not in {"resourceType", "issue", "language"}}
    said_in = {"language": language} if whole else {}
    return {"resourceType": "OperationOutcome", **said_in, **rest, "issue": issues}


def _entry_in_language(entry: Resource, language: Language) -> Resource:
    made = dict(entry)
    if "resource" in entry:
        made["resource"] = in_language(entry["resource"], language)
    if "outcome" in entry.get("response", {}):
        told = in_language(entry["response"]["outcome"], language)
        made["response"] = entry["response"] | {"outcome": told}
    return made


def _told(issue: Resource, language: Language) -> Resource:
    details = {k: v for k, v in _details(issue).items() if k != "_text"}
    danish = translation(_details(issue))
    if language == "da" and danish is not None:
        details["text"] = danish
    return issue | ({"details": details} if details else {})


def _details(issue: Resource) -> Resource:
    found: Resource = issue.get("details", {})
    return found


def translation(details: Mapping[str, Any]) -> str | None:
    """The Danish text beside an issue's English one."""
    for found in details.get("_text", {}).get("extension", ()):
        parts = {e["url"]: e for e in found.get("extension", ())}
        if found["url"] == TRANSLATION and parts.get("lang", {}).get("valueCode") == "da":
            return str(parts["content"]["valueString"])
    return None

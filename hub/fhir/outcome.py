"""Findings and errors as OperationOutcome (FHIR R4), and their HTTP status.

Pure: no web framework is known here. The status table follows R4 "RESTful API" (3.1.0) and
RFC 9110: 400 cannot be read, 422 read but against a rule, 409 in conflict with what is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    found = [_issue(i) for i in issues] or [
        {"severity": "information", "code": "informational", "details": {"text": "All OK"}}
    ]
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
        "details": {"text": issue.text},
    }
    if issue.expression:
        kind = "expression" if _FHIRPATH.match(issue.expression) else "location"
        made[kind] = [issue.expression]
    return made

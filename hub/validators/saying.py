"""HL7's words made ours: severity, issue type, message id and place, never a value.

The validator's texts quote what they are about. Its issue types and message ids are its own
constants, a rule's key is its profile's, and R4's own rules are told in the words of the hub's
validator; the place is kept as far as it is made of R4's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from hub.errors import Issue, Severity
from hub.fhir.outcome import ISSUE_TYPES
from hub.fhir.types import element_names, is_resource
from hub.fhir.validation.rule_texts import RULES

_MESSAGE_ID: Final = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_STEP: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*)(\[\d+\])?|ofType\([A-Za-z0-9]+\)")
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{1,59}")
_SEVERITIES: Final = frozenset({"fatal", "error", "warning", "information"})
_UNKNOWN_PROFILE: Final = "VALIDATION_VAL_PROFILE_UNKNOWN_ERROR"
"""A warning there; here it is information, for a declared profile may be unknown."""

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "required": ("Something that must be there is missing", "Noget, der skal være der, mangler"),
    "value": (
        "The value has not the form its type has",
        "Værdien har ikke den form, dens type har",
    ),
    "code-invalid": (
        "The code is not one of those allowed here",
        "Koden er ikke en af dem, der må stå her",
    ),
    "invariant": ("A rule does not hold", "En regel er ikke opfyldt"),
    "structure": ("The structure is not that of FHIR R4", "Strukturen er ikke den, FHIR R4 har"),
    "not-found": ("What is named here cannot be found", "Det, der henvises til, findes ikke"),
    "extension": ("The extension may not stand here", "Denne extension må ikke stå her"),
    "business-rule": ("A rule does not hold", "En regel er ikke opfyldt"),
    "invalid": ("The content is not valid", "Indholdet er ikke gyldigt"),
    "exception": (
        "The validator failed on this document; nobody can say that it is valid",
        "Validatoren fejlede på dette dokument; ingen kan sige, at det er gyldigt",
    ),
    "informational": ("A remark", "En bemærkning"),
}
_OTHER: Final = ("Not as FHIR R4 or the profile asks", "Ikke som FHIR R4 eller profilen kræver")


def issues(outcome: Mapping[str, Any], places: Mapping[str, str]) -> Iterator[Issue]:
    """The findings of one answer; ``places`` maps the beginning of a path to what it is here.

    Of what is mere information, only an unknown profile is kept.
    """
    for said in outcome.get("issue", ()):
        message_id = _message_id(said)
        severity = _severity(said, message_id)
        given = said.get("code")
        code = given if isinstance(given, str) and given in ISSUE_TYPES else "processing"
        if severity == "information" and message_id != _UNKNOWN_PROFILE:
            continue
        english, danish = RULES.get(message_id) or _WORDS.get(code, _OTHER)
        shown = f" ({message_id})" if message_id else ""
        yield Issue(
            severity,
            code,
            f"HL7's validator: {english}{shown}",
            _place(said, places),
            f"HL7's validator: {danish}{shown}",
        )


def _severity(said: Mapping[str, Any], message_id: str) -> Severity:
    if message_id == _UNKNOWN_PROFILE and said.get("severity") == "warning":
        return "information"
    given = said.get("severity")
    known = isinstance(given, str) and given in _SEVERITIES
    return cast(Severity, given) if known else "error"


def _message_id(said: Mapping[str, Any]) -> str:
    """A message id as it is, of a rule its key; empty when it is neither."""
    for extension in said.get("extension", ()):
        if extension.get("url") == _MESSAGE_ID:
            given = str(extension.get("valueCode", ""))
            _, hash, key = given.rpartition("#")
            if hash:
                return key if _KEY.fullmatch(key) else ""
            return given if _ID.fullmatch(given) else ""
    return ""


def _place(said: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """From the resource given, as far as R4's names go; the resource itself otherwise."""
    given = _COMMENT.sub("", str(next(iter(said.get("expression", ())), "")))
    for begins, here in sorted(places.items(), key=lambda item: -len(item[0])):
        if not begins:
            return ".".join([here, *_known(given.split(".")[1:])])
        if given == begins or given.startswith(f"{begins}."):
            return ".".join([here, *_known(given[len(begins) + 1 :].split("."))])
    return next(iter(places.values()), "Resource")


def _known(steps: list[str]) -> Iterator[str]:
    for step in steps:
        found = _STEP.fullmatch(step)
        if found is None or (found[1] is not None and found[1] not in element_names()):
            return
        yield step


def known_type(resource: Mapping[str, Any]) -> bool:
    """Whether R4 has resources of its type; what it has not may be any text."""
    given = resource.get("resourceType")
    return isinstance(given, str) and is_resource(given)


def no_type(place: str) -> Issue:
    """Said of a resource that is none."""
    return Issue(
        "error",
        "structure",
        "Not a resource type of FHIR R4; send one that is",
        place,
        "Ikke en ressourcetype i FHIR R4; send en, der er",
    )

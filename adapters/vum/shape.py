"""The JSON shapes that the adapter reads, checked once so that reading can rely on them.

Only the elements that are read stand here; anything else is reported as a loss, unread. A shape
is a type, a list holding the members' shape, or a dictionary of element shapes.
Source: FHIR R4 4.0.1 JSON, for the resources of KL FFB messaging 1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.errors import Issue, Malformed

Shape = Any

_CODING: Final = {"system": str, "code": str, "display": str}
_CONCEPT: Final = {"coding": [_CODING], "text": str}
_IDENTIFIER: Final = {"system": str, "value": str, "use": str, "assigner": {"display": str}}
_EXTENSION: Final[dict[str, Any]] = {
    "url": str,
    "valueCode": str,
    "valueBoolean": bool,
    "valuePositiveInt": int,
    "valueCoding": _CODING,
    "valueIdentifier": _IDENTIFIER,
}
_EXTENSION["extension"] = [_EXTENSION]
_EXTENSIONS: Final = {"extension": [_EXTENSION]}
_REFERENCE: Final = {**_EXTENSIONS, "reference": str, "display": str, "identifier": _IDENTIFIER}
_PERIOD: Final = {"start": str, "end": str}
_TELECOM: Final = [{"system": str, "value": str}]
_NAME: Final = {"use": str, "family": str, "given": [str], "text": str, "prefix": [str]}
_ADDRESS: Final = [{"line": [str], "postalCode": str, "city": str}]
_ANY: Final = {**_EXTENSIONS, "id": str, "meta": {"security": [_CODING], "profile": [str]}}

SHAPES: Final[Mapping[str, Shape]] = {
    "MessageHeader": {
        **_ANY,
        "eventCoding": _CODING,
        "source": {"endpoint": str},
        "sender": _REFERENCE,
        "destination": [{"endpoint": str, "receiver": _REFERENCE}],
        "focus": [_REFERENCE],
    },
    "CarePlan": {
        **_ANY,
        "identifier": [_IDENTIFIER],
        "status": str,
        "intent": str,
        "category": [_CONCEPT],
        "title": str,
        "created": str,
        "period": _PERIOD,
        "subject": _REFERENCE,
        "author": _REFERENCE,
        "careTeam": [_REFERENCE],
        "addresses": [_REFERENCE],
        "goal": [_REFERENCE],
        "basedOn": [_REFERENCE],
        "supportingInfo": [_REFERENCE],
        "activity": [
            {
                **_EXTENSIONS,
                "detail": {
                    "status": str,
                    "code": _CONCEPT,
                    "description": str,
                    "goal": [_REFERENCE],
                    "performer": [_REFERENCE],
                },
            }
        ],
    },
    "Goal": {
        **_ANY,
        "identifier": [_IDENTIFIER],
        "lifecycleStatus": str,
        "category": [_CONCEPT],
        "description": {"text": str},
        "subject": _REFERENCE,
        "startDate": str,
        "statusDate": str,
        "target": [{"measure": _CONCEPT, "detailCodeableConcept": _CONCEPT, "detailString": str}],
        "addresses": [_REFERENCE],
    },
    "Condition": {
        **_ANY,
        "identifier": [_IDENTIFIER],
        "clinicalStatus": _CONCEPT,
        "verificationStatus": _CONCEPT,
        "severity": _CONCEPT,
        "code": _CONCEPT,
        "subject": _REFERENCE,
        "recordedDate": str,
        "onsetDateTime": str,
        "note": [{"text": str}],
    },
    "Observation": {
        **_ANY,
        "identifier": [_IDENTIFIER],
        "status": str,
        "code": _CONCEPT,
        "subject": _REFERENCE,
        "effectiveDateTime": str,
        "valueString": str,
        "valueCodeableConcept": _CONCEPT,
    },
    "Patient": {
        **_ANY,
        "active": bool,
        "identifier": [_IDENTIFIER],
        "name": [_NAME],
        "telecom": _TELECOM,
        "contact": [{"telecom": _TELECOM}],
        "address": _ADDRESS,
    },
    "Organization": {
        **_ANY,
        "name": str,
        "identifier": [_IDENTIFIER],
        "contact": [{"name": _NAME, "telecom": _TELECOM}],
    },
    "CareTeam": {
        **_ANY,
        "identifier": [_IDENTIFIER],
        "category": [_CONCEPT],
        "subject": _REFERENCE,
        "participant": [{**_EXTENSIONS, "member": _REFERENCE, "role": [_CONCEPT]}],
    },
    "ClinicalImpression": {
        **_ANY,
        "subject": _REFERENCE,
        "finding": [{"itemReference": _REFERENCE}],
        "investigation": [{"code": _CONCEPT, "item": [_REFERENCE]}],
    },
    "RelatedPerson": {
        **_ANY,
        "relationship": [_CONCEPT],
        "patient": _REFERENCE,
        "address": _ADDRESS,
    },
    "Encounter": {**_ANY, "type": [_CONCEPT], "period": _PERIOD},
    "Consent": {**_ANY, "patient": _REFERENCE, "performer": [_REFERENCE]},
    "Account": {**_ANY, "identifier": [_IDENTIFIER], "owner": _REFERENCE},
    "DocumentReference": {**_ANY},
}
"""What is read, by resource type."""

BUNDLE: Final = {
    "resourceType": str,
    "id": str,
    "type": str,
    "timestamp": str,
    "entry": [{"fullUrl": str, "resource": {"resourceType": str, "id": str}}],
}

_KEY: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


def check_shape(bundle: Mapping[str, Any]) -> None:
    """Raise Malformed, with every place where the JSON is not what FHIR says."""
    wrong = [*_wrong(bundle, BUNDLE, "Bundle")]
    if not wrong:
        for i, entry in enumerate(bundle.get("entry", ())):
            resource = entry.get("resource", {})
            at = f"Bundle.entry[{i}].resource"
            kind = resource.get("resourceType")
            wrong += [at] if kind is None else _wrong(resource, SHAPES.get(kind, _ANY), at)
            if "contained" in resource:
                wrong.append(f"{at}.contained")
        wrong += _odd_keys(bundle, "Bundle")
    if wrong:
        text = "Not the JSON that FHIR R4 has here (or contained, which is sent as an entry)"
        raise Malformed(text, issues=tuple(Issue("error", "structure", text, at) for at in wrong))


def _wrong(value: Any, shape: Shape, at: str) -> list[str]:
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [at]
        return [w for i, v in enumerate(value) for w in _wrong(v, shape[0], f"{at}[{i}]")]
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [at]
        return [w for k, v in value.items() if k in shape for w in _wrong(v, shape[k], f"{at}.{k}")]
    fits = isinstance(value, shape) and isinstance(value, bool) == (shape is bool)
    return [] if fits else [at]


def _odd_keys(value: Any, at: str) -> list[str]:
    """Parents of element names that no FHIR element can have; the names are not repeated."""
    if isinstance(value, list):
        return [w for i, v in enumerate(value) for w in _odd_keys(v, f"{at}[{i}]")]
    if not isinstance(value, dict):
        return []
    if not all(_KEY.fullmatch(k) for k in value):
        return [at]
    return [w for k, v in value.items() for w in _odd_keys(v, f"{at}.{k}")]

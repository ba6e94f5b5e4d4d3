"""The smallest legal instance of every resource type that the project profiles.

Written by hand from R4 4.0.1, not from the tables under test. Synthetic people only.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Json = dict[str, Any]

UUID = "urn:uuid:00000000-0000-4000-8000-"
WHEN = "2026-03-02T10:15:00+01:00"
REQUEST = {"method": "GET", "url": "CarePlan/1"}
WHO = {"who": {"display": "Visitationen"}}


def said(text: str) -> Json:
    return {"text": text}


def extended(kind: str, value: Any) -> Json:
    """A patch that lets a data type be carried by any resource."""
    return {"extension": [{"url": "https://example.org/e", f"value{kind}": value}]}


def entry(number: int, resource: Json, **more: Any) -> Json:
    return {"fullUrl": f"{UUID}{number:012}", "resource": resource, **more}


_MINIMAL: dict[str, Json] = {
    "CarePlan": {"status": "active", "intent": "plan", "subject": {"reference": "Patient/1"}},
    "CareTeam": {},
    "Consent": {
        "status": "active",
        "scope": said("deling"),
        "category": [said("udveksling")],
        "policyRule": said("samtykke"),
    },
    "Goal": {
        "lifecycleStatus": "active",
        "description": said("En fast bolig"),
        "subject": {"reference": "Patient/1"},
    },
    "Condition": {"subject": {"reference": "Patient/1"}},
    "Observation": {"status": "final", "code": said("status")},
    "Appointment": {
        "status": "booked",
        "start": "2026-03-02T10:00:00Z",
        "end": "2026-03-02T11:00:00Z",
        "participant": [{"actor": {"display": "Tovholder"}, "status": "accepted"}],
    },
    "Patient": {},
    "Organization": {"name": "Socialpsykiatrien"},
    "PractitionerRole": {},
    "RelatedPerson": {"patient": {"reference": "Patient/1"}},
    "DocumentReference": {
        "status": "current",
        "content": [{"attachment": {"url": "https://example.org/d"}}],
    },
    "Communication": {"status": "completed"},
    "Bundle": {"type": "collection"},
    "MessageHeader": {
        "eventUri": "https://example.org/event",
        "source": {"endpoint": "https://example.org/end"},
    },
    "Provenance": {
        "target": [{"reference": "CarePlan/1"}],
        "recorded": WHEN,
        "agent": [WHO],
    },
    "AuditEvent": {
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100"},
        "recorded": WHEN,
        "agent": [{"requestor": True}],
        "source": {"observer": {"display": "KI-hub"}},
    },
    "OperationOutcome": {"issue": [{"severity": "error", "code": "invalid"}]},
    "Composition": {
        "status": "final",
        "type": said("plan"),
        "date": WHEN,
        "author": [{"display": "Tovholder"}],
        "title": "Plan",
    },
}

PROFILED = tuple(name for name in _MINIMAL if name != "Composition")
"""The types of the corpus; a Composition is only needed to make a document of a Bundle."""


def minimal(kind: str, **patch: Any) -> Json:
    """A fresh instance, with members changed, or removed by None."""
    made = {"resourceType": kind} | deepcopy(_MINIMAL[kind]) | deepcopy(patch)
    return {name: value for name, value in made.items() if value is not None}

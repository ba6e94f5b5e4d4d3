"""For every rule of R4 that the profiled types can meet: what keeps it and what breaks it.

A case is ``(type, members of the valid instance, members of the broken one)``: both are the
minimal instance with these members changed, None removes one. Written from the rules' wording in
R4 4.0.1, not from the code under test.
"""

from __future__ import annotations

from typing import Any

from tests.unit.validation.instances import REQUEST, UUID, WHEN, entry, extended, minimal, said

Json = dict[str, Any]
Case = tuple[str, Json, Json]

UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def code(system: str, value: str) -> Json:
    return {"coding": [{"system": system, "code": value}]}


def repeat(**members: Any) -> Json:
    return extended("Timing", {"repeat": members})


def story(inner: str) -> Json:
    return {"text": {"status": "additional", "div": DIV.format(inner)}}


def answer(kind: str) -> Json:
    return {"type": kind, "entry": [{"response": {"status": "200"}}]}


def scoped(value: str, **more: Any) -> Json:
    return {"scope": code("something", value), **more}


def quantity(value: float, unit: str = "mg") -> Json:
    return {"value": value, "unit": unit}


PATIENT = minimal("Patient", id="p")
HEADER = minimal("MessageHeader")
NOTE = {"patient": {"reference": "Patient/1"}}
TRIGGER = {"type": "data-added", "data": [{"type": "Observation"}]}
DOCUMENT: Json = {
    "type": "document",
    "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{UUID}000000000009"},
    "timestamp": WHEN,
    "entry": [entry(1, minimal("Composition"))],
}
USED = {
    "contained": [{"resourceType": "Patient", "id": "p"}],
    "subject": {"reference": "#p"},
}


def contained(**members: Any) -> Json:
    return {**USED, "contained": [{"resourceType": "Patient", "id": "p", **members}]}


DEFECTS: dict[str, Case] = {
    "ele-1": ("Patient", {"name": [{"text": "-"}]}, {"name": [{}]}),
    "ext-1": (
        "Patient",
        extended("String", "a"),
        {"extension": [{"url": "https://example.org/e"}]},
    ),
    "dom-2": (
        "Condition",
        USED,
        contained(contained=[{"resourceType": "Organization", "id": "o", "name": "x"}]),
    ),
    "dom-3": ("Condition", USED, {**USED, "subject": {"reference": "Patient/1"}}),
    "dom-4": ("Condition", USED, contained(meta={"versionId": "1"})),
    "dom-5": ("Condition", USED, contained(meta={"security": [{"code": "R"}]})),
    "dom-6": ("Patient", story("<p>Kort</p>"), {}),
    "ref-1": ("Condition", USED, {"subject": {"reference": "#p"}}),
    "per-1": (
        "CarePlan",
        {"period": {"start": "2026-01", "end": "2026-01-15"}},
        {"period": {"start": "2026-02", "end": "2026-01-15"}},
    ),
    "qty-3": (
        "Observation",
        {"valueQuantity": {"value": 1, "system": UCUM, "code": "mg"}},
        {"valueQuantity": {"value": 1, "code": "mg"}},
    ),
    "rng-2": (
        "Observation",
        {"valueRange": {"low": quantity(1), "high": quantity(2)}},
        {"valueRange": {"low": quantity(3), "high": quantity(2)}},
    ),
    "rat-1": (
        "Observation",
        {"valueRatio": {"numerator": quantity(1), "denominator": quantity(2)}},
        {"valueRatio": {"numerator": quantity(1)}},
    ),
    "txt-1": ("Patient", story("<p>Kort</p>"), story("<script>a()</script>")),
    "txt-2": ("Patient", story("<p>Kort</p>"), story("<p> </p>")),
    "age-1": (
        "Condition",
        {
            "onsetAge": {"value": 40, "system": UCUM, "code": "a"},
            "clinicalStatus": code(CLINICAL, "active"),
        },
        {"onsetAge": {"value": 40}},
    ),
    "drt-1": (
        "Patient",
        extended("Duration", {"value": 4, "system": UCUM, "code": "wk"}),
        extended("Duration", {"value": 4, "system": "https://example.org/u", "code": "wk"}),
    ),
    "cnt-3": (
        "Patient",
        extended("Count", {"value": 4, "system": UCUM, "code": "1"}),
        extended("Count", {"value": 4, "system": UCUM, "code": "mg"}),
    ),
    "dis-1": (
        "Patient",
        extended("Distance", {"value": 4, "system": UCUM, "code": "km"}),
        extended("Distance", {"value": 4}),
    ),
    "sqty-1": (
        "Observation",
        {"referenceRange": [{"low": quantity(1)}]},
        {"referenceRange": [{"low": {**quantity(1), "comparator": "<"}}]},
    ),
    "cpt-2": (
        "Patient",
        {"telecom": [{"system": "phone", "value": "11"}]},
        {"telecom": [{"value": "11"}]},
    ),
    "att-1": (
        "DocumentReference",
        {"content": [{"attachment": {"contentType": "text/plain", "data": "QUJD"}}]},
        {"content": [{"attachment": {"data": "QUJD"}}]},
    ),
    "exp-1": (
        "Patient",
        extended("Expression", {"language": "text/fhirpath", "expression": "true"}),
        extended("Expression", {"language": "text/fhirpath"}),
    ),
    "drq-1": (
        "Patient",
        extended("DataRequirement", {"type": "Goal", "codeFilter": [{"path": "category"}]}),
        extended(
            "DataRequirement",
            {"type": "Goal", "codeFilter": [{"path": "category", "searchParam": "category"}]},
        ),
    ),
    "drq-2": (
        "Patient",
        extended("DataRequirement", {"type": "Goal", "dateFilter": [{"path": "start"}]}),
        extended("DataRequirement", {"type": "Goal", "dateFilter": [{"valueDateTime": "2026"}]}),
    ),
    "trd-1": (
        "Patient",
        extended("TriggerDefinition", TRIGGER),
        extended("TriggerDefinition", {**TRIGGER, "timingDate": "2026-03-02"}),
    ),
    "trd-2": (
        "Patient",
        extended(
            "TriggerDefinition",
            {**TRIGGER, "condition": {"language": "text/fhirpath", "expression": "true"}},
        ),
        extended(
            "TriggerDefinition",
            {
                "type": "named-event",
                "name": "x",
                "condition": {"language": "text/fhirpath", "expression": "true"},
            },
        ),
    ),
    "trd-3": (
        "Patient",
        extended("TriggerDefinition", {"type": "named-event", "name": "x"}),
        extended("TriggerDefinition", {"type": "named-event"}),
    ),
    "tim-1": ("Patient", repeat(duration=2, durationUnit="h"), repeat(duration=2)),
    "tim-2": ("Patient", repeat(period=2, periodUnit="d"), repeat(period=2)),
    "tim-4": (
        "Patient",
        repeat(duration=2, durationUnit="h"),
        repeat(duration=-2, durationUnit="h"),
    ),
    "tim-5": ("Patient", repeat(period=2, periodUnit="d"), repeat(period=-2, periodUnit="d")),
    "tim-6": (
        "Patient",
        repeat(period=2, periodMax=3, periodUnit="d"),
        repeat(periodMax=3, periodUnit="d"),
    ),
    "tim-7": (
        "Patient",
        repeat(duration=2, durationMax=3, durationUnit="d"),
        repeat(durationMax=3, durationUnit="d"),
    ),
    "tim-8": ("Patient", repeat(count=2, countMax=3), repeat(countMax=3)),
    "tim-9": ("Patient", repeat(offset=10, when=["HS"]), repeat(offset=10, when=["C"])),
    "tim-10": (
        "Patient",
        repeat(timeOfDay=["08:00:00"]),
        repeat(timeOfDay=["08:00:00"], when=["HS"]),
    ),
    "app-1": (
        "Appointment",
        {"participant": [{"type": [said("tovholder")], "status": "accepted"}]},
        {"participant": [{"status": "accepted"}]},
    ),
    "app-2": (
        "Appointment",
        {"status": "proposed", "start": None, "end": None},
        {"status": "proposed", "end": None},
    ),
    "app-3": (
        "Appointment",
        {"status": "proposed", "start": None, "end": None},
        {"status": "booked", "start": None, "end": None},
    ),
    "app-4": (
        "Appointment",
        {"status": "cancelled", "cancelationReason": said("syg")},
        {"status": "booked", "cancelationReason": said("syg")},
    ),
    "cpl-3": (
        "CarePlan",
        {"activity": [{"detail": {"status": "in-progress"}}]},
        {"activity": [{"detail": {"status": "in-progress"}, "reference": {"display": "-"}}]},
    ),
    "ctm-1": (
        "CareTeam",
        {
            "contained": [{"resourceType": "Practitioner", "id": "m"}],
            "participant": [{"member": {"reference": "#m"}, "onBehalfOf": {"display": "-"}}],
        },
        {
            "contained": [{"resourceType": "Organization", "id": "m", "name": "x"}],
            "participant": [{"member": {"reference": "#m"}, "onBehalfOf": {"display": "-"}}],
        },
    ),
    "con-1": (
        "Condition",
        {"stage": [{"summary": said("2")}]},
        {"stage": [{"type": said("2")}]},
    ),
    "con-2": (
        "Condition",
        {"evidence": [{"code": [said("x")]}]},
        {"evidence": [extended("String", "x")]},
    ),
    "con-3": (
        "Condition",
        {"category": [said("x")], "clinicalStatus": code(CLINICAL, "active")},
        {"category": [said("x")]},
    ),
    "con-4": (
        "Condition",
        {"abatementDateTime": "2026", "clinicalStatus": code(CLINICAL, "resolved")},
        {"abatementDateTime": "2026", "clinicalStatus": code(CLINICAL, "active")},
    ),
    "con-5": (
        "Condition",
        {"verificationStatus": code(VERIFICATION, "entered-in-error")},
        {
            "verificationStatus": code(VERIFICATION, "entered-in-error"),
            "clinicalStatus": code(CLINICAL, "active"),
        },
    ),
    "ppc-1": (
        "Consent",
        {"policy": [{"uri": "urn:x:y"}], "policyRule": None},
        {"policyRule": None},
    ),
    "ppc-2": ("Consent", scoped("patient-privacy", **NOTE), scoped("patient-privacy")),
    "ppc-3": ("Consent", scoped("research", **NOTE), scoped("research")),
    "ppc-4": ("Consent", scoped("adr", **NOTE), scoped("adr")),
    "ppc-5": ("Consent", scoped("treatment", **NOTE), scoped("treatment")),
    "gol-1": (
        "Goal",
        {"target": [{"measure": said("bolig"), "detailString": "ja"}]},
        {"target": [{"detailString": "ja"}]},
    ),
    "obs-3": (
        "Observation",
        {"referenceRange": [{"text": "normal"}]},
        {"referenceRange": [{"type": said("normal")}]},
    ),
    "obs-6": (
        "Observation",
        {"dataAbsentReason": said("ukendt")},
        {"dataAbsentReason": said("ukendt"), "valueString": "x"},
    ),
    "obs-7": (
        "Observation",
        {"code": code("urn:s", "1"), "component": [{"code": code("urn:s", "1")}]},
        {
            "code": code("urn:s", "1"),
            "component": [{"code": code("urn:s", "1")}],
            "valueString": "x",
        },
    ),
    "org-1": ("Organization", {}, {"name": None}),
    "org-2": (
        "Organization",
        {"address": [{"use": "work", "city": "x"}]},
        {"address": [{"use": "home", "city": "x"}]},
    ),
    "org-3": (
        "Organization",
        {"telecom": [{"use": "work", "system": "phone", "value": "11"}]},
        {"telecom": [{"use": "home", "system": "phone", "value": "11"}]},
    ),
    "pat-1": (
        "Patient",
        {"contact": [{"name": {"text": "-"}}]},
        {"contact": [{"gender": "other"}]},
    ),
    "sev-1": (
        "AuditEvent",
        {"entity": [{"name": "x"}]},
        {"entity": [{"name": "x", "query": "QUJD"}]},
    ),
    "bdl-1": ("Bundle", {"type": "searchset", "total": 0}, {"type": "collection", "total": 0}),
    "bdl-2": (
        "Bundle",
        {"type": "searchset", "entry": [entry(1, PATIENT, search={"mode": "match"})]},
        {"type": "collection", "entry": [entry(1, PATIENT, search={"mode": "match"})]},
    ),
    "bdl-3": (
        "Bundle",
        {"type": "batch", "entry": [{"request": REQUEST}]},
        {"type": "collection", "entry": [entry(1, PATIENT, request=REQUEST)]},
    ),
    "bdl-4": (
        "Bundle",
        answer("batch-response"),
        {"type": "collection", "entry": [entry(1, PATIENT, response={"status": "200"})]},
    ),
    "bdl-5": ("Bundle", {"entry": [entry(1, PATIENT)]}, {"entry": [{"fullUrl": "urn:x:y"}]}),
    "bdl-7": (
        "Bundle",
        {"entry": [entry(1, PATIENT), entry(2, PATIENT)]},
        {"entry": [entry(1, PATIENT), entry(1, PATIENT)]},
    ),
    "bdl-8": (
        "Bundle",
        {"entry": [{"fullUrl": "https://example.org/Patient/p", "resource": PATIENT}]},
        {"entry": [{"fullUrl": "https://example.org/Patient/p/_history/1", "resource": PATIENT}]},
    ),
    "bdl-9": ("Bundle", DOCUMENT, {**DOCUMENT, "identifier": {"value": "x"}}),
    "bdl-10": ("Bundle", DOCUMENT, {**DOCUMENT, "timestamp": None}),
    "bdl-11": ("Bundle", DOCUMENT, {**DOCUMENT, "entry": [entry(1, PATIENT)]}),
    "bdl-12": (
        "Bundle",
        {"type": "message", "entry": [entry(1, HEADER)]},
        {"type": "message", "entry": [entry(1, PATIENT), entry(2, HEADER)]},
    ),
}

BEST_PRACTICE = {"dom-6", "con-3"}
"""R4 marks these as best practice: warnings, and only when asked for."""

SAID_OTHERWISE = {
    "ele-1": "the walk reports empty objects, arrays and strings themselves",
    "sqty-1": "the element comparator has a maximum of 0 in SimpleQuantity as well",
}
"""Rules whose breach may be reported by an issue that does not name the rule."""

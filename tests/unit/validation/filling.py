"""Makes a legal value for any element, so that one defect can be seeded at a time.

What an element needs comes from the tables; what R4's rules need beyond that is said here by
hand, in :data:`_CONTENT` and :data:`_BESIDE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hub.fhir.validation.definitions import Element, Level, TypeRef
from hub.fhir.validation.tables import BaseTables
from hub.fhir.validation.terminology import Terminology
from tests.unit.validation.instances import Json, extended, minimal

TABLES = BaseTables()
TERMINOLOGY = Terminology(TABLES)

GOOD: dict[str, Any] = {
    "base64Binary": "QUJD",
    "boolean": True,
    "canonical": "https://example.org/Library/1|2",
    "code": "text/plain",
    "date": "2026-02-28",
    "dateTime": "2026-02-28T10:15:00+01:00",
    "decimal": 2.5,
    "id": "a-1.b",
    "instant": "2026-02-28T10:15:00.123Z",
    "integer": -3,
    "markdown": "*ja*\nnej",
    "oid": "urn:oid:1.2.208.176",
    "positiveInt": 1,
    "string": "en tekst",
    "time": "23:59:59",
    "unsignedInt": 0,
    "uri": "urn:example:a",
    "url": "https://example.org/a",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml"><p>En tekst</p></div>',
}
"""A legal value of every primitive type."""

BAD: dict[str, tuple[Any, ...]] = {
    "base64Binary": ("QUJ", "QU=D", "QUJ*", 1),
    "boolean": ("true", 1, "ja"),
    "canonical": ("https://example.org/Library /1", 1),
    "code": (" a", "a ", "a  b", 1),
    "date": ("2026-02-30", "2026-13-01", "2026-1-1", "28-02-2026", "0000-01-01", 2026),
    "dateTime": (
        "2026-02-30T10:00:00Z",
        "2026-02-28T10:00:00",
        "2026-02-28T24:00:00Z",
        "2026-02-28 10:00:00Z",
        "2026-02-28T10:00Z",
        "2026-02-28T10:00:00+15:00",
    ),
    "decimal": ("2.5", True),
    "id": ("a_b", "a" * 65, "a b", 1),
    "instant": ("2026-02-28", "2026-02-28T10:15:00", "2026-02-29T10:15:00Z"),
    "integer": (1.5, "1", 2**31, True),
    "markdown": ("a\x01b", 1),
    "oid": ("1.2.208", "urn:oid:3.1", "urn:oid:1.02"),
    "positiveInt": (0, -1, "1"),
    "string": ("a\x08b", 1, {"text": "a"}),
    "time": ("24:00:00", "10:15", "10:15:00Z"),
    "unsignedInt": (-1, "0"),
    "uri": ("urn:example: a", "urn:uuid:C757873D", 1),
    "url": ("https://example.org/a b", 1),
    "uuid": (
        "c757873d-ec9a-4326-a141-556f43239520",
        "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
    ),
    "xhtml": ("<div>uden navnerum</div>", 1),
}
"""What none of them may be."""

UNIT = {"value": 2, "unit": "mg"}
UCUM = "http://unitsofmeasure.org"
_CONTENT: dict[str, Json] = {
    "Address": {"city": "Roskilde"},
    "Age": {"value": 40, "system": UCUM, "code": "a"},
    "Annotation": {"text": "en note"},
    "Attachment": {"url": "https://example.org/d"},
    "CodeableConcept": {"text": "et begreb"},
    "Coding": {"display": "et begreb"},
    "ContactDetail": {"name": "Visitationen"},
    "ContactPoint": {"system": "phone", "value": "11"},
    "Count": {"value": 4, "system": UCUM, "code": "1"},
    "DataRequirement": {"type": "Goal"},
    "DataRequirement.codeFilter": {"path": "category"},
    "DataRequirement.dateFilter": {"path": "start"},
    "Distance": {"value": 4, "system": UCUM, "code": "km"},
    "Dosage": {"text": "to om dagen"},
    "Duration": {"value": 4, "system": UCUM, "code": "wk"},
    "Expression": {"language": "text/fhirpath", "expression": "true"},
    "Extension": {"url": "https://example.org/e", "valueString": "x"},
    "HumanName": {"text": "-"},
    "Identifier": {"value": "1"},
    "Meta": {"versionId": "1"},
    "Money": {"value": 2.5},
    "Narrative": {"status": "additional", "div": GOOD["xhtml"]},
    "ParameterDefinition": {"use": "in", "type": "string"},
    "Period": {"start": "2026-01-01"},
    "Quantity": UNIT,
    "Range": {"low": UNIT},
    "Ratio": {"numerator": UNIT, "denominator": UNIT},
    "Reference": {"display": "en anden"},
    "Timing": {"code": {"text": "daglig"}},
    "Timing.repeat": {"count": 2},
    "TriggerDefinition": {"type": "data-added", "data": [{"type": "Goal"}]},
    "Bundle.entry": {
        "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "resource": {"resourceType": "Patient", "id": "p"},
    },
    "Appointment.participant": {"type": [{"text": "rolle"}]},
    "Condition.stage": {"summary": {"text": "2"}},
    "Condition.evidence": {"code": [{"text": "x"}]},
    "Observation.referenceRange": {"text": "normal"},
    "Patient.contact": {"name": {"text": "-"}},
    "Goal.target": {"measure": {"text": "bolig"}},
}
"""What a value holds at least, by its type or path: what rules and not cardinalities ask for."""

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_BESIDE: dict[str, Json] = {
    "Appointment.cancelationReason": {"status": "cancelled"},
    "Attachment.data": {"contentType": "text/plain"},
    "Bundle.entry.request": {"type": "batch"},
    "Bundle.entry.response": {"type": "batch-response"},
    "Bundle.entry.search": {"type": "searchset"},
    "Bundle.total": {"type": "searchset"},
    "Condition.abatement[x]": {
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "resolved"}]}
    },
    "Consent.provision.data": {},
    "ContactPoint.value": {"system": "phone"},
    "Quantity.code": {"system": UCUM},
    "Timing.repeat.countMax": {"count": 1},
    "Timing.repeat.duration": {"durationUnit": "h"},
    "Timing.repeat.durationMax": {"duration": 1, "durationUnit": "h"},
    "Timing.repeat.offset": {"when": ["HS"]},
    "Timing.repeat.period": {"periodUnit": "h"},
    "Timing.repeat.periodMax": {"period": 1, "periodUnit": "h"},
    "TriggerDefinition.condition": {"data": [{"type": "Goal"}]},
    "TriggerDefinition.timing[x]": {"type": "periodic"},
}
"""What stands beside an element, in the object that holds it or one around that."""

_INSTEAD: dict[str, tuple[str, ...]] = {
    "AuditEvent.entity.query": ("name",),
    "Bundle.entry.request": ("resource", "fullUrl"),
    "Bundle.entry.response": ("resource", "fullUrl"),
    "DataRequirement.codeFilter.searchParam": ("path",),
    "DataRequirement.dateFilter.searchParam": ("path",),
    "Observation.dataAbsentReason": ("valueString",),
    "Timing.repeat.when": ("timeOfDay",),
    "TriggerDefinition.timing[x]": ("data", "condition"),
}
"""What may not stand beside it."""


_VALUES: dict[str, Any] = {
    "Age.system": UCUM,
    "Bundle.entry.fullUrl": "https://example.org/fhir/Patient/p",
    "Count.system": UCUM,
    "Count.value": 4,
    "Count.code": "1",
    "Distance.system": UCUM,
    "Duration.system": UCUM,
    "Reference.reference": "Patient/1",
}
"""Where a value of the type alone would break a rule."""


def value_of(element: Element, ref: TypeRef) -> Any:
    """A legal value of one type of an element, not yet in an array."""
    if element.name == "id":
        return "a-1.b"
    if element.path in _VALUES:
        return _VALUES[element.path]
    if ref.primitive:
        return _code(element) if element.binding else GOOD[ref.code]
    if ref.code == "Resource" or TABLES.resource(ref.code):
        return {"resourceType": "Patient", "id": "p"}
    path = element.path if ref.code in {"BackboneElement", "Element"} else ref.code
    level = element.own
    if level is None:
        shape = TABLES.shape(ref.code)
        assert shape is not None
        level = TABLES.element(element.content).own if element.content else shape.level
    assert level is not None
    made = required(level) | deepcopy(_CONTENT.get(path, {}))
    if element.binding and ref.code in {"Coding", "CodeableConcept"}:
        coding = _coding(element.binding)
        made |= {"coding": [coding]} if ref.code == "CodeableConcept" else coding
    if not made:
        made = _first(level)
    return made


def required(level: Level) -> Json:
    """The members that an object must have."""
    made: Json = {}
    for element in level.elements.values():
        if element.min:
            name, ref = next(iter(element.json_names()))
            value = value_of(element, ref)
            made[name] = [value] if element.repeats else value
    return made


def _first(level: Level) -> Json:
    """Any one member, where none is required."""
    for element in level.elements.values():
        if element.name not in {"id", "extension", "modifierExtension"}:
            name, ref = next(iter(element.json_names()))
            value = value_of(element, ref)
            return {name: [value] if element.repeats else value}
    raise AssertionError("a type without elements")


def _code(element: Element) -> Any:
    codes = TERMINOLOGY.codes(element.binding or "")
    if codes is None:
        return {"currencies": "DKK", "all-languages": "da-DK"}.get(
            (element.binding or "").rpartition("/")[2], GOOD["code"]
        )
    return sorted(code for _, code in codes)[0]


def _coding(value_set: str) -> Json:
    codes = TERMINOLOGY.codes(value_set)
    if codes is None:
        return {"display": "-"}
    system, code = sorted(codes)[0]
    return {"system": system, "code": code}


class Place:
    """One element with one of its types, at a path inside a resource or data type."""

    def __init__(self, chain: tuple[Element, ...], name: str, ref: TypeRef) -> None:
        self.chain = chain
        self.element = chain[-1]
        self.name = name
        """The JSON member."""
        self.ref = ref

    def __repr__(self) -> str:
        return f"{self.element.path}:{self.ref.code}"

    @property
    def owner(self) -> str:
        return self.element.path.partition(".")[0]

    def instance(self, value: Any) -> Json:
        """A resource with ``value`` at this place and everything else legal."""
        resource = TABLES.resource(self.owner)
        shape = TABLES.shape(self.owner)
        assert shape is not None
        body = (
            minimal(self.owner)
            if resource
            else required(shape.level) | deepcopy(_CONTENT.get(self.owner, {}))
        )
        holder = body
        for element in self.chain[:-1]:
            name, ref = next(iter(element.json_names()))
            here = holder.get(name, [None] if element.repeats else None)
            inner = (here[0] if element.repeats else here) or value_of(element, ref)
            holder[name] = [inner] if element.repeats else inner
            holder = inner
            self._beside(element, body, holder)
        self._beside(self.element, body, holder)
        for other in [n for n in holder if n != self.name]:
            # Only one type of a choice may be there.
            if self.element.choice and other in {n for n, _ in self.element.json_names()}:
                del holder[other]
        holder[self.name] = [value] if self.element.repeats else value
        return body if resource else self._carried(body)

    def _beside(self, element: Element, body: Json, holder: Json) -> None:
        target = body if element.path.startswith("Bundle.") else holder
        target |= deepcopy(_BESIDE.get(element.path, {}))
        for name in _INSTEAD.get(element.path, ()):
            holder.pop(name, None)

    def _carried(self, body: Json) -> Json:
        if self.owner == "Narrative":
            return minimal("Patient", text=body)
        if self.owner == "Extension":
            return minimal("Patient", extension=[body])
        return minimal("Patient", **extended(self.owner, body))


def places(kind: str) -> Iterator[Place]:
    """Every element of a type with every type it may have, those in place included."""
    shape = TABLES.shape(kind)
    assert shape is not None
    yield from _below(shape.level, ())


def _below(level: Level, above: tuple[Element, ...]) -> Iterator[Place]:
    for element in level.elements.values():
        chain = (*above, element)
        if element.max == 0:
            continue
        for name, ref in element.json_names():
            yield Place(chain, name, ref)
        if element.own is not None:
            yield from _below(element.own, chain)

"""One defect for every simple value, required code and reference that R4 has in our types.

Each starts from a legal instance with the element in question, which must be accepted; then the
one value is made wrong, which must be found at that place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from hub.errors import Issue
from hub.fhir.validation import EmbeddedValidator, Profiles
from tests.unit.validation.filling import BAD, GOOD, TERMINOLOGY, Place, places, value_of
from tests.unit.validation.instances import PROFILED, Json

DATA_TYPES = [
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactDetail",
    "ContactPoint",
    "Contributor",
    "Count",
    "DataRequirement",
    "Distance",
    "Dosage",
    "Duration",
    "Expression",
    "Extension",
    "HumanName",
    "Identifier",
    "Meta",
    "Money",
    "Narrative",
    "ParameterDefinition",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "RelatedArtifact",
    "SampledData",
    "Signature",
    "Timing",
    "TriggerDefinition",
    "UsageContext",
]
KINDS = (*PROFILED, *DATA_TYPES)


@cache
def validator() -> EmbeddedValidator:
    return EmbeddedValidator(Profiles())


def errors(resource: Json) -> list[Issue]:
    return [i for i in validator().check([resource]) if i.severity == "error"]


def at(place: Place, found: list[Issue]) -> list[Issue]:
    step = place.element.step
    return [i for i in found if f".{step}" in (i.expression or "")]


def accepted(place: Place, value: Any) -> None:
    found = errors(place.instance(value))
    assert found == [], f"{place} was to be legal"


def refused(place: Place, value: Any, *codes: str) -> None:
    found = at(place, errors(place.instance(value)))
    assert any(i.code in codes for i in found), f"{place} was to be refused"


def of(kind: str, wanted: str) -> Iterator[Place]:
    for place in places(kind):
        ref, element = place.ref, place.element
        is_wanted = {
            "primitive": ref.primitive,
            "binding": element.binding is not None,
            "reference": ref.code == "Reference" and bool(ref.targets),
        }
        if is_wanted[wanted]:
            yield place


@pytest.mark.parametrize("kind", KINDS)
def test_every_simple_value_must_have_the_form_of_its_type(kind: str) -> None:
    for place in of(kind, "primitive"):
        accepted(place, value_of(place.element, place.ref))
        wrong = BAD[place.ref.code][0]
        codes = ("invariant",) if place.ref.code == "xhtml" else ("value", "structure")
        refused(place, wrong, *codes, "code-invalid")


@pytest.mark.parametrize("kind", KINDS)
def test_every_required_binding_is_kept_to(kind: str) -> None:
    for place in of(kind, "binding"):
        assert place.element.binding is not None
        good = value_of(place.element, place.ref)
        accepted(place, good)
        if place.ref.primitive:
            refused(place, "no such/code, at all", "code-invalid")
        elif TERMINOLOGY.codes(place.element.binding) is not None:
            wrong = {"system": "https://example.org/other", "code": "x"}
            concept = place.ref.code == "CodeableConcept"
            refused(place, {"coding": [wrong]} if concept else good | wrong, "code-invalid")


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_to_a_type_that_may_stand_there(kind: str) -> None:
    for place in of(kind, "reference"):
        for target in place.ref.targets:
            accepted(place, {"reference": f"{target}/1"})
        stranger = "Slot" if "Slot" not in place.ref.targets else "Patient"
        refused(place, {"reference": f"{stranger}/1"}, "structure")
        refused(place, {"reference": f"https://example.org/fhir/{stranger}/1"}, "structure")
        refused(place, {"type": stranger, "display": "-"}, "structure")


@pytest.mark.parametrize("primitive", sorted(BAD))
def test_what_no_value_of_a_primitive_type_may_be(primitive: str) -> None:
    place = next(
        p
        for kind in ("Extension", "Narrative")
        for p in places(kind)
        if p.ref.code == primitive and p.element.name in {"value[x]", "div"}
    )
    accepted(place, GOOD[primitive])
    for wrong in BAD[primitive]:
        refused(place, wrong, "value", "structure", "invariant")


def test_the_corpus_covers_the_primitive_types() -> None:
    assert set(BAD) == set(GOOD)
    assert len(BAD) == 20
    met = {p.ref.code for kind in KINDS for p in of(kind, "primitive")}
    assert met == set(BAD)


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    """So that a change of the tables or of the enumeration cannot empty it unseen."""
    counts = {
        wanted: sum(1 for kind in KINDS for _ in of(kind, wanted))
        for wanted in ("primitive", "binding", "reference")
    }
    assert counts == {"primitive": 449, "binding": 84, "reference": 95}

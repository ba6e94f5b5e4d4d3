"""Slices: which repetition belongs to which, and how many there must and may be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.validation.instances import minimal
from tests.unit.validation.profiling import (
    BASE,
    CORE,
    by,
    coded,
    found,
    profile,
    validator,
)

PLAN = "CarePlan"


@pytest.mark.parametrize("discriminator", [by("value", "coding.code"), by("pattern", "$this")])
def test_slices_by_value_and_pattern(discriminator: dict[str, Any]) -> None:
    checker = validator(
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.category", "slicing": discriminator},
            {
                "id": "CarePlan.category:a",
                "min": 1,
                "max": "1",
                "patternCodeableConcept": coded("a"),
            },
            {"id": "CarePlan.category:a.text", "min": 1},
        )
    )
    told = coded("a") | {"text": "x"}
    assert found(checker, minimal(PLAN, category=[told, coded("z")])) == []
    assert found(checker, minimal(PLAN, category=[coded("z")])) == [
        ("required", "CarePlan.category")
    ]
    assert found(checker, minimal(PLAN)) == [("required", "CarePlan.category")]
    assert found(checker, minimal(PLAN, category=[told, told])) == [
        ("structure", "CarePlan.category")
    ]
    assert found(checker, minimal(PLAN, category=[coded("a")])) == [
        ("required", "CarePlan.category[0].text")
    ]


def test_closed_and_ordered_slicing() -> None:
    parts = [
        {"id": "CarePlan.category:a", "max": "1", "patternCodeableConcept": coded("a")},
        {"id": "CarePlan.category:b", "max": "1", "patternCodeableConcept": coded("b")},
    ]
    rules = by("pattern", "$this", rules="closed", ordered=True)
    checker = validator(profile("p", PLAN, {"id": "CarePlan.category", "slicing": rules}, *parts))
    assert found(checker, minimal(PLAN, category=[coded("a"), coded("b")])) == []
    assert found(checker, minimal(PLAN, category=[coded("b"), coded("a")])) == [
        ("structure", "CarePlan.category[1]")
    ]
    assert found(checker, minimal(PLAN, category=[coded("c")])) == [
        ("structure", "CarePlan.category[0]")
    ]
    last = by("pattern", "$this", rules="openAtEnd")
    checker = validator(profile("p", PLAN, {"id": "CarePlan.category", "slicing": last}, *parts))
    assert found(checker, minimal(PLAN, category=[coded("a"), coded("c")])) == []
    assert found(checker, minimal(PLAN, category=[coded("c"), coded("a")])) == [
        ("structure", "CarePlan.category[1]")
    ]


def test_slices_by_existence() -> None:
    checker = validator(
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.activity", "slicing": by("exists", "detail")},
            {"id": "CarePlan.activity:own", "min": 1},
            {"id": "CarePlan.activity:own.detail", "min": 1},
            {"id": "CarePlan.activity:own.detail.description", "min": 1},
            {"id": "CarePlan.activity:other", "max": "0"},
            {"id": "CarePlan.activity:other.detail", "max": "0"},
        )
    )
    own = {"detail": {"status": "unknown", "description": "x"}}
    assert found(checker, minimal(PLAN, activity=[own])) == []
    assert found(checker, minimal(PLAN, activity=[{"detail": {"status": "unknown"}}])) == [
        ("required", "CarePlan.activity[0].detail.description")
    ]
    other = {"reference": {"reference": "Task/1"}}
    assert found(checker, minimal(PLAN, activity=[own, other])) == [
        ("structure", "CarePlan.activity")
    ]


def test_slices_by_the_type_referred_to() -> None:
    checker = validator(
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.supportingInfo", "slicing": by("type", "resolve()")},
            {
                "id": "CarePlan.supportingInfo:meeting",
                "max": "1",
                "type": [{"code": "Reference", "targetProfile": [f"{CORE}Appointment"]}],
            },
        )
    )
    meetings = [minimal("Appointment", id="a"), minimal("Appointment", id="b")]
    info = [{"reference": "Appointment/a"}, {"reference": "Appointment/b"}]
    one = minimal(PLAN, supportingInfo=info[:1], meta={"profile": [f"{BASE}p"]})
    assert checker.check([one, *meetings]) == []
    issues = checker.check([one | {"supportingInfo": info}, *meetings])
    assert [(i.code, i.expression) for i in issues] == [("structure", "CarePlan.supportingInfo")]


def test_slices_of_a_choice_by_its_type() -> None:
    checker = validator(
        profile(
            "p",
            "Observation",
            {"id": "Observation.value[x]", "slicing": by("type", "$this")},
            {
                "id": "Observation.value[x]:valueString",
                "min": 1,
                "maxLength": 2,
                "type": [{"code": "string"}],
            },
        )
    )
    assert found(checker, minimal("Observation", valueString="ab")) == []
    assert found(checker, minimal("Observation", valueString="abc")) == [
        ("too-long", "Observation.value")
    ]
    assert found(checker, minimal("Observation", valueBoolean=True)) == [
        ("required", "Observation.value")
    ]


def test_all_discriminators_of_a_slice_must_fit() -> None:
    both = {
        "discriminator": [{"type": "value", "path": "system"}, {"type": "value", "path": "use"}],
        "rules": "open",
    }
    checker = validator(
        profile(
            "p",
            "Patient",
            {"id": "Patient.identifier", "slicing": both},
            {"id": "Patient.identifier:a", "max": "1"},
            {"id": "Patient.identifier:a.system", "fixedUri": "urn:x:a"},
            {"id": "Patient.identifier:a.use", "fixedCode": "official"},
        )
    )
    official, usual = (
        {"system": "urn:x:a", "use": use, "value": "1"} for use in ("official", "usual")
    )
    assert found(checker, minimal("Patient", identifier=[official, usual])) == []
    assert found(checker, minimal("Patient", identifier=[official, official])) == [
        ("structure", "Patient.identifier")
    ]


def test_a_slice_of_a_required_element_is_not_required_itself() -> None:
    checker = validator(
        profile(
            "p",
            "Consent",
            {"id": "Consent.category", "slicing": by("pattern", "$this")},
            {"id": "Consent.category:a", "max": "1", "patternCodeableConcept": coded("a")},
        )
    )
    assert found(checker, minimal("Consent")) == []

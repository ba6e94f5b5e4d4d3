"""Profiles: what a differential adds to R4, feature by feature."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.fhir.validation import EmbeddedValidator, Profiles, load, prepare, published
from tests.unit.validation.instances import minimal
from tests.unit.validation.profiling import (
    BASE,
    CORE,
    SYSTEM,
    by,
    coded,
    found,
    profile,
    validator,
)

PLAN = "CarePlan"


def test_cardinality_of_an_element_and_inside_a_data_type() -> None:
    checker = validator(
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.title", "min": 1},
            {"id": "CarePlan.note", "max": "1"},
            {"id": "CarePlan.period.start", "min": 1},
            {"id": "CarePlan.activity.detail.goal", "max": "0"},
        )
    )
    good = minimal(PLAN, title="x", note=[{"text": "a"}], period={"start": "2026"})
    assert found(checker, good) == []
    bad = good | {
        "note": [{"text": "a"}, {"text": "b"}],
        "period": {"end": "2026"},
        "activity": [{"detail": {"status": "unknown", "goal": [{"reference": "Goal/1"}]}}],
    }
    del bad["title"]
    assert sorted(found(checker, bad)) == [
        ("required", "CarePlan.period.start"),
        ("required", "CarePlan.title"),
        ("structure", "CarePlan.activity[0].detail.goal"),
        ("structure", "CarePlan.note"),
    ]
    assert checker.check([bad]) == [], "no profile is declared or asked for"


@pytest.mark.parametrize(
    ("wanted", "value", "fits"),
    [
        ({"fixedCodeableConcept": coded("a")}, coded("a"), True),
        ({"fixedCodeableConcept": coded("a")}, coded("a") | {"text": "x"}, False),
        ({"patternCodeableConcept": coded("a")}, coded("a") | {"text": "x"}, True),
        ({"patternCodeableConcept": coded("a")}, coded("b"), False),
        (
            {"patternCodeableConcept": coded("a")},
            {"coding": [*coded("b")["coding"], *coded("a")["coding"]]},
            True,
        ),
    ],
)
def test_fixed_and_pattern(wanted: dict[str, Any], value: dict[str, Any], fits: bool) -> None:
    checker = validator(profile("p", "Observation", {"id": "Observation.code", **wanted}))
    issues = found(checker, minimal("Observation", code=value))
    assert issues == ([] if fits else [("value", "Observation.code")])


def test_fixed_booleans_and_numbers_are_not_mixed_up() -> None:
    checker = validator(profile("p", "Patient", {"id": "Patient.active", "fixedBoolean": True}))
    assert found(checker, minimal("Patient", active=True)) == []
    assert found(checker, minimal("Patient", active=False)) == [("value", "Patient.active")]


def test_lengths_and_limits() -> None:
    checker = validator(
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.title", "maxLength": 3},
            {"id": "CarePlan.created", "minValueDateTime": "2026-02"},
        )
    )
    assert found(checker, minimal(PLAN, title="abc", created="2026-02-01")) == []
    issues = found(checker, minimal(PLAN, title="abcd", created="2026-01-31"))
    assert sorted(issues) == [("too-long", "CarePlan.title"), ("value", "CarePlan.created")]


def test_bindings_to_the_projects_own_codes() -> None:
    system = {
        "resourceType": "CodeSystem",
        "url": SYSTEM,
        "content": "complete",
        "concept": [{"code": "a"}, {"code": "b", "concept": [{"code": "c"}]}],
    }
    values = {
        "resourceType": "ValueSet",
        "url": "urn:vs",
        "compose": {
            "include": [{"system": SYSTEM}],
            "exclude": [{"system": SYSTEM, "concept": [{"code": "b"}]}],
        },
    }
    bound = {"strength": "required", "valueSet": "urn:vs|1"}
    checker = validator(
        system, values, profile("p", PLAN, {"id": "CarePlan.category", "binding": bound})
    )
    for code in ("a", "c"):
        assert found(checker, minimal(PLAN, category=[coded(code)])) == []
    for wrong in (coded("b"), coded("a", "urn:other"), {"text": "a"}):
        assert found(checker, minimal(PLAN, category=[wrong])) == [
            ("code-invalid", "CarePlan.category[0]")
        ]


def test_a_value_set_that_includes_itself_is_not_known() -> None:
    values = {
        "resourceType": "ValueSet",
        "url": "urn:vs",
        "compose": {"include": [{"valueSet": ["urn:vs"]}]},
    }
    bound = {"strength": "required", "valueSet": "urn:vs"}
    checker = validator(values, profile("p", PLAN, {"id": "CarePlan.category", "binding": bound}))
    assert found(checker, minimal(PLAN, category=[coded("a")])) == []


def test_types_and_targets_are_narrowed() -> None:
    patients = [{"code": "Reference", "targetProfile": [f"{BASE}patient"]}]
    checker = validator(
        profile("patient", "Patient"),
        profile(
            "p",
            "Observation",
            {"id": "Observation.subject", "type": patients},
            {"id": "Observation.value[x]", "type": [{"code": "string"}, {"code": "Quantity"}]},
        ),
    )
    assert (
        found(checker, minimal("Observation", subject={"reference": "Patient/1"}, valueString="x"))
        == []
    )
    assert found(checker, minimal("Observation", subject={"reference": "Group/1"})) == [
        ("structure", "Observation.subject")
    ]
    assert found(checker, minimal("Observation", valueBoolean=True)) == [
        ("structure", "Observation.valueBoolean")
    ]


def test_a_profile_on_a_profile_and_its_invariants() -> None:
    said = {
        "key": "x-1",
        "severity": "error",
        "human": "Give a title.",
        "expression": "title.exists()",
    }
    danish = {
        "url": f"{CORE}translation",
        "extension": [
            {"url": "lang", "valueCode": "da"},
            {"url": "content", "valueString": "Angiv titel."},
        ],
    }
    deeper = {
        "key": "x-2",
        "severity": "warning",
        "human": "b",
        "expression": "status != 'unknown'",
    }
    checker = validator(
        profile(
            "q",
            PLAN,
            {"id": "CarePlan", "constraint": [said | {"_human": {"extension": [danish]}}]},
        ),
        profile(
            "p", PLAN, {"id": "CarePlan.activity.detail", "constraint": [deeper]}, on=f"{BASE}q"
        ),
    )
    unknown = minimal(PLAN, activity=[{"detail": {"status": "unknown"}}])
    issues = checker.check([unknown], profile=f"{BASE}p")
    assert [(i.severity, i.expression, i.text) for i in issues] == [
        ("warning", "CarePlan.activity[0].detail", "b (x-2)"),
        ("error", "CarePlan", "Give a title. (x-1)"),
    ]
    assert issues[1].text_da == "Angiv titel. (x-1)"


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("subject.resolve().is(Patient)", True),
        ("subject.resolve().is(Group)", False),
        ("status.memberOf('http://hl7.org/fhir/ValueSet/request-status')", True),
        ("intent.memberOf('http://hl7.org/fhir/ValueSet/request-status')", False),
        ("subject.resolve().conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", True),
        (f"subject.resolve().conformsTo('{BASE}named')", False),
        ("title.hasValue().not()", True),
        ("text.`div`.htmlChecks()", True),
    ],
)
def test_functions_that_the_engine_lacks(expression: str, holds: bool) -> None:
    rule = {"key": "x-1", "severity": "error", "expression": expression}
    checker = validator(
        profile("p", PLAN, {"id": "CarePlan", "constraint": [rule]}),
        profile("named", "Patient", {"id": "Patient.name", "min": 1}),
    )
    declared = minimal(PLAN, meta={"profile": [f"{BASE}p"]})
    issues = checker.check([declared, minimal("Patient", id="1")])
    assert [i.code for i in issues] == ([] if holds else ["invariant"])


def test_a_rule_that_cannot_be_evaluated_is_no_silent_pass() -> None:
    rule = {"key": "x-1", "severity": "error", "expression": "title.noSuchFunction()"}
    checker = validator(profile("p", PLAN, {"id": "CarePlan", "constraint": [rule]}))
    issues = checker.check([minimal(PLAN, title="hemmelig")], profile=f"{BASE}p")
    assert [(i.severity, i.code) for i in issues] == [("error", "exception")]
    assert "hemmelig" not in issues[0].text


def test_tracing_in_a_rule_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    rule = {"key": "x-1", "severity": "error", "expression": "title.trace('t').exists()"}
    checker = validator(profile("p", PLAN, {"id": "CarePlan", "constraint": [rule]}))
    assert found(checker, minimal(PLAN, title="hemmelig")) == []
    assert capfd.readouterr() == ("", "")


def test_declared_profiles_decide_and_unknown_ones_are_said() -> None:
    checker = validator(
        profile("p", PLAN, {"id": "CarePlan.title", "min": 1}), profile("patient", "Patient")
    )
    declared = minimal(PLAN, meta={"profile": [f"{BASE}p|1.0", f"{BASE}unknown", f"{BASE}patient"]})
    assert [(i.severity, i.code, i.expression) for i in checker.check([declared])] == [
        ("information", "not-found", "CarePlan.meta.profile[1]"),
        ("error", "structure", "CarePlan.meta.profile[2]"),
        ("error", "required", "CarePlan.title"),
    ]
    asked = checker.check([minimal(PLAN)], profile=f"{BASE}unknown")
    assert [(i.severity, i.code) for i in asked] == [("error", "not-found")]
    other = checker.check([minimal(PLAN)], profile=f"{CORE}Patient")
    assert [i.code for i in other] == ["structure"]
    assert checker.check([minimal(PLAN)], profile=f"{CORE}CarePlan") == []


def test_content_references_have_the_content_of_what_they_repeat() -> None:
    provision = {"type": "permit", "provision": [{"provision": [{"type": "nej"}]}]}
    issues = EmbeddedValidator(Profiles()).check([minimal("Consent", provision=provision)])
    assert [(i.code, i.expression) for i in issues] == [
        ("code-invalid", "Consent.provision.provision[0].provision[0].type")
    ]
    checker = validator(
        profile("p", "Consent", {"id": "Consent.provision.provision.actor", "min": 1})
    )
    issues_ = found(checker, minimal("Consent", provision={"provision": [{"type": "deny"}]}))
    assert issues_ == [("required", "Consent.provision.provision[0].actor")]


@pytest.mark.parametrize(
    "wrong",
    [
        profile("p", PLAN, {"id": "CarePlan.noSuch", "min": 1}),
        profile("p", PLAN, on=f"{BASE}unknown"),
        profile("p", PLAN, {"id": "CarePlan.title", "type": [{"code": "Period"}]}),
        profile("p", PLAN, {"id": "CarePlan.category:a/b", "min": 1}),
        profile(
            "p", PLAN, {"id": "CarePlan.title", "constraint": [{"key": "k", "severity": "error"}]}
        ),
        profile(
            "p",
            PLAN,
            {"id": "CarePlan.category", "slicing": by("value", "coding.code")},
            {"id": "CarePlan.category:a", "min": 1},
        ),
    ],
)
def test_a_profile_that_cannot_be_checked_as_written_is_not_used(wrong: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        prepare(Profiles([wrong]))


def test_the_published_profiles_can_all_be_checked_as_written() -> None:
    prepare(published())
    assert len(list(published().urls())) == sum(
        r["resourceType"] == "StructureDefinition" and r["kind"] != "logical" for r in load()
    )


def test_applying_a_profile_leaves_its_base_alone() -> None:
    profiles = Profiles(
        [
            profile(
                "p",
                PLAN,
                {"id": "CarePlan.title", "min": 1},
                {"id": "CarePlan.period.start", "min": 1},
            )
        ]
    )
    prepare(profiles)
    base = profiles.shape(PLAN)
    period = profiles.shape("Period")
    assert base is not None
    assert period is not None
    assert base.level.elements["title"].min == 0
    assert base.level.elements["period"].own is None
    assert period.level.elements["start"].min == 0

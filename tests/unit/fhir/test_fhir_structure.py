"""The structural validator: R4 to the letter, all at once, without a value."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fhir.structure import StructureValidator
from tests.unit.fhir.documents import entry_of, example

CHECK = StructureValidator().check
PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}


def found(resource: dict[str, Any]) -> set[tuple[str, str | None]]:
    return {(i.code, i.expression) for i in CHECK([resource])}


@pytest.mark.parametrize("name", ["plan-1", "plan-2", "consent-1", "consent-2", "approval-1"])
def test_examples_are_legal(name: str) -> None:
    assert CHECK([example(name)]) == []


@pytest.mark.parametrize(
    ("change", "code", "expression"),
    [
        ({"status": "bogus"}, "code-invalid", "CarePlan.status"),
        ({"intent": "wish"}, "code-invalid", "CarePlan.intent"),
        ({"id": "a b"}, "value", "CarePlan.id"),
        ({"id": "x" * 65}, "value", "CarePlan.id"),
        ({"foo": 1}, "structure", "CarePlan.foo"),
        ({"title": ""}, "structure", "CarePlan.title"),
        ({"note": []}, "structure", "CarePlan.note"),
        ({"period": {}}, "structure", "CarePlan.period"),
        ({"title": None}, "structure", "CarePlan.title"),
        ({"title": 3}, "structure", "CarePlan.title"),
        ({"created": 1767225600}, "value", "CarePlan.created"),
        ({"created": "2026-13-01"}, "value", "CarePlan.created"),
        ({"created": "2026-01-10T10:00"}, "value", "CarePlan.created"),
        ({"goal": {"reference": "Goal/1"}}, "structure", "CarePlan.goal"),
        ({"subject": {"reference": "no reference"}}, "value", "CarePlan.subject.reference"),
        ({"subject": {"reference": "urn:uuid:1"}}, "value", "CarePlan.subject.reference"),
        ({"contained": [{"resourceType": "Nope"}]}, "not-supported", "CarePlan.contained[0]"),
        (
            {"contained": [{"resourceType": "SubscriptionTopic", "id": "t"}]},
            "not-supported",
            "CarePlan.contained[0]",
        ),
        ({"contained": [{"id": "a"}]}, "required", "CarePlan.contained[0]"),
        ({"activity": [{"detail": {"status": "x"}}]}, "code-invalid",
         "CarePlan.activity[0].detail.status"),
        ({"activity": [{"detail": {"description": "x"}}]}, "required",
         "CarePlan.activity[0].detail.status"),
        ({"activity": [{"detail": {"status": "completed"}, "reference": {"display": "x"}}]},
         "invariant", "CarePlan.activity[0]"),
        ({"extension": [{"url": "http://a", "valueBoolean": "true"}]}, "value",
         "CarePlan.extension[0].valueBoolean"),
        ({"extension": [{"url": "http://a", "valueBase64Binary": "@@@"}]}, "value",
         "CarePlan.extension[0].valueBase64Binary"),
        ({"extension": [{"url": "http://a"}]}, "invariant", "CarePlan.extension[0]"),
        ({"extension": [{"url": "http://a", "valueCodeableReference": {"concept": {"text": "x"}}}]},
         "structure", "CarePlan.extension[0].valueCodeableReference"),
    ],
)  # fmt: skip
def test_each_defect_is_found_where_it_is(
    change: dict[str, Any], code: str, expression: str
) -> None:
    assert (code, expression) in found(PLAN | change)


@pytest.mark.parametrize(
    "div",
    [
        "<div xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script>x</div>",
        "<div xmlns='http://www.w3.org/1999/xhtml'><p onclick='x()'>x</p></div>",
        "<div xmlns='http://www.w3.org/1999/xhtml'><a href='javascript:x()'>x</a></div>",
        "<div xmlns='http://www.w3.org/1999/xhtml'> </div>",
        "<div><p>no namespace</p></div>",
        "not xhtml",
        "<!DOCTYPE div [<!ENTITY a 'b'>]><div xmlns='http://www.w3.org/1999/xhtml'>&a;</div>",
    ],
)
def test_active_or_broken_narrative(div: str) -> None:
    narrative = {"status": "generated", "div": div}
    assert ("invariant", "CarePlan.text.div") in found(PLAN | {"text": narrative})


def test_plain_narrative_is_legal() -> None:
    div = (
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>Plan <b>nu</b> <a href='#x'>her</a></p></div>"
    )
    assert not found(PLAN | {"text": {"status": "generated", "div": div}})


def test_everything_at_once() -> None:
    assert found({"resourceType": "CarePlan", "title": "", "foo": 1}) >= {
        ("required", "CarePlan.status"),
        ("required", "CarePlan.intent"),
        ("required", "CarePlan.subject"),
        ("structure", "CarePlan.title"),
        ("structure", "CarePlan.foo"),
    }


def test_required_primitive_may_be_absent_with_a_reason() -> None:
    reason = {"extension": [{"url": "http://x", "valueCode": "unknown"}]}
    plan = {k: v for k, v in PLAN.items() if k != "status"} | {"_status": reason}
    assert not found(plan)


def test_second_of_a_type_is_told_apart() -> None:
    goal = {"resourceType": "Goal", "description": {"text": "x"}, "subject": {"display": "x"}}
    issues = CHECK([goal | {"lifecycleStatus": "active"}, goal | {"lifecycleStatus": "x"}])
    assert [i.expression for i in issues] == ["Goal[1].lifecycleStatus"]


@pytest.mark.parametrize("kind", ["Resource", "__class__", "HumanName", "", "Ingredient", "R4"])
def test_what_is_no_resource_type_is_refused_not_raised(kind: str) -> None:
    assert ("not-supported", "Resource") in found({"resourceType": kind})


def test_resource_is_not_changed() -> None:
    before = example("plan-1")
    after = copy.deepcopy(before)
    CHECK([after])
    assert after == before


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "contained", "extension", "url", "activity", "entry"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["goal", "subject", "text", "meta", "contained"]), _JSON))
def test_any_json_is_judged_and_never_quoted(elements: dict[str, Any]) -> None:
    secret = "0201609996 Karla"
    plan = PLAN | elements | {"title": [secret], "status": secret, "description": {"x": secret}}
    issues = CHECK([plan])
    assert issues
    assert secret not in json.dumps([(i.text, i.expression) for i in issues])


def test_the_models_are_loaded_on_first_use_only() -> None:
    code = (
        "import sys, hub.fhir.structure as s; v = s.StructureValidator();"
        "assert not any(m.startswith('fhir.resources') for m in sys.modules);"
        "v.check([{'resourceType': 'Basic'}]);"
        "assert any(m.startswith('fhir.resources') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_bundle_is_walked_into() -> None:
    bundle = example("plan-1")
    entry_of(bundle, "Appointment")["status"] = "maybe"
    number = [e["resource"]["resourceType"] for e in bundle["entry"]].index("Appointment")
    assert found(bundle) == {("code-invalid", f"Bundle.entry[{number}].resource.status")}

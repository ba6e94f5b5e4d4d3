"""What every validator promises (hub.ports.Validator).

Each implementation is a fixture, named in the ``params`` of ``validator``. Makers of validators
differ in which issue type they choose and whether a place is the element or its parent; what the
hub relies on is that each defect is an error, near its place, told without a value.
"""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import Issue
from hub.fhir import names
from hub.fhir.outcome import ISSUE_TYPES
from hub.fhir.validation import EmbeddedValidator
from hub.ports import Validator
from hub.runtime.registry import Registry
from tests.unit.fhir.documents import entry_of, example
from tests.views import EXAMPLES

Json = dict[str, Any]
PLAN: Json = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}
SECRET = "0201609996 Karla"


@pytest.fixture(scope="module")
def embedded() -> Validator:
    """The validator inside the hub."""
    return EmbeddedValidator(coded=Registry().profiles)


@pytest.fixture(scope="module", params=["embedded"])
def validator(request: pytest.FixtureRequest) -> Validator:
    """Every validator there is, by the name of its own fixture."""
    found: Validator = request.getfixturevalue(request.param)
    return found


def errors(found: list[Issue]) -> list[Issue]:
    return [i for i in found if i.severity in {"error", "fatal"}]


def near(issue: Issue, place: str) -> bool:
    """The issue is about the place: itself, what it is in, or what is in it."""
    at = issue.expression or ""
    return at != "" and (at.startswith(place) or place.startswith(at))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_examples_are_valid(validator: Validator, path: Any) -> None:
    assert errors(validator.check([json.loads(path.read_bytes())])) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "bogus"}, "CarePlan.status"),
        ({"intent": "wish"}, "CarePlan.intent"),
        ({"id": "a b"}, "CarePlan.id"),
        ({"id": "x" * 65}, "CarePlan.id"),
        ({"foo": 1}, "CarePlan.foo"),
        ({"title": ""}, "CarePlan.title"),
        ({"title": None}, "CarePlan.title"),
        ({"title": 3}, "CarePlan.title"),
        ({"note": []}, "CarePlan.note"),
        ({"period": {}}, "CarePlan.period"),
        ({"created": "2026-13-01"}, "CarePlan.created"),
        ({"created": "2026-01-10T10:00"}, "CarePlan.created"),
        ({"goal": {"reference": "Goal/1"}}, "CarePlan.goal"),
        ({"subject": {"reference": "no reference"}}, "CarePlan.subject.reference"),
        ({"contained": [{"resourceType": "Nope", "id": "n"}]}, "CarePlan.contained[0]"),
        ({"contained": [{"id": "a"}]}, "CarePlan.contained[0]"),
        ({"activity": [{"detail": {"status": "x"}}]}, "CarePlan.activity[0].detail.status"),
        ({"activity": [{"detail": {"description": "x"}}]}, "CarePlan.activity[0].detail"),
        (
            {"activity": [{"detail": {"status": "completed"}, "reference": {"display": "x"}}]},
            "CarePlan.activity[0]",
        ),
        ({"extension": [{"url": "http://a.example"}]}, "CarePlan.extension[0]"),
        (
            {"text": {"status": "generated", "div": "<div><script>x</script></div>"}},
            "CarePlan.text.div",
        ),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_each_defect_is_an_error_near_its_place(
    validator: Validator, change: Json, place: str
) -> None:
    assert errors(validator.check([PLAN])) == []
    found = errors(validator.check([PLAN | change]))
    assert [i for i in found if near(i, place)] != [], found


def test_everything_at_once(validator: Validator) -> None:
    found = errors(validator.check([{"resourceType": "CarePlan", "intent": "x", "foo": 1}]))
    for place in ("CarePlan.intent", "CarePlan.foo", "CarePlan.subject"):
        assert [i for i in found if near(i, place)] != [], place
    assert len(found) >= 4


def test_every_issue_can_be_told(validator: Validator) -> None:
    found = validator.check([PLAN | {"status": "bogus", "foo": 1, "created": "yesterday"}])
    assert {i.code for i in found} <= ISSUE_TYPES
    assert all(i.text and i.expression for i in found)
    assert {i.severity for i in found} <= {"fatal", "error", "warning", "information"}


def test_a_second_of_one_type_is_told_apart(validator: Validator) -> None:
    goal = {"resourceType": "Goal", "description": {"text": "x"}, "subject": {"display": "x"}}
    two = [goal | {"lifecycleStatus": "active"}, goal | {"lifecycleStatus": "x"}]
    found = errors(validator.check(two))
    assert {str(i.expression).split(".")[0] for i in found} == {"Goal[1]"}


def test_a_bundle_is_walked_into(validator: Validator) -> None:
    bundle = example("plan-1")
    entry_of(bundle, "Appointment")["status"] = "maybe"
    number = [e["resource"]["resourceType"] for e in bundle["entry"]].index("Appointment")
    found = errors(validator.check([bundle]))
    assert [i for i in found if near(i, f"Bundle.entry[{number}].resource.status")] != []


def test_references_between_the_resources_are_followed(validator: Validator) -> None:
    goal: Json = {
        "resourceType": "Goal",
        "id": "g",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"reference": "Patient/1"},
    }
    plan = PLAN | {"goal": [{"reference": "Goal/g", "type": "Goal"}]}
    assert errors(validator.check([plan, goal])) == []
    said = PLAN | {"goal": [{"reference": "Goal/g", "type": "Condition"}]}
    assert errors(validator.check([said, goal])) != []


def test_a_declared_profile_is_kept(validator: Validator) -> None:
    plan = example("plan-1")["entry"][0]["resource"]
    assert names.KI_PLAN in plan["meta"]["profile"]
    del plan["careTeam"]
    found = errors(validator.check([plan]))
    assert [i for i in found if near(i, "CarePlan.careTeam")] != []


def test_a_given_profile_comes_before_what_is_declared(validator: Validator) -> None:
    assert errors(validator.check([PLAN])) == []
    assert errors(validator.check([PLAN], profile=names.KI_PLAN)) != []
    assert errors(validator.check([PLAN], profile=names.KI_GOAL)) != []


def test_an_unknown_profile_is_an_error_if_it_was_asked_for(validator: Validator) -> None:
    nobody = "http://nobody.example/StructureDefinition/x"
    assert errors(validator.check([PLAN], profile=nobody)) != []
    declared = validator.check([PLAN | {"meta": {"profile": [nobody]}}])
    assert errors(declared) == []
    assert declared != []


@pytest.mark.parametrize("kind", ["Resource", "__class__", "HumanName", "", "R4", None, 3, []])
def test_what_is_no_resource_type_is_refused_not_raised(validator: Validator, kind: Any) -> None:
    assert errors(validator.check([{"resourceType": kind}])) != []


def test_nothing_is_changed_and_equal_input_gives_equal_issues(validator: Validator) -> None:
    plan = example("plan-1")
    entry_of(plan, "Appointment")["status"] = "maybe"
    before = copy.deepcopy(plan)
    assert validator.check([plan]) == validator.check([copy.deepcopy(plan)])
    assert plan == before


def test_threads_do_not_disturb_each_other(validator: Validator) -> None:
    documents = [PLAN, PLAN | {"status": "bogus"}, example("plan-1"), example("consent-1")] * 5
    alone = [validator.check([d]) for d in documents]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda d: validator.check([d]), documents)) == alone


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
_ODD = st.dictionaries(st.sampled_from(["goal", "subject", "text", "meta", "contained"]), _JSON)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(elements=_ODD)
def test_any_json_is_judged_and_never_quoted(validator: Validator, elements: Json) -> None:
    plan = PLAN | elements | {"title": [SECRET], "status": SECRET, "description": {"x": SECRET}}
    issues = validator.check([plan])
    assert errors(issues) != []
    assert SECRET not in json.dumps([(i.text, i.text_da, i.expression) for i in issues])

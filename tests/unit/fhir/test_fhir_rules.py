"""Every rule of the format has a document that breaks it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dk_core import is_citizen_number
from hub.errors import Invalid, Malformed, UnknownCode
from hub.fhir import names
from hub.fhir.kinds import undeclared
from tests.unit.fhir.documents import PLAN_ID, entry_of, example, parse, refusal, strings

Bundle = dict[str, Any]


def _plan(bundle: Bundle) -> dict[str, Any]:
    return entry_of(bundle, "CarePlan")


def _leads(bundle: Bundle) -> list[dict[str, Any]]:
    team = entry_of(bundle, "CareTeam")["participant"]
    return [p for p in team if any(r["coding"][0]["code"] == "lead" for r in p["role"])]


def _second_patient(bundle: Bundle) -> None:
    other = {
        "resourceType": "Patient",
        "identifier": [{"system": names.CPR, "value": "1507729995"}],
    }
    url = "urn:uuid:11111111-1111-4111-8111-111111111111"
    bundle["entry"].append({"fullUrl": url, "resource": other})


def _goal_of_another(bundle: Bundle) -> None:
    _plan(bundle)["activity"][0]["detail"]["goal"] = [_plan(bundle)["addresses"][0]]


def _two_leads(bundle: Bundle) -> None:
    team = entry_of(bundle, "CareTeam")["participant"]
    other = next(p for p in team if p not in _leads(bundle))
    other["role"].append(names.concept(names.ROLE, "lead"))


def _no_lead(bundle: Bundle) -> None:
    for participant in _leads(bundle):
        participant["role"] = [names.concept(names.ROLE, "professional")]


def _lead_is_a_unit(bundle: Bundle) -> None:
    urls = {e["resource"]["resourceType"]: e["fullUrl"] for e in bundle["entry"]}
    _leads(bundle)[0]["member"] = {"reference": urls["Organization"]}


def _other_author(bundle: Bundle) -> None:
    urls = {e["resource"]["resourceType"]: e["fullUrl"] for e in bundle["entry"]}
    _plan(bundle)["author"] = {"reference": urls["Organization"]}


def _lead_role(bundle: Bundle) -> dict[str, Any]:
    reference = _plan(bundle)["author"]["reference"]
    found: dict[str, Any] = next(
        e["resource"] for e in bundle["entry"] if e["fullUrl"] == reference
    )
    return found


def _lead_unit(bundle: Bundle) -> dict[str, Any]:
    reference = _lead_role(bundle)["organization"]["reference"]
    found: dict[str, Any] = next(
        e["resource"] for e in bundle["entry"] if e["fullUrl"] == reference
    )
    return found


def _contained(bundle: Bundle) -> None:
    plan = _plan(bundle)
    plan["contained"] = [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}}]
    plan["supportingInfo"].append({"reference": "#b"})


def _twice_elsewhere(bundle: Bundle) -> None:
    """One type and id on two servers: R4 can tell them apart, a relative reference cannot."""
    for base in ("https://one.example/fhir", "https://two.example/fhir"):
        goal = copy.deepcopy(entry_of(bundle, "Goal")) | {"id": "g"}
        bundle["entry"].append({"fullUrl": f"{base}/Goal/g", "resource": goal})


def _about_another(bundle: Bundle) -> None:
    _second_patient(bundle)
    url = bundle["entry"][-1]["fullUrl"]
    entry_of(bundle, "Goal")["subject"] = {"reference": url}


def _goal_outside(bundle: Bundle) -> None:
    goal = copy.deepcopy(entry_of(bundle, "Goal"))
    url = "urn:uuid:22222222-2222-4222-8222-222222222222"
    bundle["entry"].append({"fullUrl": url, "resource": goal})
    _plan(bundle)["activity"][0]["detail"]["goal"] = [{"reference": url}]


def _rank(item: dict[str, Any], number: int) -> None:
    item["extension"][0]["valuePositiveInt"] = number


BROKEN: dict[str, tuple[Callable[[Bundle], object], str]] = {
    "dangling": (lambda b: b["entry"].pop(), "not-found"),
    "twice": (lambda b: b["entry"].append(b["entry"][-1]), "invariant"),
    "contained": (
        lambda b: _plan(b).update(contained=[{"resourceType": "Basic", "code": {"text": "x"}}]),
        "invariant",
    ),
    "intent": (lambda b: _plan(b).update(intent="proposal"), "value"),
    "plan id": (
        lambda b: _plan(b).update(identifier=[{"system": PLAN_ID, "value": "a/b"}]),
        "value",
    ),
    "both kinds": (
        lambda b: _plan(b)["category"].append(names.concept(names.SECTOR_KIND, "vum")),
        "invariant",
    ),
    "two patients": (_second_patient, "business-rule"),
    "subject": (
        lambda b: entry_of(b, "Goal").update(subject=_plan(b)["careTeam"][0]),
        "structure",
    ),
    "no number": (
        lambda b: entry_of(b, "Patient").update(identifier=[{"value": "1"}]),
        "invariant",
    ),
    "bad number": (
        lambda b: entry_of(b, "Patient")["identifier"][0].update(value="3113999999"),
        "invariant",
    ),
    "same rank": (
        lambda b: _plan(b)["goal"][1]["extension"][0].update(valuePositiveInt=1),
        "invariant",
    ),
    "same activity id": (lambda b: _plan(b)["activity"][1].update(id="indsats-1"), "invariant"),
    "foreign goal": (_goal_of_another, "invariant"),
    "contained, and used": (_contained, "not-supported"),
    "twice, on another server": (_twice_elsewhere, "duplicate"),
    "about another": (_about_another, "business-rule"),
    "goal outside the plan": (_goal_outside, "business-rule"),
    "ranks and none": (
        lambda b: (_plan(b)["goal"][1].pop("extension"), _rank(_plan(b)["goal"][0], 2)),
        "business-rule",
    ),
    "no team": (lambda b: _plan(b).pop("careTeam"), "required"),
    "two teams": (lambda b: _plan(b)["careTeam"].append(_plan(b)["careTeam"][0]), "structure"),
    "two leads": (_two_leads, "business-rule"),
    "no lead": (_no_lead, "business-rule"),
    "lead is a unit": (_lead_is_a_unit, "business-rule"),
    "other author": (_other_author, "business-rule"),
    "lead without unit": (lambda b: _lead_role(b).pop("organization"), "required"),
    "unit without number": (
        lambda b: _lead_unit(b).update(identifier=[{"system": names.CVR, "value": "99990015"}]),
        "required",
    ),
}


NOT_R4 = {"dangling", "twice", "contained", "subject", "same activity id", "foreign goal"}
"""Those that R4 itself forbids; the others are legal R4, and no KI-plan."""


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    """Whether or not a resource says what it is."""
    bundle = undeclared(example("plan-1"))
    change, code = BROKEN[name]
    change(bundle)
    error = refusal(bundle)
    assert isinstance(error, Malformed if name in NOT_R4 else Invalid)
    assert code in {i.code for i in error.issues if i.severity == "error"}


@pytest.mark.parametrize("kind", ["role", "section"])
def test_unknown_codes(kind: str) -> None:
    bundle = example("plan-1")
    if kind == "role":
        entry_of(bundle, "CareTeam")["participant"][0]["role"][0]["coding"][0]["code"] = "boss"
    else:
        _plan(bundle)["activity"][0]["extension"][1]["valueCode"] = "sports"
    assert isinstance(refusal(bundle), UnknownCode)


def test_all_issues_at_once_and_no_values() -> None:
    bundle = example("plan-1")
    for name in ("intent", "no number", "goal outside the plan", "no lead", "same rank"):
        BROKEN[name][0](bundle)
    error = refusal(bundle)
    assert len([i for i in error.issues if i.severity == "error"]) >= 5
    said = json.dumps([(i.text, i.expression) for i in error.issues], ensure_ascii=False)
    for value in strings(bundle):
        assert len(value) < 12 or value not in said or value.startswith("https://ki-hub.example")


def test_what_is_missing_is_a_warning() -> None:
    bundle = example("plan-1")
    plan = _plan(bundle)
    for name in ("addresses", "goal", "activity", "extension"):
        del plan[name]
    update = parse(bundle)
    warned = {i.expression for i in update.issues if i.severity == "warning"}
    path = "Bundle.entry[0].resource"
    assert path in warned
    wanted = ("(ki-plan-5)", "(ki-plan-6)", "(ki-plan-7)", "(ki-plan-8)")
    assert [w for w in wanted if not any(w in i.text for i in update.issues)] == []


def test_missing_phones_and_the_printed_consent_are_mentioned() -> None:
    issues = parse(example("plan-1")).issues
    assert {i.severity for i in issues} == {"information", "warning"}
    assert any("permits nothing" in i.text for i in issues)
    bundle = example("plan-1")
    _lead_role(bundle).pop("telecom", None)
    number = [e["resource"] for e in bundle["entry"]].index(_lead_role(bundle))
    place = f"Bundle.entry[{number}].resource.telecom"
    assert place in {i.expression for i in parse(bundle).issues if "Telefon mangler" in i.text}


def test_a_consent_inside_a_plan_grants_nothing() -> None:
    bundle = example("plan-1")
    url = "urn:uuid:11111111-1111-4111-8111-111111111111"
    bundle["entry"].append({"fullUrl": url, "resource": example("consent-1")})
    update = parse(bundle)
    assert "Consent" not in {r["resourceType"] for r in update.resources}
    assert any(i.severity == "warning" and "by itself" in i.text for i in update.issues)
    assert len(update.losses) == 1


@pytest.mark.parametrize(
    ("system", "value", "fits"),
    [
        (names.CPR, "0201609996", True),
        (names.CPR, "2902019996", True),
        (names.CPR, "3002019996", False),
        (names.CPR, "3104609996", False),
        (names.CPR, "020160-9996", False),
        (names.CPR, "0201609996\n", False),
        (names.X_ECPR, "0201601AB1", True),
        (names.X_ECPR, "0201602AB1", False),
        (names.D_ECPR[0], "0201605AB1", True),
        (names.D_ECPR[5], "0201601AB1", False),
        (names.X_ECPR, "0201609996", False),
    ],
)
def test_national_numbers(system: str, value: str, fits: bool) -> None:
    assert is_citizen_number(system, value) is fits


@given(st.text(max_size=12))
def test_only_digits_make_a_cpr(value: str) -> None:
    if is_citizen_number(names.CPR, value):
        assert len(value) == 10
        assert 1 <= int(value[:2]) <= 31
        assert 1 <= int(value[2:4]) <= 12

"""Bundles: fullUrl, references inside, what must resolve (R4 Bundle, Documents, Messaging)."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from hub.errors import Issue
from hub.fhir.validation import EmbeddedValidator, Profiles
from tests.unit.validation.instances import REQUEST, UUID, entry, minimal
from tests.unit.validation.rule_defects import DOCUMENT

BASE = "https://example.org/fhir"
PATIENT = minimal("Patient", id="p")


@cache
def validator() -> EmbeddedValidator:
    return EmbeddedValidator(Profiles())


def check(*entries: dict[str, Any], **more: Any) -> list[tuple[str, str | None]]:
    bundle = minimal("Bundle", **{"type": "collection", "entry": list(entries)} | more)
    found: list[Issue] = validator().check([bundle])
    return [(i.code, i.expression) for i in found]


def at(kind: str, own: str, **members: Any) -> dict[str, Any]:
    resource = minimal(kind, id=own, **members)
    return {"fullUrl": f"{BASE}/{kind}/{own}", "resource": resource}


def test_a_legal_bundle() -> None:
    goal = minimal("Goal", subject={"reference": f"{UUID}000000000001"})
    assert check(entry(1, PATIENT), entry(2, goal)) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [("Patient/p", "value"), (f"{BASE}/Patient/other", "value"), (f"{BASE}/Goal/p", "value")],
)
def test_a_full_url_is_absolute_and_agrees_with_the_resource(url: str, code: str) -> None:
    assert check({"fullUrl": url, "resource": PATIENT}) == [(code, "Bundle.entry[0].fullUrl")]


def test_a_resource_has_a_full_url_but_where_it_is_not_stored_yet() -> None:
    assert check({"resource": PATIENT}) == [("required", "Bundle.entry[0]")]
    posted = {"resource": minimal("Patient"), "request": {"method": "POST", "url": "Patient"}}
    assert check(posted, type="transaction") == []
    remark = {"resource": minimal("OperationOutcome"), "search": {"mode": "outcome"}}
    assert check(remark, type="searchset") == []
    match = {"resource": PATIENT, "search": {"mode": "match"}}
    assert check(match, type="searchset") == [("required", "Bundle.entry[0]")]


def test_a_urn_resolves_inside_or_nowhere() -> None:
    goal = minimal("Goal", subject={"reference": f"{UUID}000000000009"})
    assert check(entry(1, goal)) == [("not-found", "Bundle.entry[0].resource.subject.reference")]


def test_relative_references_of_a_collection_may_be_on_the_server() -> None:
    assert check(at("Goal", "g")) == []


def test_relative_references_of_a_document_must_be_inside() -> None:
    author = [{"reference": "Organization/o"}]
    inside = [at("Composition", "c", author=author), at("Organization", "o")]
    whole = {k: v for k, v in DOCUMENT.items() if k != "entry"}
    assert check(*inside, **whole) == []
    assert check(inside[0], **whole) == [
        ("not-found", "Bundle.entry[0].resource.author[0].reference")
    ]


def test_what_a_message_is_about_must_be_inside() -> None:
    header = at("MessageHeader", "h", focus=[{"reference": "CarePlan/c"}])
    plan = at("CarePlan", "c")
    assert check(header, plan, type="message") == []
    assert check(header, type="message") == [
        ("not-found", "Bundle.entry[0].resource.focus[0].reference")
    ]


def test_the_type_is_that_of_the_resource_referred_to() -> None:
    wrong = minimal("Goal", subject={"reference": f"{UUID}000000000001"})
    care = entry(1, minimal("CarePlan", id="c"))
    assert check(care, entry(2, wrong)) == [("structure", "Bundle.entry[1].resource.subject")]


def test_a_relative_reference_is_relative_to_its_own_entrys_base() -> None:
    """Entries of two servers may share an id; R4 says which one is meant."""
    other = "https://other.example.org/fhir"
    there = {"fullUrl": f"{other}/Organization/p", "resource": minimal("Organization", id="p")}
    team = at("CareTeam", "t", subject={"reference": "Patient/p"})
    assert check(team, at("Patient", "p"), there) == []


def test_a_version_is_looked_at() -> None:
    subject = {"reference": f"{BASE}/Patient/p/_history/2"}
    whole = {k: v for k, v in DOCUMENT.items() if k != "entry"}
    first = at("Composition", "c", subject={"reference": "Patient/p/_history/2"})
    second = at("Patient", "p", meta={"versionId": "2"})
    assert check(first, second, **whole) == []
    old = at("Patient", "p", meta={"versionId": "1"})
    assert check(first, old, **whole) == [
        ("not-found", "Bundle.entry[0].resource.subject.reference")
    ]
    assert check(at("Goal", "g", subject=subject), old) == []


def test_searching_references_are_for_transactions() -> None:
    goal = {"resource": minimal("Goal", subject={"reference": "Patient?identifier=a|b"})}
    posted = goal | {"request": {"method": "POST", "url": "Goal"}}
    assert check(posted, type="transaction") == []
    assert ("value", "Bundle.entry[0].resource.subject.reference") in check(
        entry(1, goal["resource"])
    )


def test_issues_in_entries_are_found_where_they_are() -> None:
    broken = minimal("CarePlan", status="no")
    assert check(entry(1, PATIENT), entry(2, broken)) == [
        ("code-invalid", "Bundle.entry[1].resource.status")
    ]
    answered = {"response": {"status": "200", "outcome": {"resourceType": "Cat"}}}
    assert check(answered, type="batch-response") == [
        ("not-supported", "Bundle.entry[0].response.outcome")
    ]


def test_a_bundle_in_a_bundle_has_its_own_neighbours() -> None:
    goal = minimal("Goal", subject={"reference": f"{UUID}000000000001"})
    inner = minimal("Bundle", id="b", entry=[entry(7, goal)])
    assert check(entry(1, PATIENT), entry(2, inner)) == [
        ("not-found", "Bundle.entry[1].resource.entry[0].resource.subject.reference")
    ]


def test_rules_that_look_at_entries_with_extended_values() -> None:
    """The engine takes a value and its extension for two things; nothing may come of that."""
    extended = {"extension": [{"url": "urn:x:e", "valueString": "x"}]}
    meeting = minimal("Appointment", _status=extended, _start=extended)
    bundle = minimal("Bundle", type="batch", _type=extended)
    bundle["entry"] = [{"request": REQUEST}, {"request": REQUEST, "resource": meeting}]
    assert validator().check([bundle]) == []

"""Codes that no binding speaks of: of a code system that is at hand, and of R4's own extension."""

from __future__ import annotations

from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.validation import EmbeddedValidator, Profiles, unknown_codes
from tests.unit.validation.instances import minimal

WHOLE = {
    "resourceType": "CodeSystem",
    "url": "urn:test:whole",
    "content": "complete",
    "concept": [{"code": "group", "concept": [{"code": "a"}]}],
}
PART = {
    "resourceType": "CodeSystem",
    "url": "urn:test:part",
    "content": "fragment",
    "concept": [{"code": "a"}],
}


def _issues(**elements: Any) -> list[tuple[str, str | None]]:
    checker = EmbeddedValidator(Profiles([WHOLE, PART]))
    return [(i.code, i.expression) for i in checker.check([minimal("Goal", **elements)])]


@pytest.mark.parametrize(
    ("system", "code", "known"),
    [
        ("urn:test:whole", "a", True),
        ("urn:test:whole", "group", True),
        ("urn:test:whole", "zzz", False),
        ("urn:test:part", "zzz", True),
        ("urn:test:other", "zzz", True),
        (names.CONFIDENTIALITY, "R", True),
        (names.CONFIDENTIALITY, "zzz", False),
    ],
)
def test_a_code_is_of_its_system_where_all_of_it_is_at_hand(
    system: str, code: str, known: bool
) -> None:
    place = [("code-invalid", "Goal.category[0].coding[0].code")]

    found = _issues(category=[{"coding": [{"system": system, "code": code}]}])
    assert found == ([] if known else place)


@pytest.mark.parametrize(("code", "known"), [("masked", True), ("unknown", True), ("zzz", False)])
def test_the_reason_for_absent_data_is_one_of_r4s(code: str, known: bool) -> None:
    absent = {"extension": [{"url": names.DATA_ABSENT, "valueCode": code}]}

    found = _issues(startDate="2026-01-01", _startDate=absent)
    assert found == ([] if known else [("code-invalid", "Goal.start.extension[0].value")])


@pytest.mark.parametrize("value", [["unknown"], {"code": "unknown"}, 7, None])
def test_a_reason_that_is_no_code_at_all_is_an_error(value: Any) -> None:
    absent = {"extension": [{"url": names.DATA_ABSENT, "valueCode": value}]}

    found = _issues(startDate="2026-01-01", _startDate=absent)
    assert ("code-invalid", "Goal.start.extension[0].value") in found


def test_what_r4_binds_is_named_whatever_profile_a_resource_declares() -> None:
    goal = minimal("Goal", lifecycleStatus="zzz", meta={"profile": ["urn:nobody's"]})
    bundle = {"resourceType": "Bundle", "type": "zzz", "entry": [{"resource": goal}]}

    assert [(i.code, i.expression) for i in unknown_codes(bundle)] == [
        ("code-invalid", "Bundle.type"),
        ("code-invalid", "Bundle.entry[0].resource.lifecycleStatus"),
    ]

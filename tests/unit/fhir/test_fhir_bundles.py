"""References inside a Bundle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.fhir.bundles import Entry, Index, collection, entries, reachable, rewritten, without
from tests.unit.fhir.documents import example
from tests.views import errors_in

A = "urn:uuid:11111111-1111-4111-8111-111111111111"


def bundle(*found: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"fullUrl": u, "resource": r} for u, r in found]}


def entry(full_url: str, **resource: Any) -> Entry:
    return Entry(full_url, {"resourceType": "Goal", **resource}, "Bundle.entry[0].resource")


@pytest.mark.parametrize(
    ("target", "source", "reference"),
    [
        (entry(A), entry("urn:uuid:x"), A),
        (
            entry("https://a.dk/fhir/Goal/1", id="1"),
            entry("urn:uuid:x"),
            "https://a.dk/fhir/Goal/1",
        ),
        (
            entry("https://a.dk/fhir/Goal/1", id="1"),
            entry("https://a.dk/fhir/CarePlan/2"),
            "Goal/1",
        ),
        (entry("", id="1"), entry(""), "Goal/1"),
        (entry("", id="1"), entry(""), "Goal/1/_history/3"),
        (entry("https://a.dk/Goal/1", id="1"), entry(A), "https://a.dk/Goal/1/_history/9"),
    ],
)
def test_resolves(target: Entry, source: Entry, reference: str) -> None:
    assert Index([target]).resolve(reference, source) is target


@pytest.mark.parametrize(
    ("target", "reference"),
    [
        (entry(A), "urn:uuid:22222222-1111-4111-8111-111111111111"),
        (entry("https://a.dk/fhir/Goal/1", id="1"), "https://b.dk/fhir/Goal/1"),
        (entry("", id="1"), "Goal/2"),
        (entry("", id="1"), "CarePlan/1"),
    ],
)
def test_does_not_resolve(target: Entry, reference: str) -> None:
    assert Index([target]).resolve(reference, entry("")) is None


def test_an_ambiguous_relative_reference_resolves_by_the_base_of_its_source() -> None:
    first = entry("https://a.dk/Goal/1", id="1")
    second = entry("https://b.dk/Goal/1", id="1")
    index = Index([first, second])
    assert index.resolve("Goal/1", entry("https://b.dk/CarePlan/1")) is second
    assert index.resolve("Goal/1", entry(A)) is None


def test_dangling_and_duplicates_are_named() -> None:
    plan = {"resourceType": "CarePlan", "goal": [{"reference": A}, {"reference": "Goal/9"}]}
    goal = {"resourceType": "Goal", "id": "1", "subject": {"reference": "#contained"}}
    index = Index(entries(bundle(("https://a.dk/CarePlan/1", plan), (A, goal), (A, goal))))
    assert [i.expression for i in index.dangling()] == [
        "Bundle.entry[0].resource.goal[1].reference"
    ]
    assert [i.expression for i in index.duplicates()] == ["Bundle.entry[2].resource"]


def test_examples_have_neither() -> None:
    for name in ("plan-1", "plan-2"):
        index = Index(entries(example(name)))
        assert index.dangling() == []
        assert index.duplicates() == []


def test_rewriting_touches_references_only() -> None:
    before = {
        "goal": [{"reference": "a", "display": "a"}],
        "data": {"reference": {"reference": "b"}},
    }
    after = rewritten(before, {"a": "Goal/1"}.get)
    assert after["goal"] == [{"reference": "Goal/1", "display": "a"}]
    assert after["data"] == {"reference": {"reference": "b"}}


def test_dropped_references_leave_no_empty_elements() -> None:
    plan = {
        "goal": [{"reference": "Goal/1", "display": "secret"}],
        "activity": [{"reference": {"reference": "Task/1"}}, {"detail": {"status": "unknown"}}],
        "extension": [{"url": "x", "valueReference": {"reference": "Goal/1"}}],
        "subject": {"reference": "Patient/1"},
    }
    assert without(plan, {"Goal/1", "Task/1"}.__contains__) == {
        "activity": [{"detail": {"status": "unknown"}}],
        "subject": {"reference": "Patient/1"},
    }


_KEYS = st.sampled_from([f"Goal/{i}" for i in range(6)])


@given(st.dictionaries(_KEYS, st.lists(_KEYS, max_size=3)), _KEYS)
def test_reachable_is_closed(links: dict[str, list[str]], root: str) -> None:
    resources = {
        k: {"resourceType": "Goal", "links": [{"reference": r} for r in v]}
        for k, v in links.items()
    }
    found = reachable(resources, [root])
    assert found <= set(resources)
    assert all(r in found for k in found for r in links[k] if r in resources)


def test_collection_is_legal() -> None:
    plan = {"resourceType": "Basic", "id": "1", "code": {"text": "x"}}
    made = collection(
        {"Basic/1": plan}, "https://a.dk", id="b", timestamp="2026-01-01T00:00:00.000Z"
    )
    assert errors_in(made) == []
    assert made["entry"][0]["fullUrl"] == "https://a.dk/Basic/1"

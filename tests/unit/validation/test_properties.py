"""Whatever is sent: an answer, no value in it, and the same answer as the FHIRPath engine's."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fhir import outcome
from hub.fhir.codec import parse_json
from hub.fhir.validation import EmbeddedValidator
from hub.fhir.validation.fhirpath import Surroundings, holds
from hub.fhir.validation.moments import not_after
from hub.fhir.validation.natives import NATIVE
from hub.fhir.validation.scope import Scope
from hub.fhir.validation.tables import FOLDER, BaseTables
from tests.unit.validation.instances import PROFILED, minimal

Json = dict[str, Any]
SECRET = "0201609996 Karla Testine Nygaard"
VALIDATOR = EmbeddedValidator(best_practice=True)
TABLES = BaseTables()
EXAMPLES = [
    parse_json((FOLDER / "examples" / f"{name}.json").read_bytes())
    for name in ("plan-1", "consent-1", "approval-1")
]
MEMBERS = [r for e in EXAMPLES for r in (x["resource"] for x in e.get("entry", [{"resource": e}]))]

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**40),
    st.floats(allow_nan=False),
    st.sampled_from(["", " ", "#", "#p", "2026-02-30", "Patient/1", "urn:uuid:x", SECRET]),
)
NAMES = (
    "id extension url valueString status coding system code text div reference type contained"
    " resourceType meta profile entry resource fullUrl _status _id period start end name"
)
names = st.sampled_from(NAMES.split())
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) inside a value."""
    found, todo = [], [value]
    while todo:
        item = todo.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item))
        for key in keys:
            found.append((item, key))
            if isinstance(item[key], dict | list):
                todo.append(item[key])
    return found


def answered(resource: Json) -> None:
    """An answer that can be sent on, without anything the sender wrote."""
    issues = VALIDATOR.check([resource])
    for issue in issues:
        assert issue.code in outcome.ISSUE_TYPES
        assert issue.text
        assert issue.text_da
        assert "Karla" not in f"{issue}"
        assert "0201609996" not in f"{issue}"
    for made in outcome.outcome(issues)["issue"]:
        assert "location" not in made, "every place is a FHIRPath"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_example_is_answered(data: st.DataObject) -> None:
    resource = deepcopy(data.draw(st.sampled_from(MEMBERS)))
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(resource)
        holder, key = found[data.draw(st.integers(0, len(found) - 1))]
        if data.draw(st.booleans()) and isinstance(holder, dict):
            holder[data.draw(names)] = data.draw(values)
        else:
            holder[key] = data.draw(values)
    answered(resource)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PROFILED), st.dictionaries(names, values, max_size=5))
def test_any_members_are_answered(kind: str, members: Json) -> None:
    answered(minimal(kind) | members)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MEMBERS), st.data())
def test_a_name_that_is_no_name_is_not_repeated(resource: Json, data: st.DataObject) -> None:
    resource = deepcopy(resource)
    holders = [resource, *(h[k] for h, k in places(resource) if isinstance(h[k], dict))]
    holders[data.draw(st.integers(0, len(holders) - 1))][SECRET] = SECRET
    answered(resource)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MEMBERS), st.data())
def test_one_illegal_value_is_always_found(resource: Json, data: st.DataObject) -> None:
    """A control character is legal in no value of any type."""
    resource = deepcopy(resource)
    strings = [(h, k) for h, k in places(resource) if isinstance(h[k], str)]
    holder, key = strings[data.draw(st.integers(0, len(strings) - 1))]
    holder[key] = "a\x01 b"
    assert any(i.severity == "error" for i in VALIDATOR.check([resource]))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(MEMBERS))
def test_checking_changes_nothing_and_is_repeatable(resource: Json) -> None:
    before = json.dumps(resource, default=str)
    first = VALIDATOR.check([resource])
    assert VALIDATOR.check([resource]) == first
    assert json.dumps(resource, default=str) == before


zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5))])
moments = st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1), timezones=zones)


@given(moments, moments)
def test_moments_compare_as_on_a_clock(one: datetime, other: datetime) -> None:
    assert not_after(one.isoformat(), other.isoformat()) == (one <= other)


@given(moments, st.sampled_from([4, 7, 10]))
def test_less_precise_moments_cannot_always_be_told_apart(one: datetime, digits: int) -> None:
    at = one.astimezone(UTC)
    assert not_after(at.isoformat()[:digits], at.isoformat()) is None
    later = (at + timedelta(days=800)).isoformat()
    assert not_after(at.isoformat()[:digits], later) is True
    assert not_after(later, at.isoformat()[:digits]) is False


texts = st.sampled_from(["a", "b"])
# Of one precision: the engine cannot tell that others may be unknown (see natives).
dates = st.sampled_from(["2025-12-31", "2026-03-01", "2026-03-02"])
inner = st.fixed_dictionaries(
    {"resourceType": st.just("Patient")},
    optional={
        "id": texts,
        "meta": st.fixed_dictionaries(
            {}, optional={"versionId": texts, "lastUpdated": dates, "security": st.just([{}])}
        ),
        "contained": st.just([{"resourceType": "Patient"}]),
    },
)
holding = st.fixed_dictionaries(
    {"resourceType": st.just("CarePlan")},
    optional={
        "contained": st.lists(inner, min_size=1, max_size=2),
        "text": st.just({"div": "<div/>"}),
    },
)
entries = st.lists(
    st.fixed_dictionaries(
        {"resource": inner},
        optional={"fullUrl": st.sampled_from(["urn:a", "urn:b", "http://x/Patient/a/_history/1"])},
    ),
    min_size=1,
    max_size=3,
)
INPUTS: dict[str, tuple[str, st.SearchStrategy[Json]]] = {
    "ext-1": (
        "Extension",
        st.fixed_dictionaries(
            {"url": st.just("u")},
            optional={
                "valueString": texts,
                "valueBoolean": st.booleans(),
                "extension": st.just([{"url": "u"}]),
            },
        ),
    ),
    "per-1": ("Period", st.fixed_dictionaries({}, optional={"start": dates, "end": dates})),
    "qty-3": (
        "Quantity",
        st.fixed_dictionaries({"value": st.just(1)}, optional={"code": texts, "system": texts}),
    ),
    "cpt-2": (
        "ContactPoint",
        st.fixed_dictionaries({}, optional={"value": texts, "system": texts}),
    ),
    "ref-1": (
        "Reference",
        st.fixed_dictionaries(
            {}, optional={"reference": st.sampled_from(["#a", "#c", "Patient/1"])}
        ),
    ),
    "dom-2": ("CarePlan", holding),
    "dom-4": ("CarePlan", holding),
    "dom-5": ("CarePlan", holding),
    "dom-6": ("CarePlan", holding),
    "bdl-5": (
        "Bundle.entry",
        st.fixed_dictionaries(
            {"fullUrl": texts}, optional={"resource": inner, "request": st.just({"url": "a"})}
        ),
    ),
    "bdl-7": (
        "Bundle",
        st.fixed_dictionaries(
            {
                "resourceType": st.just("Bundle"),
                "type": st.sampled_from(["history", "collection"]),
                "entry": entries,
            }
        ),
    ),
    "bdl-8": (
        "Bundle.entry",
        st.fixed_dictionaries(
            {}, optional={"fullUrl": st.sampled_from(["urn:a", "http://x/Patient/a/_history/1"])}
        ),
    ),
}
NOT_IN_THE_ENGINE = {"dom-3", "rng-2", "txt-1", "txt-2"}


def expression(kind: str, key: str) -> str:
    name, _, path = kind.partition(".")
    shape = TABLES.shape(name)
    assert shape is not None
    rules = TABLES.element(kind).rules if path else shape.rules
    return next(r.expression for r in rules if r.key == key)


def test_every_native_rule_is_compared_or_beyond_the_engine() -> None:
    assert set(INPUTS) | NOT_IN_THE_ENGINE == set(NATIVE)


@pytest.mark.parametrize("key", sorted(INPUTS))
def test_native_rules_say_what_the_engine_says(key: str) -> None:
    kind, inputs = INPUTS[key]
    rule = expression(kind, key)
    root = {"resourceType": "CarePlan", "contained": [{"resourceType": "Patient", "id": "a"}]}

    @settings(max_examples=40, deadline=None)
    @given(inputs)
    def same(value: Json) -> None:
        around = value if "resourceType" in value else root
        surroundings = Surroundings(
            around, around, lambda _: None, lambda *_: True, lambda *_: True
        )
        scope = Scope(around, "X")
        assert NATIVE[key](value, scope) == holds(rule, value, kind, surroundings)

    same()

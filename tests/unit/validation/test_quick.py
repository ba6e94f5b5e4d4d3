"""What a look says of a rule is what the FHIRPath engine says, on legal values and on others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fhir.validation.fhirpath import Surroundings, holds, without_twins
from hub.fhir.validation.quick import LOOKS, surely_holds
from hub.fhir.validation.scope import Scope
from tests.forms import FULL
from tests.unit.validation.test_properties import expression

Json = dict[str, Any]
ABOUT: dict[str, tuple[str, tuple[str, ...]]] = {
    "app-1": ("Appointment.participant", ("type", "actor", "status")),
    "app-2": ("Appointment", ("start", "end")),
    "app-3": ("Appointment", ("start", "end", "status")),
    "app-4": ("Appointment", ("cancelationReason", "status")),
    "bdl-1": ("Bundle", ("total", "type")),
    "bdl-2": ("Bundle", ("type", "entry")),
    "bdl-3": ("Bundle", ("type", "entry")),
    "bdl-4": ("Bundle", ("type", "entry")),
    "bdl-9": ("Bundle", ("type", "identifier")),
    "bdl-10": ("Bundle", ("type", "timestamp")),
    "bdl-11": ("Bundle", ("type", "entry")),
    "bdl-12": ("Bundle", ("type", "entry")),
    "con-4": ("Condition", ("abatementString", "abatementAge", "clinicalStatus")),
    "con-5": ("Condition", ("verificationStatus", "clinicalStatus")),
    "cpl-3": ("CarePlan.activity", ("detail", "reference")),
    "ctm-1": ("CareTeam.participant", ("onBehalfOf", "member")),
    "obs-6": ("Observation", ("valueString", "valueCodeableConcept", "dataAbsentReason")),
    "obs-7": ("Observation", ("valueString", "valueQuantity", "component", "code")),
    "org-1": ("Organization", ("name", "identifier")),
    "org-2": ("Organization.address", ("use", "text")),
    "org-3": ("Organization.telecom", ("use", "value")),
}
WORDS = (
    "home", "work", "batch", "transaction-response", "history", "document", "message",
    "searchset", "proposed", "2026-11-26",
)  # fmt: skip
parts: st.SearchStrategy[Any] = st.sampled_from(
    [{"request": {"url": "a"}}, {"response": {"status": "200"}}, {"search": {"mode": "match"}},
     {"request": {"url": "a"}, "response": {"status": "200"}}, {"_request": {"id": "a"}}, {},
     {"resource": {"resourceType": "Composition"}}, {"request": {}}, {"request": "a"}, "a", None]
)  # fmt: skip
codings = st.sampled_from(
    [{"coding": [{"system": "s", "code": "entered-in-error"}]}, {"text": "a"}, {"reference": "a"}]
)
values = st.one_of(
    st.sampled_from(WORDS), codings, st.lists(parts, max_size=3), st.lists(codings, max_size=2),
    st.sampled_from([None, "", 0, 1, True, {}, [], [[]]]),
)  # fmt: skip
TWINS = st.sampled_from([{"extension": [{"url": "u", "valueString": "a"}]}, {"id": "a"}, {}])


def objects(kind: str, names: tuple[str, ...]) -> st.SearchStrategy[Json]:
    """Of these members, right or wrong, and of their extensions."""
    typed = {} if "." in kind else {"resourceType": st.just(kind)}
    members = dict.fromkeys(names, values) | {f"_{name}": TWINS for name in names}
    return st.fixed_dictionaries({"id": st.just("a"), **typed}, optional=members)


def test_every_look_is_compared() -> None:
    assert set(ABOUT) == set(LOOKS)


@pytest.mark.parametrize("key", sorted(LOOKS))
def test_a_look_says_what_the_engine_says(key: str) -> None:
    kind, names = ABOUT[key]
    rule = expression(kind, key)

    @settings(max_examples=1000 if FULL else 120, deadline=None)
    @given(objects(kind, names))
    def same(value: Json) -> None:
        resource = value if "resourceType" in value else {"resourceType": kind.partition(".")[0]}
        if surely_holds(key, value, Scope(resource, "X")):
            around = Surroundings(
                resource, resource, lambda _: None, lambda *_: False, lambda *_: False
            )
            assert holds(rule, without_twins(value), kind, around)

    same()

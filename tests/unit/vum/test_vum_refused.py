"""What is refused, and that the refusal names a place and no value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vum_documents import changed, of, parsed, sample

from hub.errors import InputRefused, Invalid, Malformed, UnknownCode, Unsupported

Change = Callable[[dict[str, Any]], None]


def _unknown_code(b: dict[str, Any]) -> None:
    of(b, "targetGroup")["code"]["coding"][0]["code"] = "00000000-0000-4000-8000-000000000000"


def _unknown_goal_category(b: dict[str, Any]) -> None:
    of(b, "interventionPurpose")["category"][0]["coding"][0]["code"] = "x"


def _unknown_plan_category(b: dict[str, Any]) -> None:
    of(b, "orderCarePlan")["category"][0]["coding"][0]["code"] = "x"


def _bad_cpr(b: dict[str, Any]) -> None:
    of(b, "citizen")["identifier"][0]["value"] = "020160-9996"


def _no_cpr(b: dict[str, Any]) -> None:
    of(b, "citizen")["identifier"] = [{"system": "urn:lokal", "value": "17"}]


def _no_order(b: dict[str, Any]) -> None:
    b["entry"][0]["resource"]["focus"] = []


def _two_orders(b: dict[str, Any]) -> None:
    url = "urn:uuid:11111111-1111-4111-8111-111111111111"
    copy = changed(of(b, "orderCarePlan"))
    copy["id"] = "order-2"
    b["entry"].append({"fullUrl": url, "resource": copy})
    b["entry"][0]["resource"]["focus"].append({"reference": url})


def _unnamed_second_order(b: dict[str, Any]) -> None:
    _two_orders(b)
    b["entry"][0]["resource"]["focus"].pop()


def _unresolved(b: dict[str, Any]) -> None:
    of(b, "orderCarePlan")["author"] = {"reference": "Organization/nowhere"}


def _other_citizen(b: dict[str, Any]) -> None:
    url = "urn:uuid:22222222-2222-4222-8222-222222222222"
    other = changed(of(b, "citizen"))
    other["id"] = "other"
    other["identifier"][0]["value"] = "1507729995"
    b["entry"].append({"fullUrl": url, "resource": other})
    of(b, "intervention")["subject"] = {"reference": url}


def _two_purposes(b: dict[str, Any]) -> None:
    url = "urn:uuid:33333333-3333-4333-8333-333333333333"
    second = changed(of(b, "interventionPurpose"))
    second["id"] = "purpose-2"
    b["entry"].append({"fullUrl": url, "resource": second})
    of(b, "orderCarePlan")["goal"].append({"reference": url})


def _goal_without_category(b: dict[str, Any]) -> None:
    of(b, "interventionPurpose").pop("category")


def _modifier(b: dict[str, Any]) -> None:
    of(b, "targetGroup")["modifierExtension"] = [{"url": "urn:x", "valueBoolean": True}]


def _contained(b: dict[str, Any]) -> None:
    of(b, "targetGroup")["contained"] = [{"resourceType": "Patient", "id": "p"}]


def _other_event(b: dict[str, Any]) -> None:
    b["entry"][0]["resource"]["eventCoding"]["code"] = "ffb-status"


def _collection(b: dict[str, Any]) -> None:
    b["type"] = "collection"


def _no_header(b: dict[str, Any]) -> None:
    b["entry"].append(b["entry"].pop(0))


def _twice_the_same_url(b: dict[str, Any]) -> None:
    b["entry"][2]["fullUrl"] = b["entry"][1]["fullUrl"]


def _no_address(b: dict[str, Any]) -> None:
    entry = b["entry"][-1]
    entry.pop("fullUrl")
    entry["resource"].pop("id")


def _list_for_text(b: dict[str, Any]) -> None:
    of(b, "orderCarePlan")["status"] = ["active"]


def _odd_key(b: dict[str, Any]) -> None:
    of(b, "orderCarePlan")["0201609996"] = "x"


def _unknown_activity_status(b: dict[str, Any]) -> None:
    of(b, "intervention")["activity"][0]["detail"]["status"] = "maybe"


def _bad_date(b: dict[str, Any]) -> None:
    of(b, "orderCarePlan")["period"]["start"] = "1. april"


CASES: list[tuple[Change, type[InputRefused], str]] = [
    (_unknown_code, UnknownCode, "resource.code.coding[0].code"),
    (_unknown_goal_category, UnknownCode, "resource.category[0].coding[0].code"),
    (_unknown_plan_category, UnknownCode, "resource.category[0].coding[0].code"),
    (_unknown_activity_status, UnknownCode, "resource.activity[0].detail.status"),
    (_bad_cpr, Invalid, "resource.identifier[0].value"),
    (_no_cpr, Invalid, "resource.identifier"),
    (_no_order, Invalid, "resource.focus"),
    (_two_orders, Invalid, "resource"),
    (_unnamed_second_order, Invalid, "resource"),
    (_unresolved, Invalid, "resource.author.reference"),
    (_other_citizen, Invalid, "resource.subject"),
    (_two_purposes, Invalid, "resource.goal"),
    (_goal_without_category, Invalid, "resource.category"),
    (_modifier, Invalid, "resource.modifierExtension"),
    (_contained, Malformed, "resource.contained"),
    (_other_event, Unsupported, "resource.eventCoding"),
    (_collection, Unsupported, "Bundle.type"),
    (_no_header, Invalid, "Bundle.entry[0]"),
    (_twice_the_same_url, Invalid, "Bundle.entry[2].fullUrl"),
    (_no_address, Invalid, "fullUrl"),
    (_list_for_text, Malformed, "resource.status"),
    (_odd_key, Malformed, "Bundle.entry[1].resource"),
    (_bad_date, Invalid, "period"),
]


@pytest.mark.parametrize(("change", "error", "place"), CASES, ids=[c[0].__name__ for c in CASES])
def test_refused_with_its_place(change: Change, error: type[InputRefused], place: str) -> None:
    bundle = sample("order-minimal")
    change(bundle)

    with pytest.raises(error) as refused:
        parsed(bundle)
    assert type(refused.value) is error
    assert any((i.expression or "").endswith(place) for i in refused.value.issues) or place in str(
        refused.value.issues[0].expression
    )
    told = " ".join(f"{i.text} {i.expression}" for i in refused.value.issues)
    assert "020160" not in told
    assert "Karla" not in told


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Malformed),
        (b"[]", Malformed),
        (b"{}", Unsupported),
        (b'{"resourceType":"Bundle","type":"message","entry":{}}', Malformed),
        (b'{"resourceType":"Bundle","type":"message"}', Invalid),
        (b'{"resourceType":"Bundle","type":"message","entry":[{}]}', Malformed),
        (b'{"resourceType":"Bundle","type":"message","entry":[{"resource":{}}]}', Malformed),
    ],
)
def test_bytes_that_are_no_order(body: bytes, error: type[InputRefused]) -> None:
    with pytest.raises(error):
        parsed(body)


OFFER = {"system": "urn:oid:1.2.208.176.2.22", "code": "d90f4da6-f87a-43b5-833f-646b4baf16d6"}
"""Mobilt tilbud: a known FFB code, but of an offer."""
TARGET_GROUP = OFFER | {"code": "0e25a2ec-4f04-4d14-a5ad-a6519a7d1d5f"}


@pytest.mark.parametrize(("role", "path", "coding"), [
    ("intervention", "activity.0.detail.code", OFFER),
    ("servicePerformer", "category.0", TARGET_GROUP),
    ("targetGroup", "code", OFFER),
    ("condition", "code", OFFER),
    ("condition", "severity", OFFER),
    ("interventionGoal", "target.0.detailCodeableConcept", OFFER),
    ("interventionGoal", "target.1.detailCodeableConcept", OFFER),
    ("matterOfInterest", "code", OFFER),
])  # fmt: skip
def test_a_known_code_outside_a_required_value_set_is_refused(
    role: str, path: str, coding: dict[str, str]
) -> None:
    """As KL bound it: a binding without a strength is required."""
    bundle = sample("order-full")
    found: Any = of(bundle, role)
    *steps, last = path.split(".")
    for step in steps:
        found = found[int(step) if step.isdigit() else step]
    found[int(last) if last.isdigit() else last] = {"coding": [coding]}
    with pytest.raises(UnknownCode) as refused:
        parsed(bundle)
    (issue,) = [i for i in refused.value.issues if i.severity == "error"]
    where = "".join(f"[{s}]" if s.isdigit() else f".{s}" for s in path.split("."))
    assert issue.code == "code-invalid"
    assert (issue.expression or "").endswith(f"resource{where}")


def test_all_unknown_codes_are_named_at_once() -> None:
    bundle = sample()
    for n in range(3):
        of(bundle, "targetGroup", n)["code"]["coding"][0]["code"] = f"x{n}"

    with pytest.raises(UnknownCode) as refused:
        parsed(bundle)
    assert len(refused.value.issues) == 3


def answer(document: dict[str, Any] | bytes) -> tuple[Any, ...]:
    """The resources, or the issues of the refusal; anything else raised is a defect."""
    try:
        return parsed(document).resources
    except InputRefused as refused:
        return refused.issues


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["url", "system", "reference", "x"]), st.text(max_size=3)),
)


@given(data=st.data(), value=VALUES)
def test_any_value_anywhere_is_read_or_refused(data: st.DataObject, value: Any) -> None:
    """No mutation of a message makes anything but an answer the sender can act on."""
    bundle = sample("order-full")
    places: list[tuple[Any, Any]] = [(bundle, key) for key in bundle]
    for holder, key in places:
        inner = holder[key] if isinstance(holder[key], dict | list) else []
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        places += [(inner, k) for k in keys]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = value

    assert answer(json.dumps(bundle).encode())


@given(data=st.data())
def test_any_missing_element_is_read_or_refused(data: st.DataObject) -> None:
    bundle = sample("order-full")
    entry = data.draw(st.sampled_from(bundle["entry"]))
    holder = entry["resource"]
    while True:
        key = data.draw(st.sampled_from(sorted(holder)))
        inner = holder[key][0] if isinstance(holder[key], list) else holder[key]
        if not isinstance(inner, dict) or not inner or data.draw(st.booleans()):
            break
        holder = inner
    del holder[key]

    assert answer(bundle)

"""The canonical Bundle on its way in."""

from __future__ import annotations

import copy
import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir import ADAPTER
from hub.contract import Receipt
from hub.errors import Invalid, Malformed, UnknownCode, Unsupported
from hub.fhir import names
from hub.fhir.bundles import references
from hub.fhir.extract import extension_value
from hub.fhir.reading import PlanReader
from tests.unit.fhir.documents import (
    BASE,
    PLAN_ID,
    context,
    entry_of,
    example,
    parse,
    raw,
    refusal,
)
from tests.views import EXAMPLES, errors_in, view_of

SECTOR = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "fullUrl": "https://ehr.test/CarePlan/7",
            "resource": {
                "resourceType": "CarePlan",
                "id": "7",
                "identifier": [{"system": "https://ehr.test/case", "value": "C-1"}],
                "status": "active",
                "intent": "plan",
                "category": [names.concept(names.SECTOR_KIND, "behandlingsplan")],
                "subject": {"reference": "Patient/1"},
                "author": {"reference": "Organization/2"},
                "goal": [{"reference": "Goal/3"}],
                "partOf": [{"identifier": {"system": PLAN_ID, "value": "plan-9"}}],
                "activity": [
                    {
                        "detail": {
                            "status": "in-progress",
                            "description": "Fast sengetid",
                            "goal": [{"reference": "Goal/3"}],
                        }
                    }
                ],
            },
        },
        {
            "fullUrl": "https://ehr.test/Patient/1",
            "resource": {
                "resourceType": "Patient",
                "id": "1",
                "identifier": [{"system": names.CPR, "value": "0201609996"}],
                "name": [{"text": "Karla Eksempel"}],
            },
        },
        {
            "fullUrl": "https://ehr.test/Organization/2",
            "resource": {
                "resourceType": "Organization",
                "id": "2",
                "identifier": [{"system": names.SOR, "value": "999000000101"}],
                "name": "Psykiatrisk Center Nordstrand",
            },
        },
        {
            "fullUrl": "https://ehr.test/Goal/3",
            "resource": {
                "resourceType": "Goal",
                "id": "3",
                "lifecycleStatus": "active",
                "description": {"text": "Sove om natten"},
                "subject": {"reference": "Patient/1"},
            },
        },
    ],
}


@pytest.mark.parametrize(
    ("name", "case", "cpr", "sor"),
    [
        ("plan-1", "RUS-2026-0001", "0201609996", "999000000203"),
        ("plan-2", "PCN-2026-0002", "1507729995", "999000000101"),
    ],
)
def test_example(name: str, case: str, cpr: str, sor: str) -> None:
    update = parse(example(name))
    assert (update.part, update.case, update.plan_id, update.base_version) == (
        "shared", case, None, None,
    )  # fmt: skip
    assert [i.value for i in update.citizen.identifiers] == [cpr]
    assert sor in [i.value for i in update.claimed_sender]
    assert update.resources[0]["resourceType"] == "CarePlan"
    assert len(update.resources) == len(example(name)["entry"])
    assert update.losses == ()
    assert errors_in(*update.resources) == []


@pytest.mark.parametrize("name", ["plan-1", "plan-2"])
def test_says_the_same_as_the_example(name: str) -> None:
    """Every reader's view of the update equals that of the document as it stands."""
    update = parse(example(name))
    ours = PlanReader({f"{r['resourceType']}/{r['id']}": r for r in update.resources})
    theirs = PlanReader(view_of(EXAMPLES / f"{name}.json").resources)
    for words in ("goals", "challenges", "interventions", "status_notes", "contacts"):
        mine, given_ = getattr(ours, words)(), getattr(theirs, words)()
        assert len(mine) == len(given_) > 0
        for one, other in zip(mine, given_, strict=True):
            for field in ("rank", "text", "goals", "time", "sections", "actor", "name", "phone"):
                assert getattr(one, field, None) == getattr(other, field, None)
    assert ours.next_meeting() == theirs.next_meeting()
    mine, given_ = ours.meeting(), theirs.meeting()
    assert mine is not None
    assert given_ is not None
    assert replace(mine, path="") == replace(given_, path="")


def test_ids_are_uuids_and_references_lead_to_them() -> None:
    update = parse(example("plan-1"))
    keys = {f"{r['resourceType']}/{r['id']}" for r in update.resources}
    assert all(str(uuid.UUID(k.split("/")[1])) == k.split("/")[1] for k in keys)
    found = [ref for r in update.resources for _, ref in references(r, "")]
    assert found
    assert set(found) <= keys


def test_ids_depend_on_case_and_own_id_only() -> None:
    first = parse(SECTOR)
    moved = copy.deepcopy(SECTOR)
    moved["entry"] = [moved["entry"][0], *reversed(moved["entry"][1:])]
    entry_of(moved, "Goal")["description"]["text"] = "Sove hele natten"
    second = parse(moved)
    assert {r["id"] for r in first.resources} == {r["id"] for r in second.resources}
    other = copy.deepcopy(SECTOR)
    entry_of(other, "CarePlan")["identifier"][0]["value"] = "C-2"
    assert not {r["id"] for r in first.resources} & {r["id"] for r in parse(other).resources}


def test_without_a_case_two_citizens_never_share_an_id() -> None:
    one, two = copy.deepcopy(SECTOR), copy.deepcopy(SECTOR)
    for bundle in (one, two):
        del entry_of(bundle, "CarePlan")["identifier"]
    entry_of(two, "Patient")["identifier"][0]["value"] = "1507729995"
    assert not {r["id"] for r in parse(one).resources} & {r["id"] for r in parse(two).resources}


def test_sector_plan() -> None:
    update = parse(SECTOR)
    plan = update.resources[0]
    assert (update.part, update.case, update.plan_id) == ("behandlingsplan", "C-1", "plan-9")
    assert [i.value for i in update.claimed_sender] == ["999000000101"]
    assert "partOf" not in plan
    assert extension_value(plan["activity"][0], names.RANK) == 1
    assert uuid.UUID(plan["activity"][0]["id"])
    assert extension_value(plan["goal"][0], names.RANK) == 1


def test_document_order_is_the_rank_where_none_is_given() -> None:
    bundle = example("plan-1")
    plan = entry_of(bundle, "CarePlan")
    for name in ("addresses", "goal", "activity"):
        for item in plan[name]:
            item.pop("extension")
        plan[name].reverse()
    made = parse(bundle).resources[0]
    for name in ("addresses", "goal", "activity"):
        assert [extension_value(x, names.RANK) for x in made[name]] == [1, 2, 3]


def test_the_hubs_own_plan_and_version() -> None:
    plan_id = str(uuid.uuid4())
    bundle = example("plan-1")
    plan = entry_of(bundle, "CarePlan")
    plan["identifier"].append({"system": PLAN_ID, "value": plan_id})
    plan["meta"]["versionId"] = "7"
    update = parse(bundle)
    assert (update.plan_id, update.base_version, update.case) == (plan_id, 7, "RUS-2026-0001")
    made = update.resources[0]
    assert made["id"] == plan_id
    assert "versionId" not in made["meta"]
    assert PLAN_ID not in [i["system"] for i in made["identifier"]]
    assert update.claimed_sender == ()
    plan["extension"].append({"url": names.BASE_VERSION, "valueInteger": 3})
    assert parse(bundle).base_version == 3


def test_the_senders_own_version_is_no_base() -> None:
    bundle = example("plan-1")
    entry_of(bundle, "CarePlan")["meta"]["versionId"] = "7"
    assert parse(bundle).base_version is None


def test_hub_ids_stay() -> None:
    bundle = copy.deepcopy(SECTOR)
    own = str(uuid.uuid4())
    goal = bundle["entry"][3]
    goal["fullUrl"], goal["resource"]["id"] = f"{BASE}/Goal/{own}", own
    for plan in (bundle["entry"][0]["resource"],):
        plan["goal"] = [{"reference": f"{BASE}/Goal/{own}"}]
        plan["activity"][0]["detail"]["goal"] = [{"reference": f"{BASE}/Goal/{own}"}]
    assert own in {r["id"] for r in parse(bundle).resources}
    goal["fullUrl"] = goal["fullUrl"].replace(BASE, "https://elsewhere.test")
    text = json.dumps(bundle).replace(f"{BASE}/Goal", "https://elsewhere.test/Goal")
    assert own not in {r["id"] for r in parse(text.encode()).resources}


def test_message_with_the_event() -> None:
    bundle = example("plan-1")
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": names.coding(names.system("event"), "plan-update"),
        "source": {"endpoint": "https://rus.test"},
        "sender": {"identifier": {"system": names.SOR, "value": "999000000203"}},
    }
    bundle["type"] = "message"
    bundle["entry"].insert(0, {"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": header})
    update = parse(bundle)
    assert [i.value for i in update.claimed_sender] == ["999000000203"]
    assert update.losses == ()
    header["eventCoding"]["code"] = "other"
    assert isinstance(refusal(bundle), UnknownCode)
    header["eventCoding"] = {"system": "urn:other", "code": "plan-update"}
    assert isinstance(refusal(bundle), Unsupported)
    bundle["entry"].pop(0)
    assert isinstance(refusal(bundle), Malformed)


def test_receipt() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "message",
        "entry": [
            {
                "fullUrl": "urn:uuid:11111111-1111-4111-8111-111111111111",
                "resource": {
                    "resourceType": "MessageHeader",
                    "eventCoding": names.coding(names.system("event"), "plan-update"),
                    "source": {"endpoint": "https://rus.test"},
                    "response": {"identifier": "delivery-1", "code": "transient-error"},
                },
            }
        ],
    }
    found = ADAPTER.parse(raw(bundle), context())
    assert isinstance(found, Receipt)
    assert (found.of, found.outcome) == ("delivery-1", "transient")


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (b"", Malformed),
        (b"[]", Malformed),
        (b'{"resourceType": "Bundle", "resourceType": "Bundle"}', Malformed),
        (b"\xff\xfe", Malformed),
        ({"resourceType": "Nope"}, Malformed),
        ({"resourceType": "Bundle"}, Malformed),
        ({"resourceType": "Bundle", "type": "bogus"}, UnknownCode),
        ({"resourceType": "Bundle", "type": "batch"}, Unsupported),
        ({"resourceType": "Bundle", "type": "collection"}, Invalid),
        ({"resourceType": "Bundle", "type": "message"}, Malformed),
        ({"resourceType": "Basic", "code": {"text": "x"}}, Unsupported),
    ],
)
def test_refused(document: dict[str, Any] | bytes, error: type[Exception]) -> None:
    assert type(refusal(document)) is error


def test_what_is_left_out_is_said() -> None:
    bundle = example("plan-1")
    stray = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"}}
    stray["subject"] = entry_of(bundle, "CarePlan")["subject"]
    url = "urn:uuid:11111111-1111-4111-8111-111111111111"
    bundle["entry"].append({"fullUrl": url, "resource": stray})
    div = "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"
    entry_of(bundle, "Patient")["text"] = {"status": "generated", "div": div}
    update = parse(bundle)
    last = len(bundle["entry"]) - 1
    assert {(x.path, x.kind) for x in update.losses} == {
        (f"Bundle.entry[{last}].resource", "dropped"),
        ("Bundle.entry[1].resource.text", "dropped"),
    }
    assert all("text" not in r for r in update.resources)


def test_two_plans_are_refused() -> None:
    both = example("plan-1")
    both["entry"] += example("plan-2")["entry"]
    assert isinstance(refusal(both), Invalid)
    sectors = copy.deepcopy(SECTOR)
    second = copy.deepcopy(sectors["entry"][0])
    second["fullUrl"], second["resource"]["id"] = "https://ehr.test/CarePlan/8", "8"
    sectors["entry"].append(second)
    assert isinstance(refusal(sectors), Invalid)


def test_a_resend_has_the_same_fingerprint() -> None:
    first = example("plan-1")
    again = copy.deepcopy(first)
    again |= {"id": "other", "timestamp": "2027-01-01T00:00:00Z"}
    entry_of(again, "Goal").setdefault("meta", {})["lastUpdated"] = "2027-01-01T00:00:00Z"
    changed = copy.deepcopy(first)
    entry_of(changed, "Goal")["description"]["text"] += "!"
    of = ADAPTER.fingerprint
    reordered = json.dumps(again, indent=1, sort_keys=True, ensure_ascii=False).encode()
    assert of(raw(first)) == of(raw(again)) == of(raw(reordered))
    assert of(raw(first)) != of(raw(changed))
    assert of(raw(b"x")) == of(raw(b"x")) != of(raw(b"y"))


_PATHS = [
    ("CarePlan", "addresses"),
    ("CarePlan", "activity"),
    ("CarePlan", "extension"),
    ("CarePlan", "subject"),
    ("Patient", "identifier"),
    ("CareTeam", "participant"),
    ("Goal", "description"),
    ("PractitionerRole", "organization"),
    ("Organization", "identifier"),
]
_WRONG = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda x: (
        st.lists(x, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["reference", "url", "valueCode", "system", "value", "extension", "id"]
            ),
            x,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(_PATHS), _WRONG)
def test_wrong_shapes_are_refused_or_read_but_never_break(
    where: tuple[str, str], value: object
) -> None:
    bundle = example("plan-1")
    entry_of(bundle, where[0])[where[1]] = value
    try:
        parse(bundle)
    except (Malformed, Invalid, UnknownCode) as e:
        said = json.dumps([(e.text, *((i.text, i.expression) for i in e.issues))])
        assert "0201609996" not in said
        assert "Karla" not in said

"""The known defects of KL's own material, each accepted; what is sent again does not have them.

Source: KL FFB messaging 1.0.0 and 0.1.0 with their examples, KL core 1.2.0, kl-term 1.0.0 and FFB
reporting 1.0.0, as published. One row for each: what the sender wrote, by what it would do to a
sound order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from vum_documents import Bundle, context, of, own, parsed, raw, sample

from adapters.dk_core import KOMBIT
from adapters.vum import ADAPTER
from adapters.vum.urls import CONDITION_RANK
from hub.contract import RawMessage
from hub.fhir import names
from hub.fhir.xml import to_xml
from tests.views import PLAN_1, check, errors_in, parties, view_of

Change = Callable[[Bundle], None]
TERM_RANK = "http://fhir.kl.dk/term/StructureDefinition/ConditionRank"
SYSTEM_TEXT = "http://fhir.kl.dk/ffbmessaging/CodeSystem/Text"
REQUEST_FOR_SOCIAL = "4a297733-4d66-4726-a933-590d55cf91e0"
GUARDIANSHIP = "http://fhir.kl.dk/ffbmessaging/CodeSystem/kl-messaging-ffb-guardianshipFormCodes"
FOLLOW_UP = {
    "system": "http://fhir.kl.dk/term/CodeSystem/CareSocialCodes",
    "code": "9f03dfbb-7a97-45a5-94db-d4c3501714a9",
}


def _ranks(bundle: Bundle) -> list[dict[str, Any]]:
    return [link["extension"][0] for link in of(bundle, "orderCarePlan")["addresses"]]


def _every(bundle: Bundle, name: str) -> list[dict[str, Any]]:
    found, todo = [], [bundle]
    while todo:
        item: Any = todo.pop()
        if isinstance(item, dict):
            found += [item] if name in item else []
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return found


def diagnosis_with_an_empty_system(b: Bundle) -> None:
    of(b, "disgnosis")["code"]["coding"] = [{"system": "", "code": "F20"}]


def diagnosis_with_nothing_but_an_empty_system(b: Bundle) -> None:
    of(b, "disgnosis")["code"]["coding"] = [{"system": ""}]


def consent_policy_of_the_guardianship_codes(b: Bundle) -> None:
    of(b, "consent")["policyRule"] = {"coding": [{"system": GUARDIANSHIP, "code": "5"}]}


def relative_full_urls(b: Bundle) -> None:
    for entry in b["entry"]:
        resource = entry["resource"]
        entry["fullUrl"] = f"{resource['resourceType']}/{resource['id']}"
    for reference in _every(b, "reference"):
        target = str(reference["reference"]).removeprefix("urn:uuid:")
        kinds = {e["resource"]["id"]: e["resource"]["resourceType"] for e in b["entry"]}
        reference["reference"] = f"{kinds[target]}/{target}"


def ends_without_identifiers(b: Bundle) -> None:
    header = b["entry"][0]["resource"]
    ends = [header["sender"], *(d["receiver"] for d in header["destination"])]
    for entry in b["entry"]:
        if any(entry["fullUrl"] == end["reference"] for end in ends):
            entry["resource"].pop("identifier", None)


def uncoded_intervention_in_a_system_nobody_defined(b: Bundle) -> None:
    detail = of(b, "intervention")["activity"][0]["detail"]
    detail["code"] = {"coding": [{"system": SYSTEM_TEXT}], "text": "Kørsel"}


def rank_as_text(b: Bundle) -> None:
    for rank in _ranks(b):
        rank["valueString"] = str(rank.pop("valuePositiveInt"))


def rank_by_the_other_url(b: Bundle) -> None:
    for rank in _ranks(b):
        rank["url"] = TERM_RANK


def kombit_id_by_the_other_system(b: Bundle) -> None:
    for unit in (e["resource"] for e in b["entry"]):
        if unit["resourceType"] == "Organization":
            other = {"system": "https://www.kombit.dk/organisation", "value": "urn:uuid:0"}
            unit.setdefault("identifier", []).append(other)


def goals_accepted_or_active(b: Bundle) -> None:
    of(b, "interventionGoal")["lifecycleStatus"] = "active"
    of(b, "citizenObjective")["lifecycleStatus"] = "accepted"


def plan_category_of_a_request(b: Bundle) -> None:
    of(b, "orderCarePlan")["category"][0]["coding"][0]["code"] = REQUEST_FOR_SOCIAL


def follow_up_without_participants(b: Bundle) -> None:
    of(b, "followUp").pop("participant", None)


def displays_of_an_older_release(b: Bundle) -> None:
    for coding in _every(b, "display"):
        coding["display"] = f"{coding['display']}\N{NO-BREAK SPACE}"


def phone_that_is_not_there(b: Bundle) -> None:
    absent = {"extension": [{"url": names.DATA_ABSENT, "valueCode": "unknown"}]}
    of(b, "citizen")["telecom"] = [{"system": "phone", "_value": absent}]


def team_member_without_a_role(b: Bundle) -> None:
    of(b, "servicePerformer")["participant"][0].pop("role")


def follow_up_in_the_order(b: Bundle) -> None:
    of(b, "orderCarePlan")["activity"][0]["detail"]["code"] = {"coding": [FOLLOW_UP]}


def no_profile_is_named(b: Bundle) -> None:
    for entry in b["entry"]:
        entry["resource"].pop("meta", None)


def attachment_without_data(b: Bundle) -> None:
    attachment = {"title": "Udredning", "contentType": "application/pdf"}
    of(b, "documentReference")["content"] = [{"attachment": attachment}]


DEFECTS: tuple[Change, ...] = (
    diagnosis_with_an_empty_system,
    diagnosis_with_nothing_but_an_empty_system,
    consent_policy_of_the_guardianship_codes,
    relative_full_urls,
    ends_without_identifiers,
    uncoded_intervention_in_a_system_nobody_defined,
    rank_as_text,
    rank_by_the_other_url,
    kombit_id_by_the_other_system,
    goals_accepted_or_active,
    plan_category_of_a_request,
    follow_up_without_participants,
    displays_of_an_older_release,
    phone_that_is_not_there,
    team_member_without_a_role,
    follow_up_in_the_order,
    no_profile_is_named,
    attachment_without_data,
)
each_defect = pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: d.__name__)


def defective(defect: Change) -> Bundle:
    bundle = sample("order-full")
    # The roles of the sample are found by profile, so a defect of the profiles comes last.
    defect(bundle)
    return bundle


@each_defect
def test_it_is_accepted_and_what_is_made_of_it_is_legal(defect: Change) -> None:
    update = parsed(defective(defect))

    assert len(update.resources[0]["addresses"]) == 3
    assert errors_in(*update.resources) == []


@each_defect
def test_it_is_accepted_as_xml(defect: Change) -> None:
    bundle = defective(defect)
    message = raw(bundle)
    in_xml = RawMessage(
        message.sender, "vum", to_xml(bundle), "application/fhir+xml", "m-2", message.received_at
    )

    assert ADAPTER.parse(in_xml, context()) == parsed(bundle)


@each_defect
def test_it_is_not_sent_again(defect: Change) -> None:
    view = view_of(PLAN_1, own=own(defective(defect)))
    made = ADAPTER.render(view, parties()["social-havneby"], context("rus-havneby"))
    sent = json.loads(made.body)

    assert [i for i in check(sent) if i.severity == "error"] == []
    assert all(e["fullUrl"].startswith("urn:uuid:") for e in sent["entry"])
    assert TERM_RANK not in repr(sent)
    assert "https://www.kombit.dk" not in repr(sent)


@pytest.mark.parametrize("defect", [rank_as_text, rank_by_the_other_url])
def test_a_rank_is_the_same_however_it_is_written(defect: Change) -> None:
    assert parsed(defective(defect)).resources == parsed(sample()).resources


@pytest.mark.parametrize("text", ["3", "første", "01", ""])
def test_a_rank_that_is_no_rank_is_no_number(text: str) -> None:
    bundle = sample()
    _ranks(bundle)[0].clear()
    of(bundle, "orderCarePlan")["addresses"][0]["extension"][0] |= {
        "url": CONDITION_RANK,
        "valueString": text,
    }
    update = parsed(bundle)

    made = update.resources[0]["addresses"][0].get("extension")
    assert made is None
    assert any("addresses[0].extension[0]" in x.path for x in update.losses)


def test_a_kombit_id_is_claimed_by_its_right_system() -> None:
    claimed = parsed(defective(kombit_id_by_the_other_system)).claimed_sender

    assert KOMBIT in {i.system for i in claimed}


def test_the_orders_follow_up_is_an_appointment_of_the_plan() -> None:
    update = parsed(defective(follow_up_in_the_order))
    followed = update.resources[0]["activity"][-1]

    assert followed["detail"]["kind"] == "Appointment"
    assert followed["detail"]["code"]["coding"][0]["display"] == "Opfølgning"
    assert followed["detail"]["description"] == "Årlig opfølgning på bevillingen"
    assert followed["detail"]["scheduledPeriod"] == {"start": "2025-04-01"}
    assert {"url": names.COORDINATION, "valueBoolean": True} in followed["extension"]
    lost = [x.path for x in update.losses if ".activity[0]" in x.path]
    assert lost
    assert all("scheduledTiming.repeat" in path for path in lost)

"""Who may do what: credentials, what does not exist for whom, search, duplicates."""

from __future__ import annotations

import json

import pytest

from hub.fhir import names
from tests.api.copies import shared_part
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    PARTIES,
    PLAN_1,
    PLAN_2,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
    changed_plan,
    outcome_of,
    problem,
)
from tests.views import errors_in

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOBODY_S = "00000000-0000-4000-8000-000000000000"

# Credentials


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "/documents/fhir"),
        ("POST", "/fhir/Consent"),
        ("POST", "/fhir/$process-message"),
        ("GET", f"/fhir/CarePlan/{NOBODY_S}"),
        ("GET", f"/fhir/CarePlan?patient={NOBODY_S}"),
        ("POST", "/fhir/CarePlan/_search"),
        ("GET", "/mailbox"),
        ("GET", "/tasks"),
        ("GET", f"/messages/{NOBODY_S}"),
        ("GET", "/operations/deliveries"),
        ("GET", "/operations/queues"),
    ],
)
def test_nothing_is_done_without_a_known_credential(world: World, method: str, url: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = world.request(method, url, headers=headers, content=b"{}")
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert outcome_of(answer)["issue"][0]["code"] == "login"
    assert world.kept() == []


def test_a_party_is_no_operator_and_an_operator_no_party(world: World) -> None:
    problem(world.get("/operations/deliveries", RUS), 401)
    problem(world.get("/mailbox", OPERATOR), 401)
    problem(world.post("/documents/fhir", OPERATOR, PLAN_1), 401)


def test_the_scheme_s_case_does_not_matter(world: World) -> None:
    headers = {"Authorization": f"bearer {world.secrets[RUS]}"}
    assert world.request("GET", "/mailbox", headers=headers).status_code == 200


# What one may not know of


def test_a_plan_one_may_not_know_of_does_not_exist(planned: World, plan: str) -> None:
    unknown = planned.get(f"/fhir/CarePlan/{NOBODY_S}", GP)
    hidden = planned.get(f"/fhir/CarePlan/{plan}", GP)
    problem(hidden, 404)
    assert hidden.content == unknown.content


def test_a_gp_reads_what_was_approved_and_nothing_before(planned: World, plan: str) -> None:
    assert planned.get(f"/fhir/CarePlan/{plan}", GP).status_code == 404
    planned.approve(plan)
    assert planned.get(f"/fhir/CarePlan/{plan}", GP).headers["ETag"] == 'W/"1"'
    planned.post("/documents/fhir", RUS, changed_plan(title="Planen efter mødet"))
    assert planned.get(f"/fhir/CarePlan/{plan}", GP).headers["ETag"] == 'W/"1"'
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).headers["ETag"] == 'W/"2"'


def test_an_answer_is_its_sender_s(planned: World) -> None:
    answer = planned.post("/documents/behandlingsplan", PSYK, TREATMENT)
    assert answer.headers["KI-Hub-Duplicate"] == "true"
    place = answer.headers["Location"]
    assert planned.get(place, PSYK).content == answer.content
    problem(planned.get(place, RUS), 404)


def test_another_unit_s_plan_cannot_be_written_and_is_not_told_of(world: World) -> None:
    """The same words whether the plan is there or not, for a unit that may only make one."""
    shared, making = json.loads(CONSENT_1), json.loads(CONSENT_1)
    shared["provision"]["provision"] = shared["provision"]["provision"][1:]
    making["category"] = [names.concept(names.CONSENT_PURPOSE, "make-plan")]
    for number, consent in enumerate((shared, making)):
        body = json.dumps(consent | {"id": f"samtykke-{number}"}).encode()
        assert world.post("/fhir/Consent", RUS, body).status_code == 201
    plan = world.publish_plan()
    texts = []
    for named in (plan, NOBODY_S):
        bundle = json.loads(PLAN_2.decode().replace("1507729995", CPR_1))
        identifier = {"system": f"{names.BASE}/NamingSystem/plan", "value": named}
        bundle["entry"][0]["resource"]["identifier"] = [identifier]
        refused = world.post("/documents/fhir", PSYK, json.dumps(bundle).encode())
        problem(refused, 422)
        texts.append(refused.content)
    assert texts[0] == texts[1]


def test_a_unit_that_knows_the_plan_proposes_what_is_not_its_own(planned: World, plan: str) -> None:
    """Another plan under its name: nothing of it stands but the unit's own status notes."""
    making = json.loads(PLAN_2.decode().replace("1507729995", CPR_1))
    identifier = {"system": f"{names.BASE}/NamingSystem/plan", "value": plan}
    making["entry"][0]["resource"]["identifier"] = [identifier]
    before = shared_part(planned, plan)
    answer = planned.post("/documents/fhir", PSYK, json.dumps(making).encode())
    assert answer.status_code == 200
    assert "proposals for the lead's unit" in answer.text
    after = shared_part(planned, plan)
    own = {k for k in after if k.startswith("Observation/")} - set(before)
    assert {k for k in before if before[k] != after.get(k)} == {f"CarePlan/{plan}"}
    links = after[f"CarePlan/{plan}"]["supportingInfo"]
    left = [x for x in links if x["reference"] not in own]
    assert after[f"CarePlan/{plan}"] | {"supportingInfo": left} == before[f"CarePlan/{plan}"]
    assert planned.get(f"/operations/plans/{plan}", OPERATOR).json()["lead"] == RUS


# Search


def test_search_by_number_goes_by_post(planned: World, plan: str) -> None:
    body = f"patient.identifier={names.CPR}|{CPR_1}&category={names.CATEGORY}|ki-plan"
    answer = planned.request(
        "POST", "/fhir/CarePlan/_search", RUS, content=body.encode(), headers=FORM
    )
    found = answer.json()
    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", 1)
    assert found["entry"][0]["resource"]["id"] == plan
    assert found["entry"][0]["search"] == {"mode": "match"}
    assert errors_in(found) == []


def test_search_finds_nothing_for_who_may_not_know(planned: World) -> None:
    body = f"patient.identifier={names.CPR}|{CPR_1}".encode()
    answer = planned.request("POST", "/fhir/CarePlan/_search", GP, content=body, headers=FORM)
    found = answer.json()
    assert (found["type"], found["total"], found.get("entry")) == ("searchset", 0, None)
    assert CPR_1 not in answer.text


def test_search_by_the_hub_s_own_patient_id(planned: World, plan: str) -> None:
    subject = planned.get(f"/fhir/CarePlan/{plan}", RUS).json()["subject"]["reference"]
    for value in (subject, subject.removeprefix("Patient/")):
        found = planned.get(f"/fhir/CarePlan?patient={value}&category=ki-plan", RUS).json()
        assert found["total"] == 1
    assert planned.get(f"/fhir/CarePlan?patient={NOBODY_S}", RUS).json()["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        f"patient.identifier={names.CPR}|{CPR_1}",
        f"patient:identifier={CPR_1}",
        f"patient={CPR_1}",
        f"patient=Patient/{CPR_1}",
        f"patient={NOBODY_S}&patient={CPR_1}",
        f"subject={CPR_1}",
        f"{CPR_1}=1",
        f"identifier={CPR_1}",
        f"_has:Goal:patient:identifier={CPR_1}",
        f"patient={CPR_1[:6]}-{CPR_1[6:]}",
        f"patient.identifier={names.X_ECPR}|0",
    ],
)
def test_a_number_in_a_url_is_refused_and_not_repeated(planned: World, query: str) -> None:
    answer = planned.get(f"/fhir/CarePlan?{query}", RUS)
    problem(answer, 422)
    assert CPR_1 not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"patient.identifier=x|" + b"&a=1" * 500_000,
        b"\xff\xfe%00",
        b"_id=%00",
        b"date=Karla",
        b"status:Karla=active",
    ],
)
def test_a_search_that_makes_no_sense_is_refused(planned: World, body: bytes) -> None:
    answer = planned.request("POST", "/fhir/CarePlan/_search", RUS, content=body, headers=FORM)
    assert answer.status_code in {400, 422}
    outcome_of(answer)
    assert "Karla" not in answer.text


# Duplicates


def test_the_same_bytes_again_are_answered_the_same_and_change_nothing(planned: World) -> None:
    before = (planned.deliveries(), len(planned.kept()), planned.tasks(RUS))
    first = planned.post("/documents/fhir", RUS, PLAN_1)
    second = planned.post("/documents/fhir", RUS, PLAN_1)
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert {a.headers.get("KI-Hub-Duplicate") for a in (first, second)} == {"true"}
    planned.work()
    assert (planned.deliveries(), len(planned.kept()), planned.tasks(RUS)) == before


def test_a_message_id_is_used_once(world: World) -> None:
    world.consent()
    first = world.post("/documents/fhir", RUS, PLAN_1, message_id="besked-1")
    assert first.status_code == 200
    again = world.post("/documents/fhir", RUS, PLAN_1, message_id="besked-1")
    assert (again.status_code, again.content) == (200, first.content)

    other = world.post("/documents/fhir", RUS, changed_plan(title="Anden"), message_id="besked-1")
    (issue,) = problem(other, 409)
    assert issue["code"] == "duplicate"
    assert len(world.deliveries()) == 7

    theirs = world.post("/documents/behandlingsplan", PSYK, TREATMENT, message_id="besked-1")
    assert theirs.status_code == 200


def test_a_resend_may_differ_in_what_a_resend_changes(world: World) -> None:
    world.consent()
    first = world.post("/documents/fhir", RUS, PLAN_1, message_id="besked-1")
    stamped = json.dumps(json.loads(PLAN_1) | {"timestamp": "2026-09-21T08:00:00Z"}).encode()
    again = world.post("/documents/fhir", RUS, stamped, message_id="besked-1")
    assert (again.status_code, again.content) == (200, first.content)


@pytest.mark.parametrize("message_id", ["x" * 256, "x" * 20_000])
def test_a_message_id_that_cannot_be_kept_is_refused(world: World, message_id: str) -> None:
    problem(world.post("/documents/fhir", RUS, PLAN_1, message_id=message_id), 422)
    assert world.kept() == []


def test_every_party_sees_only_its_own_mailbox_and_tasks(planned: World) -> None:
    boxes = {who: set(planned.letters(who)) for who in PARTIES}
    assert {w for w, letters in boxes.items() if letters} == {KOORD_OWN, RUS, PSYK, SOCIAL}
    assert not boxes[GP] | boxes[KOORD_OTHER]
    everything = [one for letters in boxes.values() for one in letters]
    assert len(everything) == len(set(everything))

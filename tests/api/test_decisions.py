"""Consents and approvals that would say more, or less, than the citizen did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.fhir import names
from tests.api.papers import approval_of, consent_of
from tests.api.world import (
    CONSENT_1,
    CPR_2,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    problem,
)


def decide(world: World, body: bytes, who: str = RUS, message_id: str | None = None) -> None:
    answer = world.post("/fhir/Consent", who, body, message_id=message_id)
    assert answer.status_code in {200, 201}, answer.text


# Consent


@pytest.mark.parametrize("status", ["inactive", "entered-in-error"])
def test_a_withdrawal_that_withdraws_nothing_is_not_acknowledged(
    planned: World, status: str
) -> None:
    resource = json.loads(CONSENT_1) | {"status": status, "id": "en-anden"}
    body = json.dumps(resource).encode()
    (issue,) = problem(planned.post("/fhir/Consent", RUS, body), 422)
    assert "withdraws" in issue["details"]["text"]


@pytest.mark.parametrize("status", ["inactive", "entered-in-error"])
def test_the_same_form_without_an_id_sent_as_inactive_withdraws_it(
    planned: World, plan: str, status: str
) -> None:
    """The example has no id; its withdrawal must not be taken for another consent."""
    body = json.dumps(json.loads(CONSENT_1) | {"status": status}).encode()
    decide(planned, body)
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


def test_a_withdrawal_by_another_unit_is_not_acknowledged_either(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    problem(world.post("/fhir/Consent", PSYK, consent_of("samtykke-1", status="inactive")), 422)
    decide(world, consent_of("samtykke-1", status="inactive"))


def test_a_refusal_is_registered_though_there_was_no_consent(world: World) -> None:
    answer = world.request(
        "POST", "/fhir/Consent", RUS, content=consent_of("nej", status="rejected"),
        headers={"Prefer": "return=OperationOutcome"},
    )  # fmt: skip
    assert answer.status_code == 201
    assert any(i["severity"] == "warning" for i in answer.json()["issue"])


def test_a_consent_s_id_is_not_used_again_for_another_citizen(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    problem(world.post("/fhir/Consent", RUS, consent_of("samtykke-1", cpr=CPR_2)), 422)
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 200


def test_a_consent_sent_again_after_it_was_narrowed_widens_nothing(world: World) -> None:
    wide = consent_of("samtykke-1")
    decide(world, wide)
    plan = world.publish_plan()
    decide(world, consent_of("samtykke-1", (RUS, KOORD_OWN)))
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404
    decide(world, wide, message_id="again-1")
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


def test_a_consent_sent_again_after_it_was_withdrawn_stays_withdrawn(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    decide(world, consent_of("samtykke-1", status="inactive"))
    decide(world, consent_of("samtykke-1"), message_id="again-1")
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


@pytest.mark.parametrize(
    "limit",
    [
        {"securityLabel": [names.coding(names.SECTION_CODE, "social")]},
        {"dataPeriod": {"start": "2026-09-01"}},
        {"actor": [{"role": {"text": "kun lægen"}, "reference": {"display": "x"}}]},
        {"purpose": [names.coding("http://example.org", "x")]},
    ],
)
def test_a_limit_on_the_whole_consent_is_not_passed_over(
    world: World, limit: dict[str, Any]
) -> None:
    resource = json.loads(consent_of("samtykke-1"))
    resource["provision"] |= limit
    problem(world.post("/fhir/Consent", RUS, json.dumps(resource).encode()), 422)


def test_a_unit_named_in_another_part_than_the_receiver_s_is_permitted_nothing(
    world: World,
) -> None:
    resource = json.loads(consent_of("samtykke-1"))
    role = resource["provision"]["provision"][0]["actor"][0]["role"]["coding"][0]
    role["code"] = "CST"
    problem(world.post("/fhir/Consent", RUS, json.dumps(resource).encode()), 422)


# Approval


@pytest.mark.parametrize("who", [SOCIAL, PSYK, KOORD_OTHER, GP])
def test_only_the_lead_s_side_registers_the_citizen_s_decision(
    planned: World, plan: str, who: str
) -> None:
    problem(planned.post("/fhir/Consent", who, approval_of(plan)), 404)
    assert planned.delivery(GP)["state"] == "blocked"


@pytest.mark.parametrize("who", [RUS, KOORD_OWN])
def test_the_lead_and_its_coordinator_register_it(planned: World, plan: str, who: str) -> None:
    decide(planned, approval_of(plan), who)
    assert planned.delivery(GP)["state"] == "due"


@pytest.mark.parametrize("held", ["egen-laege", "999000000305", "lægen"])
def test_a_condition_that_holds_back_nobody_the_hub_knows_is_refused(
    planned: World, plan: str, held: str
) -> None:
    answer = planned.post("/fhir/Consent", RUS, approval_of(plan, holds=(held,)))
    problem(answer, 422)
    assert held.strip() not in answer.text
    assert planned.delivery(GP)["state"] == "blocked"


def test_a_condition_may_name_the_unit(planned: World, plan: str) -> None:
    decide(planned, approval_of(plan, holds=(GP,)))
    assert planned.delivery(GP)["state"] == "blocked"
    problem(planned.get(f"/fhir/CarePlan/{plan}", GP), 404)
    planned.clock.advance(minutes=1)
    decide(planned, approval_of(plan, holds=(GP,), met="2026-09-19T09:00:00+02:00"))
    assert planned.delivery(GP)["state"] == "due"


@pytest.mark.parametrize("held", [SOCIAL, "professional"])
def test_a_condition_holds_back_one_who_takes_part_too(world: World, held: str) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    decide(world, approval_of(plan, holds=(held,)))
    assert world.delivery(SOCIAL)["state"] == "blocked"
    problem(world.get(f"/fhir/CarePlan/{plan}", SOCIAL), 404)
    assert world.delivery(KOORD_OWN)["state"] == "due"


def test_an_old_yes_sent_again_does_not_undo_the_no(planned: World, plan: str) -> None:
    yes = approval_of(plan)
    decide(planned, yes, message_id="yes-1")
    planned.clock.advance(minutes=1)
    decide(planned, approval_of(plan, decision="no"))
    planned.clock.advance(minutes=1)
    decide(planned, yes, message_id="yes-2")
    assert planned.delivery(GP)["state"] == "blocked"


def test_a_yes_said_before_a_no_and_registered_after_it_does_not_undo_it(
    planned: World, plan: str
) -> None:
    no = approval_of(plan, decision="no", dateTime="2026-09-18T09:00:00+02:00")
    decide(planned, no)
    planned.clock.advance(minutes=1)
    for moment in ("2026-09-17T14:00:00+02:00", "2026-09-18"):
        decide(planned, approval_of(plan, dateTime=moment))
        assert planned.delivery(GP)["state"] == "blocked"
    decide(planned, approval_of(plan, dateTime="2026-09-18T09:01:00+02:00"))
    assert planned.delivery(GP)["state"] == "due"


def test_a_decision_dated_in_the_future_does_not_outlast_the_next_one(
    planned: World, plan: str
) -> None:
    decide(planned, approval_of(plan, dateTime="2026-12-01T09:00:00+01:00"))
    planned.clock.advance(minutes=1)
    now = planned.clock().isoformat(timespec="seconds")
    decide(planned, approval_of(plan, decision="no", dateTime=now))
    assert planned.delivery(GP)["state"] == "blocked"


@pytest.mark.parametrize("status", ["entered-in-error", "inactive"])
def test_an_approval_taken_back_approves_nothing(planned: World, plan: str, status: str) -> None:
    decide(planned, approval_of(plan, id="godkendelse-1"))
    assert planned.delivery(GP)["state"] == "due"
    decide(planned, approval_of(plan, id="godkendelse-1", status=status))
    assert planned.delivery(GP)["state"] == "blocked"


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected"])
def test_a_yes_that_is_no_decision_yet_is_refused(planned: World, plan: str, status: str) -> None:
    problem(planned.post("/fhir/Consent", RUS, approval_of(plan, status=status)), 422)
    assert planned.delivery(GP)["state"] == "blocked"


def test_an_approval_of_another_patient_is_refused(planned: World, plan: str) -> None:
    other = {"reference": "Patient/00000000-0000-4000-8000-000000000000"}
    problem(planned.post("/fhir/Consent", RUS, approval_of(plan, patient=other)), 422)
    assert planned.delivery(GP)["state"] == "blocked"


def test_an_approval_s_id_is_not_moved_to_another_plan(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    decide(world, approval_of(plan, id="godkendelse-1"))
    case = [{"system": "https://rus-havneby.example/sag", "value": "RUS-2026-0002"}]
    answer = world.post("/documents/fhir", RUS, changed_plan(identifier=case))
    other = answer.headers["Location"].split("/")[3]
    assert other != plan
    problem(world.post("/fhir/Consent", RUS, approval_of(other, id="godkendelse-1")), 422)
    decisions = world.get(f"/operations/plans/{plan}", OPERATOR).json()["decisions"]
    assert [d["decision"] for d in decisions] == ["yes"]

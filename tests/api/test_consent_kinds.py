"""What the citizen says, how, by whom and until when; and what a person is asked to do about it.

Sources: sundhedsloven §§ 43 and 44, værgemålsloven §§ 5-7, KORA project description section 7 and
appendix 3 (a plan with its consent left blank); ki-plan scenarios 2, 3, 8 and 21.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.fhir import names
from hub.model.agreement import Agreement, Agreements
from hub.services.admin import PartyEntry, apply_parties
from hub.services.lapse import follow_time
from hub.services.overview import party_rows
from tests.api.papers import approval_of, consent_of
from tests.api.world import (
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    World,
    outcome_of,
    problem,
)

YOUNG = "010110" + "9996"
"""Sixteen when the world begins; turns 18 on the first of January 2028."""
GUARDIAN = {"type": "RelatedPerson", "display": "Vera Værge"}


def register(world: World, body: bytes, who: str = RUS) -> Any:
    return world.request(
        "POST", "/fhir/Consent", who, content=body, headers={"Prefer": "return=OperationOutcome"}
    )


def agree(world: World, own: dict[str, Agreement] | None = None, **terms: Any) -> None:
    """``own``: of units that have agreed on something else, as the parties file says it."""
    with world.hub.store.reading() as work:
        units = [PartyEntry(p) for p in work.parties.all()]
    agreed = Agreements(Agreement(**terms), own or {})
    apply_parties(world.hub, units, [], "pdf", by="test", agreements=agreed)


def given_by(body: bytes, *performers: dict[str, Any], ground: str = "") -> bytes:
    resource = json.loads(body)
    own = resource["performer"]
    resource["performer"] = [own[0] if p == {} else p for p in performers]
    if ground:
        resource["extension"].append({"url": names.GUARDIAN_GROUND, "valueCode": ground})
    return json.dumps(resource).encode()


def kinds(world: World, who: str) -> list[str]:
    return [kind for kind, _ in world.tasks(who)]


def reads(world: World, plan: str, who: str) -> bool:
    return world.get(f"/fhir/CarePlan/{plan}", who).status_code == 200


# Refusals


def test_a_refusal_overrides_every_consent_until_it_is_taken_back(
    planned: World, plan: str
) -> None:
    refusal = consent_of("nej-til-psyk", (PSYK,), status="rejected")
    answer = register(planned, refusal)
    assert answer.status_code == 201, answer.text
    assert "overrides" in answer.text
    assert not reads(planned, plan, PSYK)
    assert reads(planned, plan, SOCIAL)
    planned.clock.advance(days=1)
    assert register(planned, consent_of("nyt-ja", (PSYK,))).status_code == 201
    assert not reads(planned, plan, PSYK)
    taken_back = consent_of("nej-til-psyk", (PSYK,), status="inactive")
    assert register(planned, taken_back).status_code == 200
    assert reads(planned, plan, PSYK)


def test_a_refusal_to_everyone_leaves_nothing_but_the_citizen_s_own_copy(
    planned: World, plan: str
) -> None:
    body = json.loads(consent_of("nej", status="rejected"))
    body["provision"] = {"type": "deny"}
    assert register(planned, json.dumps(body).encode()).status_code == 201
    assert not any(reads(planned, plan, who) for who in (RUS, PSYK, SOCIAL, KOORD_OWN, GP))


def test_without_consent_a_refusal_lets_no_plan_be_made(world: World) -> None:
    register(world, consent_of("nej", status="rejected"))
    problem(world.post("/documents/fhir", RUS, PLAN_1), 403)
    assert world.deliveries() == []


def test_old_words_do_not_revive_a_withdrawn_consent_and_that_is_told(
    planned: World, plan: str
) -> None:
    assert register(planned, consent_of("samtykke-9", (PSYK,))).status_code == 201
    withdrawn = consent_of("samtykke-9", (PSYK,), status="inactive")
    assert register(planned, withdrawn).status_code == 200
    again = register(planned, consent_of("samtykke-9", (PSYK,)))
    told = outcome_of(again)["issue"]
    assert any(i["severity"] == "warning" and "not revived" in i["details"]["text"] for i in told)
    with planned.hub.store.reading() as work:
        citizen = work.plans.lock(plan).citizen_id  # type: ignore[union-attr]
        states = {c.id: c.active for c in work.consents.of_citizen(citizen)}
    assert sorted(states.values()) == [False, True]


# A bare yes


def test_a_bare_yes_permits_nothing_and_a_person_is_asked_to_complete_it(world: World) -> None:
    bare = json.loads(consent_of("samtykke-1"))
    del bare["extension"]
    bare["provision"] = {"type": "permit"}
    problem(register(world, json.dumps(bare).encode()), 422)
    problem(register(world, json.dumps(bare | {"id": "samtykke-2"}).encode()), 422)
    assert kinds(world, RUS) == ["complete-consent"]
    problem(world.post("/documents/fhir", RUS, PLAN_1), 403)
    register(world, consent_of("samtykke-1"))
    assert kinds(world, RUS) == []
    world.publish_plan()


def test_a_plan_form_that_only_says_yes_is_sealed_and_its_sender_is_asked(world: World) -> None:
    answer = world.post("/documents/fhir", RUS, PLAN_1)
    problem(answer, 403)
    assert world.inbox(answer).state == "sealed"
    assert kinds(world, RUS) == ["complete-consent"]
    assert all(kinds(world, who) == [] for who in (PSYK, SOCIAL, KOORD_OWN, KOORD_OTHER, GP))


# Who gave it


def test_a_guardian_needs_a_ground_that_covers_personal_matters(world: World) -> None:
    problem(register(world, given_by(consent_of("v-1"), GUARDIAN)), 422)
    problem(register(world, given_by(consent_of("v-2"), GUARDIAN, ground="guardianship-6")), 422)
    problem(register(world, given_by(consent_of("v-3"), GUARDIAN, ground="parental-custody")), 422)
    good = given_by(consent_of("v-4"), GUARDIAN, ground="guardianship-personal")
    assert register(world, good).status_code == 201
    world.publish_plan()


def test_under_18_there_is_no_plan_unless_the_agreement_has_them(world: World) -> None:
    young = consent_of("ung", cpr=YOUNG)
    both = given_by(young, {}, GUARDIAN, ground="parental-custody")
    assert "under 18" in problem(register(world, both), 422)[0]["details"]["text"]
    agree(world, minors=True)
    problem(register(world, young), 422)
    problem(register(world, given_by(young, GUARDIAN, ground="parental-custody")), 422)
    assert register(world, both).status_code == 201


def test_a_minor_s_plan_needs_an_agreement_of_the_unit_that_makes_it(world: World) -> None:
    """Who registers the consent may be under another agreement than who leads."""
    both = given_by(consent_of("ung", cpr=YOUNG), {}, GUARDIAN, ground="parental-custody")
    young = Agreement(minors=True, name="unge")
    agree(world, {PSYK: young})
    assert "under 18" in problem(register(world, both, PSYK), 422)[0]["details"]["text"]
    agree(world, {RUS: young})
    assert "under 18" in problem(register(world, both, PSYK), 422)[0]["details"]["text"]
    agree(world, dict.fromkeys((RUS, PSYK, SOCIAL, KOORD_OWN, KOORD_OTHER, GP), young))
    assert register(world, both, PSYK).status_code == 201
    others = dict.fromkeys((RUS, SOCIAL, KOORD_OWN, KOORD_OTHER, GP), young)
    agree(world, others)
    said = consent_of("kun-rus", (RUS,), cpr=YOUNG)
    only_rus = given_by(said, {}, GUARDIAN, ground="parental-custody")
    assert "under 18" in problem(register(world, only_rus, PSYK), 422)[0]["details"]["text"]
    assert register(world, only_rus).status_code == 201


def test_parents_word_ends_when_the_citizen_turns_18(world: World) -> None:
    agree(world, minors=True)
    day = datetime(2027, 12, 20, 10, tzinfo=UTC)
    world.clock.now = day
    period = json.loads(consent_of("x"))["provision"] | {"period": {"start": "2027-12-01"}}
    body = consent_of("ung", cpr=YOUNG, dateTime="2027-12-01", provision=period)
    both = given_by(body, {}, GUARDIAN, ground="parental-custody")
    assert register(world, both).status_code == 201
    plan = world.publish_plan(PLAN_1.replace(CPR_1.encode(), YOUNG.encode()))
    world.work()
    assert reads(world, plan, PSYK)
    world.clock.now = datetime(2027, 12, 31, 22, 59, tzinfo=UTC)
    assert reads(world, plan, PSYK)
    world.clock.now = datetime(2027, 12, 31, 23, 0, tzinfo=UTC)
    follow_time(world.hub)
    assert not reads(world, plan, PSYK)
    assert "renew-consent" in kinds(world, RUS)
    own = consent_of("selv", cpr=YOUNG, dateTime="2028-01-01T00:30:00+01:00", provision=period)
    world.clock.advance(hours=1)
    assert register(world, own).status_code == 201
    assert reads(world, plan, PSYK)
    assert "renew-consent" not in kinds(world, RUS)


# Section 44


def test_the_lead_is_reminded_and_all_stops_on_the_day_that_the_year_is_over(
    planned: World, plan: str
) -> None:
    """Given on 1 September 2026: nothing on 1 September 2027, as Danish clocks have it."""
    follow_time(planned.hub)
    last = datetime(2027, 8, 31, 22, tzinfo=UTC)
    planned.clock.now = last - timedelta(days=31)
    follow_time(planned.hub)
    assert "renew-consent" not in kinds(planned, RUS)
    planned.clock.now = last - timedelta(days=30)
    follow_time(planned.hub)
    assert "renew-consent" in kinds(planned, RUS)
    assert "renew-consent" in kinds(planned, KOORD_OWN)
    assert "renew-consent" not in kinds(planned, KOORD_OTHER)
    assert "renew-consent" not in kinds(planned, PSYK)
    planned.clock.now = last - timedelta(seconds=1)
    assert reads(planned, plan, PSYK)
    planned.clock.now = last
    assert not reads(planned, plan, PSYK)
    follow_time(planned.hub)
    assert planned.delivery(GP)["state"] == "cancelled"
    assert planned.delivery(GP)["reason"] == "No consent for this purpose is in force"
    assert "renew-consent" in kinds(planned, RUS)
    assert "renew-consent" not in kinds(planned, KOORD_OWN)
    period = json.loads(consent_of("x"))["provision"] | {"period": {"start": "2027-09-01"}}
    again = consent_of("aar-2", dateTime="2027-09-01", provision=period)
    assert register(planned, again).status_code == 201
    assert reads(planned, plan, PSYK)
    assert "renew-consent" not in kinds(planned, RUS)
    of_gp = [d["state"] for d in planned.deliveries() if d["receiver"] == GP]
    assert sorted(of_gp) == ["blocked", "cancelled"]


# Approval


def test_a_no_asks_two_questions_and_a_person_answers(planned: World, plan: str) -> None:
    assert planned.post("/fhir/Consent", RUS, approval_of(plan, decision="no")).status_code == 201
    assert not reads(planned, plan, PSYK)
    assert reads(planned, plan, RUS)
    assert reads(planned, plan, KOORD_OWN)
    assert "plan-rejected" in kinds(planned, RUS)
    url, said = f"/plans/{plan}/answer-no", {"person": "Signe Prøve", "new_meeting": True}
    body = said | {"consent_holds": False}
    assert planned.request("POST", url, PSYK, json=body).status_code == 404
    assert planned.request("POST", url, RUS, json=body).status_code == 204
    assert "plan-rejected" not in kinds(planned, RUS)
    assert "withdraw-consent" in kinds(planned, RUS)
    assert planned.request("POST", url, RUS, json=body).status_code == 404
    with planned.hub.store.reading() as work:
        (row,) = [r for r in work.journal.audit_of(f"CarePlan/{plan}")
                  if r["action"] == "answer-no"]  # fmt: skip
    assert row["detail"] == "consent does not hold, a new meeting"
    assert register(planned, consent_of("trukket", (PSYK,), status="rejected")).status_code == 201
    assert "withdraw-consent" not in kinds(planned, RUS)


def test_a_yes_takes_the_question_back(planned: World, plan: str) -> None:
    planned.post("/fhir/Consent", RUS, approval_of(plan, decision="no", id="g-1"))
    planned.clock.advance(hours=1)
    yes = approval_of(plan, id="g-2", dateTime=planned.clock.now.isoformat())
    assert planned.post("/fhir/Consent", RUS, yes).status_code == 201
    assert "plan-rejected" not in kinds(planned, RUS)


@pytest.mark.parametrize("gates", ["all", frozenset({"gp", "receiver", "professional"})])
def test_the_agreement_says_who_waits_for_approval(world: World, gates: Any) -> None:
    agree(world, approval_gates=gates)
    world.consent()
    plan = world.publish_plan()
    world.work()
    assert not reads(world, plan, PSYK)
    assert world.delivery(PSYK)["state"] == "blocked"
    assert reads(world, plan, RUS)
    assert reads(world, plan, KOORD_OWN)
    assert world.approve(plan).status_code == 201
    world.work()
    assert reads(world, plan, PSYK)


def test_a_plan_is_under_the_agreement_of_the_unit_that_leads_it(world: World) -> None:
    strict = Agreement("all", name="taet")
    world.consent()
    plan = world.publish_plan()
    agree(world, {PSYK: strict})
    assert reads(world, plan, PSYK), "it leads nothing"
    agree(world, {RUS: strict})
    assert not reads(world, plan, PSYK)
    listed = {r["party"]: r["agreement"] for r in party_rows(world.hub)}
    assert (listed[RUS], listed[PSYK]) == ("taet", "")
    # A file without the unit leaves it as it is.
    apply_parties(world.hub, [], [], "pdf", by="test")
    assert not reads(world, plan, PSYK)
    agree(world)
    assert reads(world, plan, PSYK)


def test_each_agreement_has_its_own_time_to_remind(planned: World, plan: str) -> None:
    """The lead's own: neither the usual one's nor another unit's."""
    own = {
        PSYK: Agreement(reminder_days=60, name="tidligt"),
        RUS: Agreement(reminder_days=40, name="her"),
    }
    agree(planned, own, reminder_days=20)
    follow_time(planned.hub)
    last = datetime(2027, 8, 31, 22, tzinfo=UTC)
    for days, asked in ((59, False), (41, False), (40, True)):
        planned.clock.now = last - timedelta(days=days)
        follow_time(planned.hub)
        assert ("renew-consent" in kinds(planned, RUS)) is asked, days

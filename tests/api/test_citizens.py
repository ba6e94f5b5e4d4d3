"""Citizens in special positions: protected, dead, with relatives, with another GP, without a name.

Sources: ki-plan section 6.6 and scenarios 5, 23 and 25; KORA appendix 4 (relatives in the plan).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hub.contract import Identifier
from hub.fhir import names
from hub.model.party import Subscription
from hub.store.retention import Hold
from tests.api.fhir.client import post_search
from tests.api.papers import SOR, consent_of, plan_with_team, sector_plan
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    CPR_2,
    GP,
    KOORD_OWN,
    ORDER,
    PLAN_1,
    PSYK,
    RUS,
    SAMPLES,
    SOCIAL,
    World,
    problem,
)

ALL = ("make-plan", "exchange", "copy-to-gp", "relatives")


def bundle() -> tuple[dict[str, Any], dict[str, Any]]:
    """The lead's plan and its Patient."""
    found = json.loads(PLAN_1)
    (citizen,) = [
        e["resource"] for e in found["entry"] if e["resource"]["resourceType"] == "Patient"
    ]
    return found, citizen


def every_copy(world: World) -> dict[str, str]:
    """What each unit reads, and what lies in its mailbox, as text."""
    found = {}
    for who in (PSYK, SOCIAL, KOORD_OWN):
        texts = [world.get(f"/fhir/{kind}", who).text
                 for kind in ("Patient", "CarePlan", "RelatedPerson", "CareTeam")]  # fmt: skip
        texts += [world.get(f"/mailbox/{x}", who).content.decode("latin-1")
                  for x in world.letters(who)]  # fmt: skip
        found[who] = "\n".join(texts)
    return found


def as_fhir(world: World, who: str) -> None:
    with world.hub.store.writing() as work:
        known = work.parties.get(who)
        assert known is not None
        work.parties.save(replace(known, subscriptions=(Subscription("fhir"),)), world.clock())
        work.commit()


def test_a_protected_citizen_s_whereabouts_leave_in_no_copy(world: World) -> None:
    world.consent(consent_of("alt", purposes=ALL))
    as_fhir(world, SOCIAL)
    found, citizen = bundle()
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    line, phone = citizen["address"][0]["line"][0], citizen["telecom"][0]["value"]
    world.publish_plan(json.dumps(found).encode())
    world.work()
    for who, text in every_copy(world).items():
        assert line not in text, who
        assert phone not in text, who
    assert line in world.get("/fhir/Patient", RUS).text


def test_what_was_made_before_a_citizen_was_protected_is_not_handed_out(world: World) -> None:
    world.consent(consent_of("alt", purposes=ALL))
    as_fhir(world, SOCIAL)
    as_fhir(world, GP)
    found, citizen = bundle()
    line = citizen["address"][0]["line"][0]
    plan = world.publish_plan(json.dumps(found).encode())
    world.approve(plan)
    world.work()
    letters = {who: world.letters(who) for who in (SOCIAL, GP)}
    assert all(letters.values())
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    found["entry"][0]["resource"]["title"] = "Ny plan, som borgeren ikke har set"
    world.clock.advance(minutes=1)
    world.publish_plan(json.dumps(found).encode())
    world.work()
    for who, keys in letters.items():
        assert [world.get(f"/mailbox/{key}", who).status_code for key in keys] == [404]
    assert len(world.letters(GP)) == 1, "the version that was approved, without it"
    copies = every_copy(world) | {GP: world.get(f"/mailbox/{world.letters(GP)[0]}", GP).text}
    assert all(line not in text for text in copies.values())
    person = world.get("/fhir/Patient", GP).json()["entry"][0]["resource"]["id"]
    for who in (SOCIAL, GP, PSYK):
        for address in (f"Patient/{person}", f"Patient/{person}/_history",
                        f"Patient/{person}/_history/1", f"CarePlan/{plan}/_history/1"):  # fmt: skip
            assert line not in world.get(f"/fhir/{address}", who).text, (who, address)


def test_the_lead_is_asked_when_another_unit_says_that_the_citizen_is_protected(
    planned: World,
) -> None:
    order = json.loads(ORDER)
    for entry in order["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            label = {"system": names.CONFIDENTIALITY, "code": "R"}
            entry["resource"].setdefault("meta", {})["security"] = [label]
    order["id"] = "d5b7f9a6-4b0c-4a57-9d0e-3f4a0cbb7a51"
    planned.clock.advance(minutes=1)
    assert planned.post("/documents/vum", SOCIAL, json.dumps(order).encode()).status_code == 200
    assert ("protected", None) in planned.tasks(RUS)
    found, citizen = bundle()
    citizen["meta"] = {"security": [{"system": names.CONFIDENTIALITY, "code": "R"}]}
    planned.clock.advance(minutes=1)
    planned.publish_plan(json.dumps(found).encode())
    assert ("protected", None) not in planned.tasks(RUS)


def test_relatives_names_leave_where_the_citizen_agreed_only(world: World) -> None:
    world.consent(consent_of("uden"))
    as_fhir(world, PSYK)
    world.publish_plan()
    world.work()
    assert all("Anna Testine" not in text for text in every_copy(world).values())
    assert "søster" in world.get("/fhir/RelatedPerson", PSYK).text
    assert "Anna Testine" in world.get("/fhir/RelatedPerson", RUS).text
    world.consent(consent_of("med", (PSYK,), purposes=("relatives",)))
    assert "Anna Testine" in world.get("/fhir/RelatedPerson", PSYK).text
    assert "Anna Testine" not in world.get("/fhir/RelatedPerson", SOCIAL).text


def test_after_a_death_nothing_is_sent_and_nobody_is_asked_but_to_end_the_plan(
    planned: World, plan: str
) -> None:
    assert planned.delivery(GP)["state"] == "blocked"
    found, citizen = bundle()
    citizen["deceasedDateTime"] = "2026-09-19"
    planned.publish_plan(json.dumps(found).encode())
    planned.work()
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404
    assert planned.get(f"/fhir/CarePlan/{plan}", RUS).status_code == 200
    newest = [d for d in planned.deliveries() if d["version"] == 2]
    assert newest == []
    assert planned.delivery(GP)["state"] == "cancelled"
    assert planned.tasks(RUS) == [("deceased", None)]
    assert planned.tasks(KOORD_OWN) == []
    found["entry"][0]["resource"]["status"] = "completed"
    planned.publish_plan(json.dumps(found).encode())
    assert planned.tasks(RUS) == []


def test_another_gp_needs_a_basis_of_its_own(world: World) -> None:
    """SOCIAL takes the new GP's place; the citizen consented to the old one."""
    world.consent(consent_of("gammel", (RUS, PSYK, KOORD_OWN, GP)))
    team = plan_with_team({SOR[GP]: (), SOR[SOCIAL]: ("gp",)})
    plan = world.publish_plan(team)
    assert world.approve(plan).status_code == 201
    world.work()
    assert SOCIAL not in world.states()
    assert GP not in world.states()
    assert "consent" in [kind for kind, _ in world.tasks(RUS)]
    world.consent(consent_of("ny", (SOCIAL,), purposes=("copy-to-gp",)))
    world.work()
    assert world.states()[SOCIAL] in {"sent", "blocked", "due"}


def test_an_anonymous_client_never_gets_a_plan(world: World) -> None:
    """Serviceloven § 101 a: there is nobody to consent, so there is no plan."""
    anonymous = {"system": "https://sag.example", "value": "anonym-7"}
    consent = json.loads(CONSENT_1) | {"id": "anonym"}
    consent["patient"]["identifier"] = anonymous
    consent["performer"][0]["identifier"] = anonymous
    problem(world.consent(json.dumps(consent).encode()), 422)
    found, citizen = bundle()
    citizen["identifier"] = [anonymous]
    answer = world.post("/documents/fhir", RUS, json.dumps(found).encode())
    assert answer.status_code in {403, 422}
    assert world.deliveries() == []


def test_a_tilbud_gets_the_relevant_parts_of_the_action_plan_it_is_named_in(world: World) -> None:
    """Serviceloven § 141, stk. 5: without any consent, and never against the citizen's no."""
    plan = json.loads(sector_plan(SOCIAL, case="H-1"))
    tilbud = "urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c07"
    team = {"resourceType": "CareTeam", "status": "active",
            "participant": [{"role": [names.concept(names.ROLE, "receiver")],
                             "member": {"reference": tilbud}}]}  # fmt: skip
    unit = {"resourceType": "Organization", "name": "Rusmiddelcentret",
            "identifier": [{"system": names.SOR, "value": SOR[RUS]}]}  # fmt: skip
    address = "urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c08"
    plan["entry"] += [{"fullUrl": address, "resource": team}, {"fullUrl": tilbud, "resource": unit}]
    plan["entry"][0]["resource"]["careTeam"] = [{"reference": address}]
    world.consent(consent_of("kun-social", (SOCIAL,)))
    answer = world.post("/documents/fhir", SOCIAL, json.dumps(plan).encode())
    assert answer.status_code == 202, answer.text
    assert "En indsats" in world.get("/fhir/CarePlan", RUS).text
    assert "En indsats" not in world.get("/fhir/CarePlan", PSYK).text
    world.consent(consent_of("nej-til-rus", (RUS,), status="rejected"))
    assert "En indsats" not in world.get("/fhir/CarePlan", RUS).text


def link(world: World, who: str, known: str, new: str) -> int:
    body = {"person": "Signe Prøve", "known": {"system": names.CPR, "value": known},
            "new": {"system": names.CPR, "value": new}}  # fmt: skip
    return world.request("POST", "/citizens/link-number", who, json=body).status_code


def test_a_citizen_with_another_number_is_found_by_both(planned: World, plan: str) -> None:
    new = "020160" + "9999"
    number = {"patient.identifier": f"{names.CPR}|{new}"}
    assert post_search(planned, "CarePlan", number, PSYK).json()["total"] == 0
    assert link(planned, PSYK, CPR_1, new) == 404
    assert link(planned, RUS, CPR_2, new) == 404
    assert [link(planned, RUS, CPR_1, new) for _ in range(2)] == [204, 204]
    with planned.hub.store.reading() as work:
        (row,) = work.journal.audit_of("Patient")
        citizen = work.plans.citizen([Identifier(names.CPR, new)])
        assert citizen is not None
        assert (row["action"], row["citizen"]) == ("link-number", work.trail.pseudonym_of(citizen))
    found = post_search(planned, "CarePlan", number, PSYK).json()
    assert plan in {e["resource"]["id"] for e in found["entry"]}
    old = {"patient.identifier": f"{names.CPR}|{CPR_1}"}
    assert post_search(planned, "CarePlan", old, PSYK).json()["total"] == found["total"]
    assert new not in planned.get("/fhir/Patient", PSYK).text
    assert planned.consent(consent_of("nyt-nummer", cpr=new, status="rejected")).status_code == 201
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


def test_a_number_under_which_something_stands_is_another_citizen_s(
    planned: World, plan: str
) -> None:
    """A replacement number and the CPR number were both registered before anyone knew."""
    held = [names.CPR, CPR_2]
    planned.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2))
    assert link(planned, RUS, CPR_1, CPR_2) == 404
    planned.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2, status="inactive"))
    planned.consent(consent_of("et-nej", (PSYK,), cpr=CPR_2, status="rejected"))
    assert link(planned, RUS, CPR_1, CPR_2) == 404, "a no is not lost"
    planned.consent(consent_of("et-nej", (PSYK,), cpr=CPR_2, status="inactive"))
    assert link(planned, PSYK, CPR_1, CPR_2) == 404, "who knows neither"
    with planned.hub.store.writing() as work:
        other = work.plans.citizen([Identifier(names.CPR, CPR_2)])
        assert other is not None
        work.retention.hold(Hold("", other, "En klagesag", "drift", planned.clock()))
        work.commit()
    assert link(planned, RUS, CPR_1, CPR_2) == 404, "under a legal hold"
    with planned.hub.store.writing() as work:
        work.retention.release(citizen_id=other)
        work.commit()
    assert link(planned, RUS, CPR_1, CPR_2) == 204
    found = post_search(planned, "CarePlan", {"patient.identifier": "|".join(held)}, PSYK).json()
    assert plan in {e["resource"]["id"] for e in found["entry"]}
    problem(planned.consent(consent_of("et-nej", (PSYK,), cpr=CPR_2, status="rejected")), 422)
    assert planned.consent(consent_of("nyt-nej", (PSYK,), cpr=CPR_2, status="rejected")).is_success
    assert planned.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


def test_a_number_with_a_document_is_another_citizen_s(planned: World) -> None:
    said = consent_of("andet-nummer", cpr=CPR_2)
    planned.consent(said)
    other = json.loads(PLAN_1.replace(CPR_1.encode(), CPR_2.encode()))
    other["entry"][0]["resource"]["identifier"] = [{"system": "urn:example:sag", "value": "K-9"}]
    wrong = planned.publish_plan(json.dumps(other).encode())
    planned.consent(consent_of("andet-nummer", cpr=CPR_2, status="inactive"))
    assert link(planned, RUS, CPR_1, CPR_2) == 404
    other["entry"][0]["resource"]["status"] = "entered-in-error"
    planned.clock.advance(minutes=1)
    planned.consent(said.replace(b"andet-nummer", b"for-at-rette"))
    planned.publish_plan(json.dumps(other).encode())
    planned.consent(consent_of("for-at-rette", cpr=CPR_2, status="inactive"))
    assert planned.get(f"/fhir/CarePlan/{wrong}", RUS).status_code == 404
    assert link(planned, RUS, CPR_1, CPR_2) == 204


def test_a_number_with_a_document_that_stands_alone_is_another_citizen_s(planned: World) -> None:
    body = (SAMPLES / "udskrivningsaftale/samples/koordinationsplan.xml").read_bytes()
    number = CPR_1.encode()
    assert number in body
    answer = planned.post(
        "/documents/udskrivningsaftale", PSYK, body.replace(number, CPR_2.encode())
    )
    assert answer.is_success, answer.text
    assert link(planned, RUS, CPR_1, CPR_2) == 404

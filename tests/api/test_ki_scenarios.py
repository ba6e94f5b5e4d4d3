"""The acceptance scenarios of the KI-plan on consent and approval that no other test plays.

Source: the domain study of the KI-plan, section 7, made from the KORA evaluation (2017), its
project description and its two filled plans. Elsewhere: 2, 3, 8 and 21 in test_consent_kinds, 4 in
test_scenario, 23 in test_citizens, 25 in test_koordinationsplan.
"""

from __future__ import annotations

import json
from typing import Any

from hub.fhir import names
from hub.services.lapse import follow_time
from tests.api.fhir.client import post_search
from tests.api.papers import approval_of, consent_of, plan_with_team
from tests.api.world import (
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
)


def texts(world: World, kind: str, who: str) -> str:
    return world.get(f"/fhir/{kind}", who).text


def test_5_scoped_consent(world: World) -> None:
    """Psychiatry may have all, the social office its own field; the other coordinator nothing."""
    units = (RUS, PSYK, SOCIAL, KOORD_OWN)
    world.consent(consent_of("noget", units, sections={SOCIAL: ("social",)}))
    world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    plan = world.publish_plan()
    world.work()
    bundle = json.loads(PLAN_1)
    labelled = [e["resource"] for e in bundle["entry"]
                if e["resource"]["resourceType"] == "Goal"]  # fmt: skip
    social = [g["description"]["text"] for g in labelled
              if [x.get("valueCode") for x in g.get("extension", ())
                  if x["url"] == names.SECTION] == ["social"]]  # fmt: skip
    others = [g["description"]["text"] for g in labelled if g["description"]["text"] not in social]
    assert social
    assert others
    assert all(t in texts(world, "Goal", PSYK) for t in [*social, *others])
    assert all(t in texts(world, "Goal", SOCIAL) for t in social)
    assert not any(t in texts(world, "Goal", SOCIAL) for t in others)
    for who in (KOORD_OTHER, GP):
        assert world.get(f"/fhir/CarePlan/{plan}", who).status_code == 404
        assert who not in world.states()
        assert world.tasks(who) == []


def test_6_and_7_the_gp_waits_for_the_written_plan_and_gets_it_once(
    planned: World, plan: str
) -> None:
    """An oral yes with a condition: no timeout releases it; when it is met, the copy goes once."""
    yes = approval_of(plan, holds=(GP,), id="g-1")
    assert planned.post("/fhir/Consent", RUS, yes).status_code == 201
    planned.clock.advance(days=120)
    follow_time(planned.hub)
    planned.work()
    assert planned.delivery(GP)["state"] == "blocked"
    assert planned.delivery(PSYK)["state"] in {"sent", "delivered"}
    met = approval_of(plan, holds=(GP,), met=planned.clock.now.isoformat(), id="g-1")
    assert planned.post("/fhir/Consent", RUS, met).status_code == 200
    planned.work()
    planned.work()
    assert planned.delivery(GP)["state"] == "sent"
    assert len(planned.letters(GP)) == 1


def test_9_the_citizen_stays_away_and_approves_later(world: World) -> None:
    """Consent yes, apologies sent, meeting held: those who took part have it, the GP waits."""
    world.consent()
    bundle = json.loads(PLAN_1)
    (meeting,) = [e["resource"] for e in bundle["entry"]
                  if e["resource"]["resourceType"] == "Appointment"]  # fmt: skip
    for one in meeting["participant"]:
        if any(c["code"] == "citizen" for t in one["type"] for c in t["coding"]):
            one["status"] = "declined"
            one["extension"] = [{"url": names.REASON, "valueString": "orkede det ikke"}]
    plan = world.publish_plan(json.dumps(bundle).encode())
    world.work()
    assert "approve" in [kind for kind, _ in world.tasks(RUS)]
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 200
    assert world.delivery(GP)["state"] == "blocked"
    world.clock.advance(days=9)
    assert world.approve(plan).status_code == 201
    world.work()
    assert world.delivery(GP)["state"] == "sent"


def test_24_the_ward_on_duty_finds_the_plan_in_one_look(planned: World, plan: str) -> None:
    """Active plan, lead and next meeting, with the basis logged; without consent, nothing."""
    form = {"patient.identifier": f"{names.CPR}|{CPR_1}", "status": "active",
            "category": f"{names.CATEGORY}|ki-plan"}  # fmt: skip
    found = post_search(planned, "CarePlan", form, PSYK).json()
    (entry,) = found["entry"]
    shown: dict[str, Any] = entry["resource"]
    assert shown["id"] == plan
    assert shown["author"]["reference"].startswith("PractitionerRole/")
    assert any(e["url"] == names.NEXT_MEETING for e in shown["extension"])
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    mine = [r for r in rows if r["actor"] == PSYK and r["action"] == "search"]
    assert mine
    assert all(r["basis"].startswith("consent/") for r in mine)
    planned.consent(consent_of("ikke-psyk", (PSYK,), status="rejected"))
    assert post_search(planned, "CarePlan", form, PSYK).json()["total"] == 0


def test_a_citizen_without_a_gp_has_a_plan_and_no_gp_copy(world: World) -> None:
    """Homeless citizens may have none (project description, section 9.3)."""
    world.consent()
    plan = world.publish_plan(plan_with_team({"999000000305": ()}))
    assert world.approve(plan).status_code == 201
    world.work()
    assert GP not in world.states()
    assert world.delivery(PSYK)["state"] in {"sent", "blocked"}

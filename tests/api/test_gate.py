"""What may not be sent is not fetched, read or hinted at either, at that very moment."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub.contract import Loss
from hub.fhir import names
from hub.model.reduction import permitted
from tests.api.papers import SOR, approval_of, consent_of, plan_with_team, sector_plan
from tests.api.world import (
    CPR_1,
    CPR_2,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    ORDER,
    PLAN_2,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
    changed_plan,
    problem,
    send,
)


def decide(world: World, body: bytes, who: str = RUS) -> None:
    answer = world.post("/fhir/Consent", who, body)
    assert answer.status_code in {200, 201}, answer.text
    world.clock.advance(minutes=1)


def reads(world: World, plan: str, who: str) -> str | None:
    """The version the party can read, or None."""
    answer = world.get(f"/fhir/CarePlan/{plan}", who)
    return answer.headers["ETag"] if answer.status_code == 200 else None


def with_plan(world: World) -> str:
    """Consent under an id, and the plan; nothing is delivered yet."""
    decide(world, consent_of("samtykke-1"))
    return world.publish_plan()


# Mailbox


def test_a_letter_made_before_the_consent_narrowed_is_not_handed_out(world: World) -> None:
    with_plan(world)
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    narrow = {KOORD_OWN: ("social",)}
    decide(world, consent_of("samtykke-1", sections=narrow))
    problem(world.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    world.work()
    (fresh,) = world.copies(KOORD_OWN)
    assert fresh != letter
    states = {d["delivery"]: d["state"] for d in world.deliveries()}
    assert (states[letter], states[fresh]) == ("cancelled", "sent")
    assert world.receipt(letter, KOORD_OWN).json()["state"] == "cancelled"


def test_a_consent_that_takes_nothing_from_a_receiver_leaves_its_letter(world: World) -> None:
    with_plan(world)
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    decide(world, consent_of("nej-til-psyk", (PSYK,), kind="deny"))
    world.work()
    assert world.letters(KOORD_OWN) == [letter]
    assert world.get(f"/mailbox/{letter}", KOORD_OWN).status_code == 200


def test_a_letter_is_not_handed_out_when_half_of_its_consent_has_lapsed(world: World) -> None:
    narrow = {KOORD_OWN: ("social",)}
    short = json.loads(consent_of("bredt"))
    short["provision"]["period"]["end"] = "2026-09-25"
    decide(world, json.dumps(short).encode())
    decide(world, consent_of("smalt", sections=narrow))
    world.publish_plan()
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    world.clock.advance(days=10)
    problem(world.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    assert world.letters(KOORD_OWN) == []


def test_a_cancelled_letter_is_not_handed_out(world: World) -> None:
    with_plan(world)
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    assert world.receipt(letter, KOORD_OWN, "transient").json()["state"] == "retry_at"
    decide(world, consent_of("samtykke-1", sections={KOORD_OWN: ("social",)}))
    world.clock.advance(hours=1)
    world.work()
    problem(world.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    assert letter not in world.letters(KOORD_OWN)
    assert len(world.copies(KOORD_OWN)) == 1


def test_the_gp_s_letter_is_taken_back_by_a_no_and_does_not_stop_the_next(
    planned: World, plan: str
) -> None:
    decide(planned, approval_of(plan))
    planned.work()
    (letter,) = planned.letters(GP)
    now = planned.clock().isoformat(timespec="seconds")
    decide(planned, approval_of(plan, decision="no", dateTime=now))
    assert planned.letters(GP) == []
    problem(planned.get(f"/mailbox/{letter}", GP), 404)
    planned.post("/documents/fhir", RUS, changed_plan(title="Planen efter et nyt møde"))
    decide(planned, approval_of(plan, 2))
    planned.work()
    (second,) = planned.letters(GP)
    assert planned.get(f"/mailbox/{second}", GP).status_code == 200
    assert planned.delivery(GP, version=2)["state"] == "sent"


def test_a_no_stops_what_would_be_sent_again(planned: World, plan: str) -> None:
    decide(planned, approval_of(plan))
    planned.work()
    (letter,) = planned.letters(GP)
    assert planned.receipt(letter, GP, "transient").json()["state"] == "retry_at"
    now = planned.clock().isoformat(timespec="seconds")
    decide(planned, approval_of(plan, decision="no", dateTime=now))
    planned.clock.advance(hours=1)
    planned.work()
    states = {d["delivery"]: d["state"] for d in planned.deliveries() if d["receiver"] == GP}
    assert states.pop(letter) == "cancelled"
    assert list(states.values()) == ["blocked"]
    assert planned.letters(GP) == []


def test_a_paused_party_fetches_nothing(planned: World) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    place = f"/operations/parties/{KOORD_OWN}"
    planned.request("POST", f"{place}/pause", OPERATOR, json={"reason": "Mistet adgangskode"})
    assert planned.letters(KOORD_OWN) == []
    problem(planned.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    planned.request("POST", f"{place}/resume", OPERATOR, json={"reason": "Ny adgangskode"})
    assert planned.letters(KOORD_OWN) == [letter]


def test_who_is_taken_out_of_the_team_fetches_nothing(world: World) -> None:
    with_plan(world)
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    world.post("/documents/fhir", RUS, plan_with_team({KOORD_OWN: ()}))
    problem(world.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    back = world.post("/documents/fhir", RUS, changed_plan(title="Tilbage i teamet"))
    assert back.status_code == 200
    world.work()
    assert len(world.letters(KOORD_OWN)) == 1
    assert world.letters(KOORD_OWN) != [letter]


def test_a_unit_that_becomes_a_mere_receiver_waits_for_approval(world: World) -> None:
    """Version 1 was due to it as one who takes part, and had not left."""
    decide(world, consent_of("samtykke-1"))
    send(world, "vum", ORDER)
    with_plan(world)
    assert world.delivery(SOCIAL)["state"] == "due"
    world.post("/documents/fhir", RUS, plan_with_team({SOR[SOCIAL]: ("receiver",)}))
    world.work()
    states = {d["version"]: d["state"] for d in world.deliveries() if d["receiver"] == SOCIAL}
    assert states == {1: "cancelled", 2: "blocked"}


# Reading


def test_a_no_holds_for_reading_too(world: World) -> None:
    plan = with_plan(world)
    assert reads(world, plan, PSYK) == 'W/"1"'
    decide(world, approval_of(plan, decision="no"))
    assert world.delivery(PSYK)["state"] == "blocked"
    assert reads(world, plan, PSYK) is None
    assert reads(world, plan, RUS) == 'W/"1"'


def test_the_other_coordinator_reads_what_was_forwarded_to_it(planned: World, plan: str) -> None:
    assert reads(planned, plan, KOORD_OTHER) is None
    search = planned.request(
        "POST",
        "/fhir/CarePlan/_search",
        KOORD_OTHER,
        content=f"patient.identifier={names.CPR}|{CPR_1}".encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert search.json()["total"] == 0
    planned.receipt(planned.letters(KOORD_OWN)[0], KOORD_OWN)
    planned.act(planned.delivery(KOORD_OTHER)["delivery"], "forward", KOORD_OWN)
    assert reads(planned, plan, KOORD_OTHER) == 'W/"1"'


def test_what_a_person_decided_not_to_send_is_not_read(planned: World, plan: str) -> None:
    waiting = planned.delivery(GP)["delivery"]
    planned.act(waiting, "not-sent", RUS, postscript="Borgeren er udskrevet efter eget ønske")
    decide(planned, approval_of(plan))
    assert reads(planned, plan, GP) is None
    assert planned.letters(GP) == []


def test_a_note_without_a_section_is_for_those_who_may_have_all(world: World) -> None:
    note = [{"text": "Talt om hash på mødet"}]
    care_plan = {"resourceType": "CarePlan", "id": "p", "note": note}
    kept, losses = permitted({"CarePlan/p": care_plan}, lambda _: False)
    assert "note" not in kept["CarePlan/p"]
    assert Loss("CarePlan/p/note", "dropped", losses[0].reason) in losses
    decide(world, consent_of("samtykke-1", sections={SOCIAL: ("social",)}))
    plan = world.publish_plan(changed_plan(note=note))
    assert "note" not in world.get(f"/fhir/CarePlan/{plan}", SOCIAL).json()
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).json()["note"] == note


def test_a_protected_address_stays_with_who_wrote_it(world: World) -> None:
    """PSYK gets FHIR here, as any receiver may."""
    with world.hub.store.writing() as work:
        registered = work.parties.get(PSYK)
        assert registered is not None
        (subscription,) = registered.subscriptions
        fhir = replace(registered, subscriptions=(replace(subscription, format="fhir"),))
        work.parties.save(fhir, world.clock())
        work.commit()
    decide(world, consent_of("samtykke-1"))
    bundle = json.loads(changed_plan())
    (citizen,) = [
        e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient"
    ]
    address, phone = citizen["address"][0], citizen["telecom"][0]["value"]
    confidential = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    citizen["meta"]["security"] = [{"system": confidential, "code": "R"}]
    world.publish_plan(json.dumps(bundle).encode())
    world.work()
    bodies = {}
    for who in (PSYK, RUS):
        (letter,) = world.letters(who)
        bodies[who] = world.get(f"/mailbox/{letter}", who).text
    line = address.get("text") or address["line"][0]
    assert line not in bodies[PSYK]
    assert phone not in bodies[PSYK]
    assert line in bodies[RUS]


# Tasks


def test_tasks_are_hidden_when_the_plan_is(planned: World) -> None:
    assert [k for k, _ in planned.tasks(KOORD_OWN)] == ["forward"]
    planned.clock.advance(days=400)
    assert planned.tasks(KOORD_OWN) == []


def test_a_coordinator_that_consent_does_not_cover_is_not_asked_to_forward(world: World) -> None:
    others = (PSYK, SOCIAL, RUS, KOORD_OTHER, GP)
    decide(world, consent_of("samtykke-1", others))
    world.publish_plan()
    assert world.tasks(KOORD_OWN) == []
    waiting = world.delivery(KOORD_OTHER)["delivery"]
    assert ("forward", waiting) in world.tasks(RUS)
    problem(world.act(waiting, "forward", KOORD_OWN), 404)


def test_a_withdrawal_moves_the_task_to_who_can_do_it(world: World) -> None:
    with_plan(world)
    waiting = world.delivery(KOORD_OTHER)["delivery"]
    assert ("forward", waiting) in world.tasks(KOORD_OWN)
    decide(world, consent_of("nej", (KOORD_OWN,), kind="deny"))
    assert world.tasks(KOORD_OWN) == []
    assert ("forward", waiting) in world.tasks(RUS)


def test_a_unit_learns_nothing_from_how_it_is_refused(planned: World) -> None:
    """A delivery of another's and one that there is not: the same words."""
    for act in ("hand-over", "forward", "not-sent"):
        there = planned.act(planned.delivery(GP)["delivery"], act, PSYK, postscript="x")
        not_there = planned.act("00000000-0000-4000-8000-000000000000", act, PSYK, postscript="x")
        assert there.content == not_there.content


# Who is told of the plan


def test_a_gp_is_not_told_of_a_plan_it_waits_for(planned: World, plan: str) -> None:
    texts = []
    for named in (plan, "00000000-0000-4000-8000-000000000000"):
        bundle = json.loads(PLAN_2.decode().replace(CPR_2, CPR_1).replace(SOR[PSYK], SOR[GP]))
        identifier = {"system": f"{names.BASE}/NamingSystem/plan", "value": named}
        bundle["entry"][0]["resource"]["identifier"] = [identifier]
        texts.append(planned.post("/documents/fhir", GP, json.dumps(bundle).encode()).content)
    assert texts[0] == texts[1]


def test_a_unit_outside_the_team_is_not_told_that_there_is_a_plan(world: World) -> None:
    """It is in the consent; the lead has not asked it to take part."""
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan(plan_with_team({SOR[PSYK]: ()}))
    answer = world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    assert answer.status_code == 202
    assert plan not in answer.text + str(answer.headers)
    parts = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    assert [p["kind"] for p in parts] == ["shared"]
    world.post("/documents/fhir", RUS, changed_plan(title="PSYK er med igen"))
    parts = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    assert {p["kind"] for p in parts} == {"shared", "behandlingsplan"}


def test_early_documents_of_units_outside_the_team_do_not_join(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    world.post("/documents/vum", SOCIAL, ORDER)
    plan = world.publish_plan(plan_with_team({SOR[PSYK]: ()}))
    parts = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    assert {p["owner"] for p in parts} == {RUS, SOCIAL}


# Where a document belongs


def test_nobody_writes_another_unit_s_sector_plan(planned: World, plan: str) -> None:
    """Every receiver of FHIR knows its id and the hub's address."""
    with planned.hub.store.reading() as work:
        (theirs,) = [p for p in work.plans.parts(plan) if p.owner == PSYK]
    stolen = sector_plan(SOCIAL, case="HAV-1", own=theirs.id, part_of=plan)
    answer = planned.post("/documents/fhir", SOCIAL, stolen)
    problem(answer, 422)
    with planned.hub.store.reading() as work:
        (still,) = [p for p in work.plans.parts(plan) if p.owner == PSYK]
    assert still == theirs


def test_a_document_that_names_a_plan_there_is_not_joins_no_other(
    planned: World, plan: str
) -> None:
    lost = sector_plan(SOCIAL, case="HAV-1", part_of="00000000-0000-4000-8000-000000000000")
    problem(planned.post("/documents/fhir", SOCIAL, lost), 422)
    assert planned.get(f"/operations/plans/{plan}", OPERATOR).json()["head"] == 1
    found = sector_plan(SOCIAL, case="HAV-1", part_of=plan)
    assert planned.post("/documents/fhir", SOCIAL, found).status_code == 200


@pytest.mark.parametrize("numbers", [(CPR_1, CPR_2), (CPR_2, CPR_1), (CPR_1, "0101809995")])
def test_a_document_with_two_numbers_makes_nobody_someone_else(
    planned: World, numbers: tuple[str, ...]
) -> None:
    decide(planned, consent_of("bos-samtykke", cpr=CPR_2))
    problem(
        planned.post("/documents/fhir", SOCIAL, sector_plan(SOCIAL, case="HAV-1", numbers=numbers)),
        422,
    )
    other = sector_plan(SOCIAL, case="HAV-2", numbers=("0101809995",))
    problem(planned.post("/documents/fhir", SOCIAL, other), 403)


@pytest.mark.parametrize("kind", ["CarePlan", "Consent", "Patient", "Goal", "CareTeam"])
@pytest.mark.parametrize("who", [KOORD_OTHER, GP])
def test_no_resource_tells_of_a_plan_that_has_not_been_sent(
    planned: World, who: str, kind: str
) -> None:
    assert planned.get(f"/fhir/{kind}", who).json()["total"] == 0


def test_after_a_no_the_version_before_it_is_still_there_to_read(world: World) -> None:
    plan = with_plan(world)
    world.post("/documents/fhir", RUS, changed_plan(title="Planen efter et nyt møde"))
    decide(world, approval_of(plan, 2, "no"))
    assert reads(world, plan, PSYK) == 'W/"1"'
    problem(world.get(f"/fhir/CarePlan/{plan}/_history/2", PSYK), 404)
    assert world.get(f"/fhir/CarePlan/{plan}/_history/1", PSYK).status_code == 200

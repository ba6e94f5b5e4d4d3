"""A koordinationsplan: kept without consent, read by its own parties, never part of a plan.

Source: psykiatriloven §§ 13 a-c; KORA project description, section 10.2; ki-plan scenario 25.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.fhir import names
from tests.api.fhir.client import post_search
from tests.api.fhir.writing import post, posted, put, read, responses, statuses, transaction
from tests.api.papers import consent_of, sector_plan
from tests.api.world import (
    CPR_1,
    OPERATOR,
    PARTIES,
    PSYK,
    RUS,
    SAMPLES,
    SOCIAL,
    TREATMENT,
    World,
    problem,
)

FORMAT = "udskrivningsaftale"
PLAN = (SAMPLES / FORMAT / "samples" / "koordinationsplan.xml").read_bytes()
AGREEMENT = (SAMPLES / FORMAT / "samples" / "typical.xml").read_bytes()
WORDS = (
    "Det opsøgende team",
    "koordinationsplan",
    "Depotmedicin",
    "Bostøtte hver mandag og torsdag",
)
"""Only in the coordination plan."""


MARKED = PLAN.replace(
    b"<SectionCode>social</SectionCode>",
    b"<CoordinationIndicator>true</CoordinationIndicator>\n      <SectionCode>social</SectionCode>",
)
"""Its owner lets the other parties see one offer."""
NAMED = {PSYK, SOCIAL, RUS}
"""The units that the sample names as its parties."""


def publish(world: World, body: bytes = PLAN, who: str = PSYK) -> Any:
    return world.post(f"/documents/{FORMAT}", who, body)


def care_plans(world: World, who: str) -> list[dict[str, Any]]:
    bundle = world.get("/fhir/CarePlan", who).json()
    return [e["resource"] for e in bundle.get("entry", ())]


def kinds(world: World, who: str) -> set[str]:
    return {c["code"] for p in care_plans(world, who) for x in p["category"] for c in x["coding"]}


def test_it_needs_no_consent_and_nothing_unmarked_is_read_by_others(world: World) -> None:
    answer = publish(world)
    assert answer.status_code == 200, answer.text
    (plan,) = care_plans(world, PSYK)
    assert "partOf" not in plan
    assert plan["period"] == {"start": "2026-09-21"}
    for who in set(PARTIES) - {PSYK}:
        assert care_plans(world, who) == []
        problem(world.get(f"/fhir/CarePlan/{plan['id']}", who), 404)
    again = publish(world)
    assert (again.status_code, len(care_plans(world, PSYK))) == (200, 1)


def test_its_own_parties_read_what_its_owner_marked_on_the_statute(world: World) -> None:
    publish(world, MARKED)
    (plan,) = care_plans(world, PSYK)
    for who in set(PARTIES) - NAMED:
        assert care_plans(world, who) == []
        problem(world.get(f"/fhir/CarePlan/{plan['id']}", who), 404)
        problem(world.get(f"/fhir/CarePlan/{plan['id']}/_history/1", who), 404)
    for who in NAMED - {PSYK}:
        (seen,) = care_plans(world, who)
        assert (seen["id"], "partOf" in seen) == (plan["id"], False)
        assert [a["detail"]["description"] for a in seen["activity"]] == [
            "Bostøtte hver mandag og torsdag."
        ]
        number = {"patient.identifier": f"{names.CPR}|{CPR_1}"}
        assert post_search(world, "CarePlan", number, who).json()["total"] == 1
    with world.hub.store.reading() as work:
        shown = work.journal.audit_of(f"CarePlan/{plan['id']}")
    assert (SOCIAL, "psykiatriloven-13c") in {(r["actor"], r["basis"]) for r in shown}


def test_who_is_a_party_no_more_reads_it_no_more(world: World) -> None:
    publish(world, MARKED)
    assert len(care_plans(world, SOCIAL)) == 1
    left = MARKED.replace(b"kp-2026-000064-2", b"kp-2026-000064-3").replace(
        b"<UnitSORIdentifier>999000000202</UnitSORIdentifier>", b""
    )
    assert publish(world, left).status_code == 200
    assert care_plans(world, SOCIAL) == []
    assert len(care_plans(world, RUS)) == 1


def test_it_never_joins_the_plan_whichever_comes_first(world: World) -> None:
    publish(world, MARKED)
    world.consent()
    plan = world.publish_plan()
    world.work()
    for who in PARTIES:
        assert "Depotmedicin" not in world.get(f"/fhir/CarePlan/{plan}/$everything", who).text
    later = MARKED.replace(b"kp-2026-000064-2", b"kp-2026-000064-3").replace(
        b"Samtaler i rusmiddelcentret hver uge", b"Samtaler hver anden uge"
    )
    assert publish(world, later).status_code == 200
    assert world.post("/documents/behandlingsplan", PSYK, TREATMENT).status_code == 200
    world.work()
    for who in set(PARTIES) - {PSYK}:
        seen = world.get(f"/fhir/CarePlan/{plan}/$everything", who)
        assert not [w for w in WORDS if w in seen.text]
        assert ("koordinationsplan" in kinds(world, who)) == (who in NAMED)
    mine = {p["category"][0]["coding"][0]["code"]: p for p in care_plans(world, PSYK)}
    assert mine["behandlingsplan"]["partOf"] == [{"reference": f"CarePlan/{plan}"}]
    assert "partOf" not in mine["koordinationsplan"]
    whole = world.get(f"/fhir/CarePlan/{plan}/$everything", PSYK)
    assert whole.status_code == 200
    assert not [w for w in WORDS if w in whole.text]
    assert "Det opsøgende team" in world.get("/fhir/CarePlan", PSYK).text


def test_nothing_is_sent_of_it(world: World) -> None:
    publish(world)
    world.consent()
    world.publish_plan()
    before = world.deliveries()
    publish(world, PLAN.replace(b"kp-2026-000064-2", b"kp-9").replace(b"hver uge den", b"den"))
    assert world.deliveries() == before
    world.work()
    for who in PARTIES:
        for letter in world.letters(who):
            assert b"opsoegende" not in world.get(f"/mailbox/{letter}", who).content


def test_it_does_not_stand_in_for_a_consent(world: World) -> None:
    """A refusal is not bypassed: without consent neither plan nor agreement is taken."""
    publish(world)
    problem(world.post("/documents/fhir", RUS, (SAMPLES.parent / "fhir_profiles" / "examples"
            / "plan-1.json").read_bytes()), 403)  # fmt: skip
    problem(publish(world, AGREEMENT), 403)
    problem(world.post("/documents/behandlingsplan", PSYK, TREATMENT), 403)


def test_a_consent_registered_later_is_the_same_citizen_s(world: World) -> None:
    publish(world)
    assert world.post("/fhir/Consent", RUS, consent_of("samtykke-1")).status_code == 201
    world.publish_plan()
    patients = {p["subject"]["reference"] for p in care_plans(world, PSYK)}
    assert len(patients) == 1


@pytest.mark.parametrize("who", [SOCIAL, RUS])
def test_only_a_psychiatric_unit_makes_one(world: World, who: str) -> None:
    if who == SOCIAL:
        body = sector_plan(SOCIAL, case="K-1", kind="koordinationsplan")
        answer = world.post("/documents/fhir", SOCIAL, body)
    else:
        answer = publish(world, PLAN, RUS)
    problem(answer, 403)
    assert care_plans(world, who) == []


def test_the_canonical_form_is_held_to_the_same(world: World) -> None:
    world.consent()
    plan = world.publish_plan()
    alone = sector_plan(PSYK, case="K-1", kind="koordinationsplan")
    assert world.post("/documents/fhir", PSYK, alone).status_code == 200
    assert "koordinationsplan" in kinds(world, PSYK)
    assert "koordinationsplan" not in kinds(world, RUS)
    joined = sector_plan(PSYK, case="K-2", kind="koordinationsplan", part_of=plan)
    found = problem(world.post("/documents/fhir", PSYK, joined), 422)
    assert "never part of a shared plan" in json.dumps(found)


def test_two_numbers_are_no_person_yet(world: World) -> None:
    body = sector_plan(PSYK, case="K-3", kind="koordinationsplan", numbers=(CPR_1, "0201601AB9"))
    bundle = json.loads(body)
    bundle["entry"][1]["resource"]["identifier"][1]["system"] = names.X_ECPR
    problem(world.post("/documents/fhir", PSYK, json.dumps(bundle).encode()), 403)
    assert care_plans(world, PSYK) == []


def test_the_operator_sees_that_it_came_and_not_what_it_says(world: World) -> None:
    answer = publish(world)
    item = world.inbox(answer)
    assert (item.state, item.plan_id) == ("applied", None)
    assert not [w for w in WORDS[::2] if w in world.get("/operations/losses", OPERATOR).text]


def test_an_agreement_is_part_of_the_plan_like_any_sector_plan(world: World) -> None:
    world.consent()
    plan = world.publish_plan()
    answer = publish(world, AGREEMENT)
    assert answer.status_code == 200, answer.text
    mine = [p for p in care_plans(world, RUS) if "partOf" in p]
    assert [p["category"][0]["coding"][0]["code"] for p in mine] == [FORMAT]
    assert mine[0]["partOf"] == [{"reference": f"CarePlan/{plan}"}]
    told = json.dumps(mine, ensure_ascii=False)
    assert "Bostøtte tre timer" in told
    assert "Medicinen hentes" not in told
    assert "udeblivelser" not in told


# Over REST


def entries(who: str, **changes: Any) -> list[dict[str, Any]]:
    body = json.loads(sector_plan(who, kind="koordinationsplan", **changes))
    return [posted(e["resource"], e["fullUrl"]) for e in body["entry"]]


def test_its_owner_changes_it_over_rest_and_it_stays_alone(world: World) -> None:
    publish(world)
    world.consent()
    plan = world.publish_plan()
    (mine,) = [p for p in care_plans(world, PSYK) if "koordinationsplan" in str(p["category"])]
    found, version = read(world, f"CarePlan/{mine['id']}", PSYK)
    changed = found | {"description": "Holdes ved lige i distriktet"}
    for who in set(PARTIES) - {PSYK}:
        problem(put(world, changed, version, who), 405)
    world.work()
    before = world.deliveries()
    assert put(world, changed, version, PSYK).status_code == 200
    world.work()
    now, _ = read(world, f"CarePlan/{mine['id']}", PSYK)
    assert (now["description"], "partOf" in now) == (changed["description"], False)
    for who in PARTIES:
        seen = world.get(f"/fhir/CarePlan/{plan}/$everything", who).text
        assert not [w for w in (*WORDS, changed["description"]) if w in seen]
    assert world.deliveries() == before


def test_over_rest_it_is_neither_joined_to_a_plan_nor_made_another_kind(world: World) -> None:
    publish(world)
    world.consent()
    plan = world.publish_plan()
    (mine,) = [p for p in care_plans(world, PSYK) if "koordinationsplan" in str(p["category"])]
    found, version = read(world, f"CarePlan/{mine['id']}", PSYK)
    joined = found | {"partOf": [{"reference": f"CarePlan/{plan}"}]}
    told = problem(put(world, joined, version, PSYK), 422)
    assert "never part of a shared plan" in json.dumps(told)
    other = found | {"category": [names.concept(names.SECTOR_KIND, "behandlingsplan")]}
    told = problem(put(world, other, version, PSYK), 422)
    assert "stays of its kind" in json.dumps(told)
    assert read(world, f"CarePlan/{mine['id']}", PSYK) == (found, version)


def test_it_is_made_over_rest_without_a_consent_by_a_psychiatric_unit_alone(world: World) -> None:
    problem(post(world, transaction(*entries(SOCIAL, case="K-7")), SOCIAL), 403)
    assert care_plans(world, SOCIAL) == []
    made = responses(post(world, transaction(*entries(PSYK, case="K-7")), PSYK))
    assert statuses(made)[0] == "201"
    world.consent()
    plan = world.publish_plan()
    assert (
        "En indsats i egen sektor" not in world.get(f"/fhir/CarePlan/{plan}/$everything", RUS).text
    )
    (own,) = [p for p in care_plans(world, PSYK) if "koordinationsplan" in str(p["category"])]
    assert "partOf" not in own

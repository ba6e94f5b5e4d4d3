"""POST of a transaction: a whole plan, several members at once, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.xml import from_xml, to_xml
from tests.api.fhir.client import audited, found, get, search
from tests.api.fhir.writing import (
    asked,
    changed_in,
    one_of,
    places,
    plan_entries,
    post,
    posted,
    put,
    read,
    responses,
    statuses,
    text_of,
    transaction,
    versions,
    without_meta,
)
from tests.api.papers import approval_of, consent_of, sector_plan
from tests.api.world import CPR_1, GP, KOORD_OWN, PSYK, RUS, SOCIAL, World, problem

GOAL_URL = "urn:uuid:0c1f3a6e-2b7d-4d0e-8a51-3d4c5b6a7f01"


def shared(world: World) -> tuple[dict[str, Any], str]:
    """The shared plan as its lead reads it."""
    return read(
        world, f"CarePlan/{one_of(world, f'CarePlan?category={names.CATEGORY}|ki-plan')['id']}"
    )


def new_goal(plan: dict[str, Any], text: str = "Et nyt mål") -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "meta": {"profile": [names.KI_GOAL]},
        "lifecycleStatus": "proposed",
        "description": {"text": text},
        "subject": plan["subject"],
    }


def with_goal(plan: dict[str, Any], reference: str = GOAL_URL) -> dict[str, Any]:
    rank = {"url": names.RANK, "valuePositiveInt": len(plan["goal"]) + 1}
    return plan | {"goal": [*plan["goal"], {"extension": [rank], "reference": reference}]}


def sector_entries(body: bytes, **patient: str) -> list[dict[str, Any]]:
    return [posted(e["resource"], e["fullUrl"]) for e in parse_json(body)["entry"]]


# A whole plan


def test_a_plan_is_created_with_everything(world: World) -> None:
    world.consent()
    entries = plan_entries()
    made = responses(post(world, transaction(*entries)))
    assert len(made) == len(entries)
    assert set(statuses(made)) == {"201"}
    for entry, sent in zip(made, entries, strict=True):
        resource = entry["resource"]
        kind = sent["resource"]["resourceType"]
        version = resource["meta"]["versionId"]
        # A Patient's are not counted: other leads may write one of the same citizen.
        assert (version == "1") == (kind != "Patient")
        place = f"/{kind}/{resource['id']}/_history/{version}"
        assert entry["response"]["location"].endswith(place)
        assert entry["response"]["etag"] == f'W/"{version}"'
        assert entry["response"]["lastModified"] == resource["meta"]["lastUpdated"]
        assert read(world, f"{kind}/{resource['id']}")[0] == resource
    plan = made[0]["resource"]
    assert plan["goal"][0]["reference"] in {
        f"Goal/{e['resource']['id']}" for e in made if e["resource"]["resourceType"] == "Goal"
    }
    world.work()
    assert world.delivery(KOORD_OWN)["state"] == "sent"


def test_the_plan_and_the_consent_that_permits_it_come_together(world: World) -> None:
    """The consent counts first, wherever it stands."""
    permits = parse_json(consent_of("samtykke-1"))
    made = responses(post(world, transaction(*plan_entries(), posted(permits))))
    assert set(statuses(made)) == {"201"}
    assert made[-1]["resource"]["resourceType"] == "Consent"


def test_without_a_consent_nothing_of_it_is_kept_but_sealed(world: World) -> None:
    answer = post(world, transaction(*plan_entries()))
    assert problem(answer, 403)[0]["code"] == "suppressed"
    assert world.kept()[0].state == "sealed"


def test_all_or_nothing(world: World) -> None:
    """The consent would be good alone; the plan breaks a rule."""
    permits = parse_json(consent_of("samtykke-1"))
    entries = plan_entries(intent="proposal")
    answer = post(world, transaction(posted(permits), *entries))
    problem(answer, 422)
    assert places(answer)[0] == "Bundle.entry[1].resource.intent"
    assert search(world, "Consent", RUS)["total"] == 0
    assert search(world, "CarePlan", RUS)["total"] == 0
    assert post(world, transaction(*plan_entries())).status_code == 403


def test_the_same_again_does_not_make_two_plans(world: World) -> None:
    """The case id is known: a plan that is there is changed by PUT."""
    world.consent()
    assert post(world, transaction(*plan_entries())).status_code == 200
    answer = post(world, transaction(*plan_entries()))
    assert "case id" in problem(answer, 409)[0]["details"]["text"]
    assert places(answer) == ["Bundle.entry[0].resource"]
    assert search(world, "CarePlan", RUS)["total"] == 1


def test_a_resend_gets_the_same_answer(world: World) -> None:
    world.consent()
    first = post(world, transaction(*plan_entries()), Message_Id="plan-1")
    again = post(world, transaction(*plan_entries()), Message_Id="plan-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["KI-Hub-Duplicate"] == "true"
    (item,) = [i for i in world.kept() if i.message_id == "plan-1"]
    assert world.get(f"/messages/{item.id}", RUS).content == first.content


def test_an_identifier_is_no_way_round_the_version(planned: World, plan: str) -> None:
    """A new CarePlan that names the hub's plan would change it without If-Match."""
    identifier = [{"system": f"{names.BASE}/NamingSystem/plan", "value": plan}]
    answer = post(planned, transaction(*plan_entries(identifier=identifier)))
    problem(answer, 422)
    assert versions(planned, f"CarePlan/{plan}") == ["1"]


def test_another_lead_s_plan_for_the_same_citizen_is_its_own(planned: World, plan: str) -> None:
    """The document's author is not the sender."""
    answer = post(planned, transaction(*plan_entries()), PSYK)
    assert answer.status_code == 403


# Several members of one part


def test_a_goal_is_added_with_the_plan_that_refers_to_it(planned: World) -> None:
    plan, version = shared(planned)
    answer = post(
        planned,
        transaction(posted(new_goal(plan), GOAL_URL), changed_in(with_goal(plan), version)),
    )
    goal, changed = responses(answer)
    assert statuses([goal, changed]) == ["201", "200"]
    assert goal["resource"]["description"]["text"] == "Et nyt mål"
    assert goal["fullUrl"] == f"{planned.hub.base_url}/Goal/{goal['resource']['id']}"
    assert changed["resource"]["goal"][-1]["reference"] == f"Goal/{goal['resource']['id']}"
    assert changed["response"]["etag"] == 'W/"2"'


def test_the_same_names_in_the_next_transaction_are_new_resources(planned: World) -> None:
    made = []
    for text in ("Et nyt mål", "Endnu et mål"):
        plan, version = shared(planned)
        answer = post(
            planned,
            transaction(
                posted(new_goal(plan, text), GOAL_URL), changed_in(with_goal(plan), version)
            ),
        )
        made.append(responses(answer)[0]["resource"])
    assert made[0]["id"] != made[1]["id"]
    assert read(planned, f"Goal/{made[0]['id']}")[0] == made[0]


def test_several_members_make_one_version(planned: World) -> None:
    plan, version = shared(planned)
    goals = [read(planned, g["reference"])[0] for g in plan["goal"]]
    entries = [
        changed_in(g | {"description": {"text": f"Nyt mål {n}"}}, "1") for n, g in enumerate(goals)
    ]
    made = responses(post(planned, transaction(*entries)))
    assert [e["response"]["etag"] for e in made] == ['W/"2"'] * len(goals)
    assert versions(planned, f"CarePlan/{plan['id']}") == ["2", version]


def test_one_stale_version_stops_all(planned: World) -> None:
    plan, _ = shared(planned)
    first, second = (read(planned, g["reference"])[0] for g in plan["goal"][:2])
    entries = [
        changed_in(first | {"description": {"text": "Nyt"}}, "1"),
        changed_in(second | {"description": {"text": "Nyt"}}, "7"),
    ]
    answer = post(planned, transaction(*entries))
    problem(answer, 412)
    assert places(answer) == ["Bundle.entry[1].request.ifMatch"]
    assert versions(planned, f"Goal/{first['id']}") == ["1"]
    problem(post(planned, transaction(entries[0], changed_in(second, None))), 428)


def test_what_nothing_refers_to_is_refused(planned: World) -> None:
    plan, version = shared(planned)
    loose = transaction(changed_in(plan, version), posted(new_goal(plan), GOAL_URL))
    answer = post(planned, loose)
    problem(answer, 422)
    assert places(answer) == ["Bundle.entry[1].resource"]
    problem(post(planned, transaction(posted(new_goal(plan), GOAL_URL))), 422)


def test_one_part_in_each_transaction(planned: World) -> None:
    plan, version = shared(planned)
    body = sector_plan(RUS, case="EGEN-1")
    answer = post(planned, transaction(changed_in(plan, version), *sector_entries(body)))
    problem(answer, 422)
    assert "One part" in text_of(answer)
    planned.post("/documents/fhir", RUS, body)
    own = one_of(planned, "CarePlan?identifier=EGEN-1")
    both = transaction(
        changed_in(shared(planned)[0], shared(planned)[1]),
        changed_in(own, own["meta"]["versionId"]),
    )
    answer = post(planned, both)
    assert "one part in each" in text_of(answer)
    problem(answer, 422)
    two = [*plan_entries(), *sector_entries(body)]
    problem(post(planned, transaction(*two)), 422)


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "HEAD", "purge"])
def test_other_methods_are_refused(planned: World, method: str) -> None:
    plan, version = shared(planned)
    entry = {"request": {"method": method, "url": f"CarePlan/{plan['id']}"}}
    answer = post(planned, transaction(changed_in(plan | {"title": "x"}, version), entry))
    problem(answer, 400)
    assert places(answer) == ["Bundle.entry[1].request"]
    assert shared(planned)[1] == version


def test_every_entry_that_cannot_be_is_told(planned: World) -> None:
    plan, _ = shared(planned)
    goal = new_goal(plan)
    entries = [
        {"resource": goal},
        {"resource": goal, "request": {"method": "POST", "url": "Robot"}},
        {"resource": goal, "request": {"method": "POST", "url": "Condition"}},
        {"resource": goal, "request": {"method": "PUT", "url": "Goal"}},
        {"resource": goal, "request": {"method": "PUT", "url": "Goal?status=active"}},
        {"resource": goal | {"id": "a"}, "request": {"method": "PUT", "url": "Goal/b"}},
        {"request": {"method": "POST", "url": "Goal"}},
        posted(goal, f"{planned.hub.base_url}/Goal/0c1f3a6e-2b7d-4d0e-8a51-3d4c5b6a7f01"),
        posted(goal, GOAL_URL),
        posted(goal, GOAL_URL),
        5,
        {"request": 7},
        posted(goal, ifMatch='W/"1"'),
        changed_in(goal | {"id": "b"}, "x y"),
        {"request": {"method": "GET", "url": "Goal/1"}, "resource": goal},
        {"request": {"method": "GET", "url": "Goal/1", "ifNoneMatch": 'W/"1"'}},
    ]
    answer = post(planned, transaction(*entries))
    problem(answer, 400)
    named = {p.split(".")[1] for p in places(answer)}
    assert named == {f"entry[{n}]" for n in range(16) if n != 8}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"resourceType":"Goal"}',
        b'{"resourceType":"Bundle","type":"collection"}',
        b'{"resourceType":"Bundle","type":"transaction","entry":{}}',
        b'{"resourceType":"Bundle","type":"transaction","total":"x"}',
    ],
)
def test_what_is_no_transaction_is_refused_and_kept(world: World, body: bytes) -> None:
    problem(world.request("POST", "/fhir", RUS, content=body), 400)
    (item,) = world.kept()
    assert item.state == "refused"


def test_too_many_entries(world: World) -> None:
    problem(post(world, transaction(*[asked("Goal/1")] * 1001)), 413)


def test_an_empty_transaction_does_nothing(world: World) -> None:
    bundle = found(post(world, {"resourceType": "Bundle", "type": "transaction"}))
    assert bundle == {"resourceType": "Bundle", "type": "transaction-response"}


def test_problems_are_told_in_the_caller_s_entries(planned: World) -> None:
    plan, version = shared(planned)
    wrong = new_goal(plan) | {"lifecycleStatus": "maybe"}
    answer = post(
        planned,
        transaction(asked("Goal"), posted(wrong, GOAL_URL), changed_in(with_goal(plan), version)),
    )
    assert answer.status_code in {400, 422}
    assert places(answer) == ["Bundle.entry[1].resource.lifecycleStatus"]
    consent = parse_json(consent_of("samtykke-9")) | {"category": []}
    answer = post(planned, transaction(asked("Goal"), posted(consent)))
    assert set(places(answer)) == {"Bundle.entry[1].resource.category"}


# Conditions


def test_a_conditional_create_in_a_transaction(planned: World) -> None:
    plan, version = shared(planned)
    there = read(planned, plan["goal"][0]["reference"])[0]
    moved = plan["goal"][:1] + plan["goal"][1:]
    again = posted(there, GOAL_URL, ifNoneExist=f"_id={there['id']}")
    changed = plan | {"goal": [moved[0] | {"reference": GOAL_URL}, *moved[1:]], "title": "Ny"}
    first, second = responses(post(planned, transaction(again, changed_in(changed, version))))
    assert first["response"]["status"] == "200"
    assert first["resource"]["id"] == there["id"]
    assert second["resource"]["goal"][0]["reference"] == f"Goal/{there['id']}"


def test_a_conditional_reference_to_the_citizen(planned: World) -> None:
    """A sector plan for a citizen that the sender knows of; the number stands in the body."""
    plan, organization = (
        e for e in sector_entries(sector_plan(RUS, case="EGEN-1"))
        if e["resource"]["resourceType"] != "Patient"
    )  # fmt: skip
    subject = {"reference": f"Patient?identifier={names.CPR}|{CPR_1}"}
    plan["resource"] |= {"subject": subject}
    made = responses(post(planned, transaction(plan, organization)))
    assert statuses(made) == ["201", "201"]
    patient = one_of(planned, "Patient")
    assert made[0]["resource"]["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert len(versions(planned, f"Patient/{patient['id']}")) == 1


@pytest.mark.parametrize("who", [GP, SOCIAL])
def test_a_conditional_reference_finds_only_what_the_caller_may_know(
    world: World, who: str
) -> None:
    world.consent()
    plan, organization = (
        e for e in sector_entries(sector_plan(who, case="EGEN-1"))
        if e["resource"]["resourceType"] != "Patient"
    )  # fmt: skip
    plan["resource"]["subject"] = {"reference": f"Patient?identifier={names.CPR}|{CPR_1}"}
    answer = post(world, transaction(plan, organization), who)
    problem(answer, 412)
    assert CPR_1 not in answer.text
    assert places(answer) == ["Bundle.entry[0].resource.subject.reference"]


def test_a_new_plan_tells_its_citizen_itself(planned: World) -> None:
    """What another plan says of the citizen refers into that plan."""
    entries = plan_entries(identifier=[{"system": "https://rus-havneby.example", "value": "NY-2"}])
    before = one_of(planned, "Patient")
    (patient,) = [e for e in entries if e["resource"]["resourceType"] == "Patient"]
    patient["request"]["ifNoneExist"] = f"identifier={names.CPR}|{CPR_1}"
    patient["resource"] = {
        "resourceType": "Patient", "identifier": patient["resource"]["identifier"],
    }  # fmt: skip
    answer = post(planned, transaction(*entries))
    problem(answer, 422)
    assert "send the Patient" in text_of(answer)
    del patient["request"]["ifNoneExist"]
    patient["resource"] = without_meta(before) | {"birthDate": "1960-01-02"}
    patient["resource"].pop("generalPractitioner")
    planned.clock.advance(minutes=1)
    made = responses(post(planned, transaction(*entries)))
    assert made[entries.index(patient)]["response"]["status"] == "200"
    assert one_of(planned, "Patient")["birthDate"] == "1960-01-02"


# Sector plans


def test_a_sector_plan_is_created_and_joins_the_plan(planned: World, plan: str) -> None:
    made = responses(
        post(planned, transaction(*sector_entries(sector_plan(SOCIAL, case="S-1"))), SOCIAL)
    )
    kinds = [e.get("resource", {}).get("resourceType") for e in made]
    assert kinds == ["CarePlan", None, "Organization"]
    assert statuses(made) == ["201", "200", "201"]
    assert made[0]["resource"]["partOf"] == [{"reference": f"CarePlan/{plan}"}]
    assert shared(planned)[1] == "2"


def test_a_sector_plan_without_a_plan_waits(world: World) -> None:
    world.consent()
    made = responses(
        post(world, transaction(*sector_entries(sector_plan(SOCIAL, case="S-1"))), SOCIAL)
    )
    assert statuses(made) == ["201", "200", "201"]
    assert world.kept()[0].state == "unattached"
    own = made[0]["resource"]
    assert read(world, f"CarePlan/{own['id']}", SOCIAL)[0] == own
    problem(get(world, f"CarePlan/{own['id']}", PSYK), 404)
    plan = world.publish_plan()
    joined, _ = read(world, f"CarePlan/{own['id']}", SOCIAL)
    assert joined["partOf"] == [{"reference": f"CarePlan/{plan}"}]


# Decisions


def test_an_approval_and_a_change(planned: World, plan: str) -> None:
    approves = parse_json(approval_of(plan))
    shown, version = shared(planned)
    made = responses(
        post(planned, transaction(posted(approves), changed_in(shown | {"title": "Ny"}, version)))
    )
    assert statuses(made) == ["201", "200"]


def test_a_consent_does_not_lead_into_the_transaction(world: World) -> None:
    consent = parse_json(consent_of("samtykke-1")) | {"patient": {"reference": GOAL_URL}}
    answer = post(world, transaction(posted(consent)))
    problem(answer, 422)
    assert "by CPR number" in text_of(answer)


# Reads


def test_reads_are_answered_after_the_writes(planned: World) -> None:
    plan, version = shared(planned)
    made = responses(
        post(
            planned,
            transaction(
                asked(f"CarePlan/{plan['id']}"),
                changed_in(plan | {"title": "Ny titel"}, version),
                asked(f"CarePlan/{plan['id']}/_history/1"),
                asked("Goal?_count=2"),
                asked("Goal/0c1f3a6e-2b7d-4d0e-8a51-3d4c5b6a7f01"),
                asked("Goal?_sort=title"),
            ),
        )
    )
    assert statuses(made) == ["200", "200", "200", "200", "404", "400"]
    assert made[0]["resource"]["title"] == "Ny titel"
    assert made[0]["response"]["etag"] == 'W/"2"'
    assert made[2]["resource"]["title"] == plan["title"]
    assert made[3]["resource"]["type"] == "searchset"
    assert len(made[3]["resource"]["entry"]) == 2
    assert made[4]["response"]["outcome"]["issue"][0]["code"] == "not-found"


# The answer's form


@pytest.mark.parametrize("preference", ["minimal", "OperationOutcome"])
def test_prefer_holds_for_every_entry(planned: World, preference: str) -> None:
    plan, version = shared(planned)
    before = len(audited(planned, "vread"))
    answer = post(
        planned,
        transaction(changed_in(plan | {"title": "Ny"}, version)),
        Prefer=f"return={preference}",
    )
    (entry,) = responses(answer)
    assert "resource" not in entry
    assert ("outcome" in entry["response"]) == (preference == "OperationOutcome")
    assert len(audited(planned, "vread")) == before


def test_xml(planned: World) -> None:
    plan, version = shared(planned)
    xml = "application/fhir+xml"
    answer = planned.request(
        "POST", "/fhir", RUS,
        content=to_xml(transaction(changed_in(plan | {"title": "Ny"}, version))),
        headers={"Content-Type": xml, "Accept": xml},
    )  # fmt: skip
    assert answer.status_code == 200
    (entry,) = from_xml(answer.content)["entry"]
    assert without_meta(entry["resource"]) == without_meta(plan | {"title": "Ny"})


def test_a_large_transaction_goes_through_the_door(planned: World) -> None:
    """The base address takes documents, not small forms."""
    plan, version = shared(planned)
    text = "langt " * 20_000
    body = dump_json(transaction(changed_in(plan | {"description": text}, version)))
    assert len(body) > 100_000
    assert planned.request("POST", "/fhir", RUS, content=body).status_code == 200
    assert put(planned, plan, "1").status_code == 412

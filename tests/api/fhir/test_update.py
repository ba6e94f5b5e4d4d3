"""PUT: who may, on which version, what it makes, and what is told when it may not be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.fhir import names
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml, to_xml
from tests.api.fhir.client import audited, found, get, search
from tests.api.fhir.writing import (
    one_of,
    places,
    put,
    read,
    text_of,
    versions,
    without_meta,
)
from tests.api.papers import consent_of, sector_plan
from tests.api.world import (
    CONSENT_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    PSYK,
    RUS,
    SOCIAL,
    World,
    problem,
)

MOVED = "Et mål, som er skrevet om"


def goal(world: World) -> dict[str, Any]:
    """The shared part's first."""
    plan = one_of(world, f"CarePlan?category={names.CATEGORY}|ki-plan")
    return read(world, plan["goal"][0]["reference"])[0]


def rewritten(resource: dict[str, Any], text: str = MOVED) -> dict[str, Any]:
    return resource | {"description": {"text": text}}


def test_a_goal_is_changed(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=1)
    before = goal(planned)
    answer = put(planned, rewritten(before), "1")
    made = found(answer)
    assert without_meta(made) == without_meta(rewritten(before))
    assert answer.headers["ETag"] == 'W/"2"'
    assert answer.headers["Last-Modified"] == "Sun, 20 Sep 2026 10:01:00 GMT"
    assert "Location" not in answer.headers
    assert answer.headers["Content-Location"].endswith(f"/fhir/Goal/{before['id']}/_history/2")
    assert found(get(planned, f"Goal/{before['id']}", RUS)) == made
    assert read(planned, f"CarePlan/{plan}")[1] == "2"
    assert versions(planned, f"Goal/{before['id']}") == ["2", "1"]


def test_a_change_is_routed_and_audited_as_any_other(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=1)
    put(planned, rewritten(goal(planned)), "1")
    planned.work()
    assert planned.delivery(PSYK, version=2)["state"] in {"sent", "due"}
    assert (RUS, f"CarePlan/{plan}/_history/2") in audited(planned, "update")
    assert any(o.startswith("inbox/") for _, o in audited(planned, "receive"))


def test_the_same_content_is_no_new_version(planned: World, plan: str) -> None:
    before = goal(planned)
    answer = put(planned, before, "1")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"1"')
    assert found(answer) == before
    assert read(planned, f"CarePlan/{plan}")[1] == "1"


def test_what_the_hub_keeps_in_its_own_form_is_no_new_version_either(planned: World) -> None:
    before = goal(planned)
    base = planned.hub.base_url
    subject = {"reference": f"{base}/{before['subject']['reference']}"}
    narrative = {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Målet</div>',
    }
    stamped = {"versionId": "77", "lastUpdated": "2020-01-01T00:00:00Z"} | {
        "profile": before["meta"]["profile"]
    }
    answer = put(planned, before | {"subject": subject, "text": narrative, "meta": stamped}, "1")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"1"')
    assert found(answer) == before


def test_without_a_version_it_is_refused(planned: World) -> None:
    answer = put(planned, rewritten(goal(planned)))
    problem(answer, 428)
    assert places(answer) == ["If-Match"]
    assert goal(planned)["meta"]["versionId"] == "1"


@pytest.mark.parametrize("match", ["0", "2", "x"])
def test_on_another_version_it_is_refused(planned: World, match: str) -> None:
    problem(put(planned, rewritten(goal(planned)), match), 412)


@pytest.mark.parametrize("header", ["1", "*", 'W/"1", W/"2"', "W/1"])
def test_if_match_names_one_version(planned: World, header: str) -> None:
    problem(put(planned, rewritten(goal(planned)), If_Match=header), 400)


def test_the_plan_has_the_plan_s_version(planned: World, plan: str) -> None:
    """A change of one goal makes what was read of the CarePlan old."""
    before, version = read(planned, f"CarePlan/{plan}")
    put(planned, rewritten(goal(planned)), "1")
    problem(put(planned, before | {"title": "En anden titel"}, version), 412)
    answer = put(planned, before | {"title": "En anden titel"}, "2")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"3"')
    assert found(answer)["title"] == "En anden titel"


def test_a_version_that_is_not_in_the_newest_plan_is_stale(planned: World, plan: str) -> None:
    """The goal is taken out of the plan: its own version is still its newest."""
    before, version = read(planned, f"CarePlan/{plan}")
    left = goal(planned)
    name = f"Goal/{left['id']}"
    kept = [g for g in before["goal"] if g["reference"] != name]
    activities = [
        a | {"detail": {k: v for k, v in a["detail"].items() if k != "goal"}}
        for a in before["activity"]
    ]
    answer = put(planned, before | {"goal": kept, "activity": activities}, version)
    assert answer.status_code == 200, answer.text
    problem(put(planned, rewritten(left), "1"), 405)
    assert get(planned, name, RUS).status_code == 404
    assert get(planned, f"{name}/_history/1", RUS).status_code == 200


def test_a_base_version_must_still_have_the_shared_content(planned: World) -> None:
    """Both may be said; the one in the resource is about all that was read."""
    plan = one_of(planned, f"CarePlan?category={names.CATEGORY}|ki-plan")
    first, second = (read(planned, g["reference"])[0] for g in plan["goal"][:2])
    based = {"url": names.BASE_VERSION, "valueInteger": 1}
    put(planned, rewritten(first), "1")
    stale = rewritten(second) | {"extension": [*second.get("extension", ()), based]}
    problem(put(planned, stale, "1"), 409)
    fresh = rewritten(second) | {
        "extension": [*second.get("extension", ()), based | {"valueInteger": 2}]
    }
    made = found(put(planned, fresh, "1"))
    assert made.get("extension") == second.get("extension")


@pytest.mark.parametrize("who", [PSYK, SOCIAL, KOORD_OWN])
def test_who_may_read_and_does_not_own_is_told_whose_move_it_is(planned: World, who: str) -> None:
    answer = put(planned, rewritten(goal(planned)), "1", who)
    problem(answer, 403)
    assert "send the lead your proposal" in text_of(answer)
    assert goal(planned)["meta"]["versionId"] == "1"


@pytest.mark.parametrize("who", [GP, KOORD_OTHER])
def test_who_may_not_read_is_answered_as_if_it_were_not_there(planned: World, who: str) -> None:
    there = put(planned, rewritten(goal(planned)), "1", who)
    nobody_s = goal(planned) | {"id": "0b0f7f5e-5f1c-4a52-9d35-1a1b5a3c9f10"}
    not_there = put(planned, rewritten(nobody_s), "1", who)
    assert problem(there, 405) == problem(not_there, 405)
    assert there.headers["Allow"] == "GET, HEAD"


def test_a_client_gives_no_ids(planned: World) -> None:
    answer = put(planned, rewritten(goal(planned) | {"id": "mit-eget"}), "1")
    assert "only the hub gives ids" in problem(answer, 405)[0]["details"]["text"]


def test_the_body_belongs_at_the_address(planned: World) -> None:
    before = goal(planned)
    own = f"Goal/{before['id']}"
    answer = put(planned, before | {"id": "en-anden"}, "1", at=own)
    problem(answer, 400)
    assert places(answer) == ["Goal.id"]
    problem(put(planned, {k: v for k, v in before.items() if k != "id"}, "1", at=own), 400)
    problem(put(planned, before, "1", at=f"Condition/{before['id']}"), 400)


def test_types_that_are_not_served(planned: World) -> None:
    problem(put(planned, {"resourceType": "Robot", "id": "x"}, "1"), 404)


def test_every_issue_is_told_in_the_caller_s_own_resource(planned: World) -> None:
    before = goal(planned)
    target = [{"dueDate": "i morgen", "whatever": 1}]
    answer = put(planned, before | {"lifecycleStatus": "maybe", "target": target}, "1")
    issues = problem(answer, 400)
    assert len(issues) >= 3
    assert set(places(answer)) >= {
        "Goal.lifecycleStatus",
        "Goal.target[0].due",
        "Goal.target[0].whatever",
    }
    assert "i morgen" not in answer.text


def test_a_rule_of_the_plan_holds_here_too(planned: World, plan: str) -> None:
    before, version = read(planned, f"CarePlan/{plan}")
    answer = put(planned, before | {"careTeam": []}, version)
    assert answer.status_code in {400, 422}
    answer = put(planned, before | {"careTeam": before["careTeam"] * 2}, version)
    problem(answer, 422)
    assert places(answer)[0] == "CarePlan.careTeam"
    section = {"url": names.SECTION, "valueCode": "gardening"}
    answer = put(planned, goal(planned) | {"extension": [section]}, "1")
    problem(answer, 422)
    assert places(answer) == ["Goal.extension[0].value"]


def test_a_reference_into_nowhere_is_refused(planned: World) -> None:
    strange = {"reference": "Patient/9a4e5ff1-0000-4000-8000-000000000000"}
    answer = put(planned, goal(planned) | {"subject": strange}, "1")
    problem(answer, 422)
    assert set(places(answer)) == {"Goal.subject.reference"}


def test_the_citizen_stays_who_it_is(planned: World) -> None:
    patient = one_of(planned, "Patient")
    moved = patient | {"telecom": [{"system": "phone", "value": "telefon?"}]}
    changed = found(put(planned, moved, patient["meta"]["versionId"]))
    assert changed["telecom"] == moved["telecom"]
    now = changed["meta"]["versionId"]
    other = [{"system": names.CPR, "value": "1507729995"}]
    answer = put(planned, patient | {"identifier": other}, now)
    assert answer.status_code in {403, 422}
    assert "1507729995" not in answer.text
    problem(put(planned, moved, now, PSYK), 403)


def test_put_is_not_taken_for_a_resend(planned: World) -> None:
    """HTTP: the same request again is on a version that is gone."""
    changed = rewritten(goal(planned))
    assert put(planned, changed, "1").status_code == 200
    problem(put(planned, changed, "1"), 412)


def test_with_a_message_id_it_is(planned: World) -> None:
    changed = rewritten(goal(planned))
    first = put(planned, changed, "1", Message_Id="put-1")
    again = put(planned, changed, "1", Message_Id="put-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["KI-Hub-Duplicate"] == "true"
    assert again.headers["ETag"] == 'W/"2"'
    problem(put(planned, rewritten(changed, "Noget tredje"), "1", Message_Id="put-1"), 409)
    problem(put(planned, changed, "2", Message_Id="put-1"), 409)
    assert goal(planned)["meta"]["versionId"] == "2"


def test_a_refusal_is_kept_with_its_bytes(planned: World) -> None:
    put(planned, rewritten(goal(planned)), "9")
    (newest,) = [i for i in planned.kept() if i.state == "refused"]
    assert newest.status == 412
    with planned.hub.store.reading() as work:
        kept = work.inbox.find(RUS, newest.message_id)
    assert kept is not None
    assert MOVED in json.loads(kept.body or b"")["description"]["text"]
    assert kept.request == {
        "method": "PUT", "url": f"Goal/{goal(planned)['id']}", "ifMatch": 'W/"9"',
    }  # fmt: skip
    place = f"/messages/{newest.id}"
    problem(planned.get(place, RUS), 412)
    problem(planned.get(place, PSYK), 404)


@pytest.mark.parametrize(
    ("preference", "kind"),
    [("minimal", None), ("representation", "Goal"), ("OperationOutcome", "OperationOutcome")],
)
def test_prefer_says_what_comes_back(planned: World, preference: str, kind: str | None) -> None:
    answer = put(planned, rewritten(goal(planned)), "1", Prefer=f"return={preference}")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    if kind is None:
        assert answer.content == b""
    else:
        assert found(answer)["resourceType"] == kind


def test_a_representation_is_a_disclosure(planned: World, plan: str) -> None:
    before = len(audited(planned, "vread"))
    put(planned, rewritten(goal(planned)), "1", Prefer="return=minimal")
    assert len(audited(planned, "vread")) == before
    put(planned, rewritten(goal(planned), "Igen et andet"), "2")
    assert audited(planned, "vread")[before:] == [(RUS, f"CarePlan/{plan}/_history/3")]


def test_xml_in_and_out(planned: World) -> None:
    before = goal(planned)
    url = f"/fhir/Goal/{before['id']}"
    headers = {
        "Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml",
        "If-Match": 'W/"1"',
    }  # fmt: skip
    body = to_xml(rewritten(before))
    answer = planned.request("PUT", url, RUS, content=body, headers=headers)
    assert answer.headers["content-type"].startswith("application/fhir+xml")
    assert from_xml(answer.content) == parse_json(planned.get(url, RUS).content)
    broken = planned.request("PUT", url, RUS, content=b"<Goal", headers=headers)
    assert broken.status_code == 400
    assert from_xml(broken.content)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("declared", ["text/plain", "application/pdf", "application/fhir+turtle"])
def test_other_media_types_are_refused(planned: World, declared: str) -> None:
    problem(put(planned, goal(planned), "1", Content_Type=declared), 415)


def test_an_answer_that_cannot_be_written_is_refused_before_anything_is_done(
    planned: World,
) -> None:
    kept = len(planned.kept())
    problem(put(planned, rewritten(goal(planned)), "1", Accept="text/html"), 406)
    assert len(planned.kept()) == kept


# Sector plans


def handleplan(world: World) -> dict[str, Any]:
    body = sector_plan(SOCIAL, case="SAG-9")
    assert world.post("/documents/fhir", SOCIAL, body).status_code == 200
    entries = search(world, "CarePlan", SOCIAL)["entry"]
    plans = [e["resource"] for e in entries]
    (own,) = [p for p in plans if p.get("identifier", [{}])[0].get("value") == "SAG-9"]
    return own


def test_an_owner_changes_its_sector_plan(planned: World, plan: str) -> None:
    own = handleplan(planned)
    assert own["partOf"] == [{"reference": f"CarePlan/{plan}"}]
    answer = put(planned, own | {"description": "En ny beskrivelse"}, "1", SOCIAL)
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    made = found(answer)
    assert made["description"] == "En ny beskrivelse"
    assert made["partOf"] == own["partOf"]
    assert read(planned, f"CarePlan/{plan}")[1] == "3"


@pytest.mark.parametrize("who", [RUS, PSYK])
def test_nobody_else_does(planned: World, who: str) -> None:
    own = handleplan(planned)
    answer = put(planned, own | {"description": "En ny beskrivelse"}, "1", who)
    assert "Only its owner" in problem(answer, 403)[0]["details"]["text"]


def test_a_sector_plan_stays_of_its_kind(planned: World) -> None:
    own = handleplan(planned)
    other = [names.concept(names.SECTOR_KIND, "vum")]
    answer = put(planned, own | {"category": other}, "1", SOCIAL)
    problem(answer, 422)
    assert places(answer) == ["CarePlan.category"]


def test_a_sector_plan_without_a_plan_is_changed_too(world: World) -> None:
    world.consent()
    assert (
        world.post("/documents/fhir", SOCIAL, sector_plan(SOCIAL, case="SAG-9")).status_code == 202
    )
    own = one_of(world, "CarePlan", SOCIAL)
    answer = put(world, own | {"description": "En ny beskrivelse"}, "1", SOCIAL)
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert versions(world, f"CarePlan/{own['id']}", SOCIAL) == ["2", "1"]
    problem(put(world, own, "1", PSYK), 405)


def test_a_plan_written_over_rest_is_not_re_issued_as_if_it_were_a_document(
    planned: World, plan: str
) -> None:
    """The municipality's own last order stays what its copies start from."""
    (own,) = [
        e["resource"]
        for e in search(planned, f"CarePlan?part-of=CarePlan/{plan}", SOCIAL)["entry"]
        if "vum" in json.dumps(e["resource"]["category"])
    ]
    for letter in planned.letters(SOCIAL):
        planned.receipt(letter, SOCIAL)
    planned.clock.advance(minutes=1)
    answer = put(planned, own | {"title": "Omskrevet"}, own["meta"]["versionId"], SOCIAL)
    assert answer.status_code == 200, answer.text
    put(planned, rewritten(goal(planned)), "1")
    planned.work()
    newest = max(
        (d for d in planned.deliveries() if d["receiver"] == SOCIAL), key=lambda d: d["version"]
    )
    assert (newest["format"], newest["state"]) == ("vum", "sent")


# Consents


def test_a_consent_is_withdrawn_by_put(world: World) -> None:
    world.post("/fhir/Consent", RUS, consent_of("samtykke-1"))
    plan = world.publish_plan()
    (consent,) = [e["resource"] for e in search(world, "Consent", RUS)["entry"]]
    world.clock.advance(minutes=1)
    answer = put(world, consent | {"status": "inactive"}, "1")
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert get(world, f"CarePlan/{plan}", PSYK).status_code == 404
    problem(put(world, consent | {"status": "inactive"}, "1"), 412)
    world.clock.advance(minutes=1)
    assert put(world, consent, "2").status_code == 200
    assert get(world, f"CarePlan/{plan}", PSYK).status_code == 200
    assert versions(world, f"Consent/{consent['id']}") == ["3", "2", "1"]


def test_a_consent_s_words_can_be_put_back(world: World) -> None:
    """They permit the same; they are still a version."""
    world.post("/fhir/Consent", RUS, consent_of("samtykke-1"))
    (consent,) = [e["resource"] for e in search(world, "Consent", RUS)["entry"]]
    said = {"url": names.extension("evidence"), "valueString": "Underskrevet på papir"}
    others = [e for e in consent["extension"] if e["url"] != said["url"]]
    told = consent | {"extension": [*others, said]}
    assert put(world, told, "1").headers["ETag"] == 'W/"2"'
    assert put(world, consent, "2").headers["ETag"] == 'W/"3"'
    assert put(world, consent, "3").headers["ETag"] == 'W/"3"'


def test_a_consent_is_changed_by_who_registered_it(planned: World) -> None:
    (consent,) = [e["resource"] for e in search(planned, "Consent", KOORD_OWN)["entry"]]
    problem(put(planned, consent | {"status": "inactive"}, "1", KOORD_OWN), 403)
    problem(put(planned, consent | {"status": "inactive"}, "1", GP), 405)


def test_a_consent_does_not_become_an_approval(planned: World, plan: str) -> None:
    from tests.api.papers import approval_of  # noqa: PLC0415

    (consent,) = [e["resource"] for e in search(planned, "Consent", RUS)["entry"]]
    other = parse_json(approval_of(plan, id=consent["id"]))
    problem(put(planned, other, "1"), 422)


def test_a_problem_in_a_consent_is_told_in_its_place(planned: World) -> None:
    (consent,) = [e["resource"] for e in search(planned, "Consent", RUS)["entry"]]
    answer = put(planned, consent | {"category": []}, "1")
    assert answer.status_code in {400, 422}
    assert set(places(answer)) == {"Consent.category"}


@pytest.mark.parametrize("who", [RUS, PSYK, GP])
def test_a_frozen_plan_is_not_changed_by_put(planned: World, plan: str, who: str) -> None:
    """No consent covers it any more: nothing of it is there to be written on, for anybody."""
    before, whole = goal(planned), read(planned, f"CarePlan/{plan}")[0]
    planned.clock.advance(minutes=1)
    withdrawn = json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()
    assert planned.consent(withdrawn).status_code == 200
    guess = put(planned, rewritten(before) | {"id": "en-der-ikke-er-her"}, "1", who=who)
    for resource in (rewritten(before), whole | {"title": "En anden titel"}):
        answer = put(planned, resource, "1", who=who)
        assert answer.status_code == guess.status_code, answer.text
        assert answer.status_code >= 400
    row = planned.get(f"/operations/plans/{plan}", OPERATOR).json()
    assert (row["frozen"], row["head"]) == (True, 1)

"""read and vread: headers, conditions, versions, HEAD, parts of resources."""

from __future__ import annotations

import json

import pytest

from tests.api.fhir.client import audited, changed, found, get, keys, publish, search
from tests.api.papers import consent_of
from tests.api.world import (
    APPROVAL_1,
    CONSENT_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    PARTIES,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
    approval,
    problem,
)


def test_a_read_says_version_time_and_place(full: World, plan: str) -> None:
    answer = get(full, f"CarePlan/{plan}", RUS)
    resource = found(answer)
    assert answer.headers["ETag"] == 'W/"3"'
    assert answer.headers["Last-Modified"] == "Sun, 20 Sep 2026 10:03:00 GMT"
    assert answer.headers["Content-Location"].endswith(f"/fhir/CarePlan/{plan}/_history/3")
    assert resource["meta"]["versionId"] == "3"
    assert resource["meta"]["lastUpdated"] == "2026-09-20T10:03:00+00:00"
    assert "KiPlan" in resource["meta"]["profile"][0]
    assert (resource["id"], resource["title"]) == (plan, "Planen efter det næste møde")


def test_every_version_of_a_plan_can_be_read(full: World, plan: str) -> None:
    titles = []
    for number in (1, 2, 3):
        answer = get(full, f"CarePlan/{plan}/_history/{number}", RUS)
        titles.append(found(answer)["title"])
        assert answer.headers["ETag"] == f'W/"{number}"'
    assert titles == [
        "Koordinerende indsatsplan", "Planen efter mødet", "Planen efter det næste møde",
    ]  # fmt: skip
    for number in ("0", "4", "01", "x", "%00", "3" * 65):
        problem(get(full, f"CarePlan/{plan}/_history/{number}", RUS), 404)


def test_other_resources_have_versions_of_their_own(full: World, plan: str) -> None:
    goal = search(full, f"Goal?_has:CarePlan:goal:_id={plan}", RUS)["entry"][0]["resource"]
    answer = get(full, f"Goal/{goal['id']}", RUS)
    assert answer.headers["ETag"] == 'W/"1"'
    assert found(get(full, f"Goal/{goal['id']}/_history/1", RUS)) == found(answer)
    problem(get(full, f"Goal/{goal['id']}/_history/2", RUS), 404)


def test_everything_that_is_found_can_be_read_as_it_was_found(shared_full: World) -> None:
    for who in (RUS, PSYK, GP):
        for kind in ("CarePlan", "CareTeam", "Observation", "Consent"):
            for entry in search(shared_full, kind, who).get("entry", ()):
                resource = entry["resource"]
                place = f"{kind}/{resource['id']}"
                assert found(get(shared_full, place, who)) == resource
                version = f"{place}/_history/{resource['meta']['versionId']}"
                assert found(get(shared_full, version, who)) == resource


def test_head_is_get_without_a_body(full: World, plan: str) -> None:
    for url in (f"CarePlan/{plan}", f"CarePlan/{plan}/_history/1", "CarePlan", "metadata"):
        with_body = get(full, url, RUS)
        without = full.request("HEAD", f"/fhir/{url}", RUS)
        assert without.status_code == with_body.status_code == 200
        assert without.content == b""
        assert dict(without.headers) == dict(with_body.headers)
    gone = full.request("HEAD", "/fhir/CarePlan/none", RUS)
    assert (gone.status_code, gone.content) == (404, b"")


# Conditional read


def test_an_unchanged_plan_is_not_sent_again(full: World, plan: str) -> None:
    first = get(full, f"CarePlan/{plan}", RUS)
    for headers in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_None_Match": '"3"'},
        {"If_None_Match": 'W/"1", W/"3"'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": first.headers["Last-Modified"]},
        {"If_Modified_Since": "Wed, 30 Sep 2026 10:03:00 GMT"},
    ):
        again = get(full, f"CarePlan/{plan}", RUS, **headers)
        assert (again.status_code, again.content) == (304, b""), headers
        assert again.headers["ETag"] == first.headers["ETag"]
    for headers in (
        {"If_None_Match": 'W/"2"'},
        {"If_None_Match": 'W/"2"', "If_Modified_Since": first.headers["Last-Modified"]},
        {"If_Modified_Since": "Sun, 20 Sep 2026 10:02:59 GMT"},
        {"If_Modified_Since": "last week"},
    ):
        assert get(full, f"CarePlan/{plan}", RUS, **headers).status_code == 200, headers


def test_a_copy_from_before_a_consent_changed_is_sent_again(full: World, plan: str) -> None:
    """The version is the same, what one may see of it is not."""
    first = get(full, f"CarePlan/{plan}", PSYK)
    full.clock.advance(minutes=5)
    deny = json.loads(CONSENT_1)["provision"]["provision"][0]["actor"]
    rule = {"type": "deny", "actor": deny, "securityLabel": [
        {"system": "https://ki-hub.example/fhir/CodeSystem/ki-section", "code": "substance-use"}
    ]}  # fmt: skip
    body = json.loads(CONSENT_1) | {"id": "samtykke-nyt"}
    body["provision"]["provision"].append(rule)
    assert full.post("/fhir/Consent", RUS, json.dumps(body).encode()).status_code == 201
    for headers in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        again = get(full, f"CarePlan/{plan}", PSYK, **headers)
        assert again.status_code == 200
        assert again.headers["ETag"] == first.headers["ETag"]
        assert len(again.json()["activity"]) < len(first.json()["activity"])


def test_what_the_citizen_says_to_another_unit_does_not_show(full: World, plan: str) -> None:
    first = get(full, f"CarePlan/{plan}", PSYK)
    full.clock.advance(minutes=5)
    refusal = consent_of("nej-til-en-anden", (SOCIAL,), kind="deny", status="rejected")
    assert full.post("/fhir/Consent", RUS, refusal).status_code == 201
    assert get(full, f"CarePlan/{plan}", SOCIAL).status_code == 404
    for headers in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
    ):
        assert get(full, f"CarePlan/{plan}", PSYK, **headers).status_code == 304, headers


def test_a_consent_that_ends_changes_nothing_twice(full: World, plan: str) -> None:
    full.clock.advance(days=400)
    for who in PARTIES:
        problem(get(full, f"CarePlan/{plan}", who, If_None_Match='W/"3"'), 404)


# Who may read what


def test_who_joins_later_reads_from_then_on(full: World, plan: str) -> None:
    """The first two versions were made without the unit in the team."""
    everyone = json.loads(changed_team_without(SOCIAL))
    full.clock.advance(minutes=1)
    assert full.post("/documents/fhir", RUS, json.dumps(everyone).encode()).status_code == 200
    problem(get(full, f"CarePlan/{plan}", SOCIAL), 404)
    publish(full, RUS, title="Med alle igen")
    assert get(full, f"CarePlan/{plan}", SOCIAL).headers["ETag"] == 'W/"5"'
    problem(get(full, f"CarePlan/{plan}/_history/4", SOCIAL), 404)
    assert get(full, f"CarePlan/{plan}/_history/3", SOCIAL).status_code == 200
    assert get(full, f"CarePlan/{plan}/_history/4", PSYK).status_code == 200


def changed_team_without(party: str) -> bytes:
    from tests.api.world import PLAN_1  # noqa: PLC0415 - the one test that edits the team

    assert party == SOCIAL
    return PLAN_1.replace(b"999000000202", b"999000000299")


def test_an_unattached_sector_plan_is_its_owner_s_alone(world: World) -> None:
    world.consent()
    world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    (key,) = keys(search(world, "CarePlan", PSYK))
    answer = get(world, key, PSYK)
    assert answer.headers["ETag"] == 'W/"1"'
    assert "partOf" not in found(answer)
    for who in set(PARTIES) - {PSYK}:
        problem(get(world, key, who), 404)
        assert search(world, "CarePlan", who)["total"] == 0
        assert search(world, "Goal", who)["total"] == 0


def test_a_sector_plan_s_owner_keeps_its_earlier_versions(world: World) -> None:
    world.consent()
    world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    (key,) = keys(search(world, "CarePlan", PSYK))
    world.clock.advance(minutes=1)
    later = TREATMENT.replace(b"bp-2026-000117-3", b"bp-2026-000117-4").replace(
        "Gøres op ved".encode(), "Drøftes ved".encode()
    )
    assert world.post("/documents/behandlingsplan", PSYK, later).status_code == 202
    before = [found(get(world, f"{key}/_history/{n}", PSYK)) for n in (1, 2)]
    assert before[0]["activity"] != before[1]["activity"]

    plan = world.publish_plan()
    now = found(get(world, key, PSYK))
    assert now["meta"]["versionId"] == "2"
    assert now["partOf"] == [{"reference": f"CarePlan/{plan}"}]
    assert found(get(world, f"{key}/_history/1", PSYK)) == before[0]
    problem(get(world, f"{key}/_history/1", RUS), 404)
    assert found(get(world, f"{key}/_history/2", RUS))["partOf"] == now["partOf"]


def test_consents_are_for_who_registered_them_and_who_leads_or_coordinates(
    full: World, plan: str
) -> None:
    everything = {who: set(keys(search(full, "Consent", who))) for who in PARTIES}
    assert len(everything[RUS]) == 2
    assert everything[KOORD_OWN] == everything[RUS]
    assert everything[SOCIAL] == everything[GP] == set()
    # Psychiatry takes part in the first plan and leads the other citizen's.
    assert len(everything[PSYK]) == 1
    assert not everything[PSYK] & everything[RUS]
    # It coordinates both, and nobody has forwarded the first to it yet.
    assert everything[KOORD_OTHER] == everything[PSYK]
    for key in everything[RUS]:
        problem(get(full, key, SOCIAL), 404)


def test_a_decision_that_is_changed_has_versions(full: World, plan: str) -> None:
    body = changed(CONSENT_1, id="samtykke-1")
    assert full.post("/fhir/Consent", RUS, body).status_code == 201
    before = set(keys(search(full, "Consent?status=active", RUS)))
    full.clock.advance(minutes=1)
    gone = changed(CONSENT_1, id="samtykke-1", status="inactive")
    assert full.post("/fhir/Consent", RUS, gone).status_code == 200
    (key,) = before - set(keys(search(full, "Consent?status=active", RUS)))
    assert [found(get(full, f"{key}/_history/{n}", RUS))["status"] for n in (1, 2)] == [
        "active", "inactive",
    ]  # fmt: skip
    assert get(full, key, RUS).headers["ETag"] == 'W/"2"'


def test_an_approval_points_at_its_plan(full: World, plan: str) -> None:
    assert json.loads(APPROVAL_1)["resourceType"] == "Consent"
    full.clock.advance(minutes=1)
    assert full.post("/fhir/Consent", RUS, approval(plan, 3)).status_code == 201
    hits = search(full, f"Consent?data=CarePlan/{plan}", RUS)
    assert hits["total"] == 2


# Audit


def test_every_read_is_audited_before_it_is_answered(full: World, plan: str) -> None:
    get(full, f"CarePlan/{plan}", SOCIAL)
    assert audited(full, "read")[-1:] == [(SOCIAL, f"CarePlan/{plan}/_history/3")]
    get(full, f"CarePlan/{plan}/_history/2", SOCIAL)
    get(full, "CarePlan/none", SOCIAL)
    assert audited(full, "read")[-1:] == [(SOCIAL, "GET /fhir/CarePlan/{resource_id}")], "denied"
    assert audited(full, "vread")[-1:] == [(SOCIAL, f"CarePlan/{plan}/_history/2")]
    before = len(audited(full, "read"))
    problem(get(full, f"CarePlan/{plan}", "laege-havnegade", Accept="text/html"), 406)
    assert len(audited(full, "read")) == before


# Parts of resources


def test_elements_and_summary_of_a_read(full: World, plan: str) -> None:
    whole = found(get(full, f"CarePlan/{plan}", RUS))
    part = found(get(full, f"CarePlan/{plan}?_elements=title", RUS))
    assert set(part) == {"resourceType", "id", "meta", "status", "intent", "subject", "title"}
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "profile" in whole["meta"]
    assert "profile" not in part["meta"], "what is cut keeps no promise of a profile"
    summary = found(get(full, f"CarePlan/{plan}?_summary=true", RUS))
    assert "activity" not in summary
    assert summary["category"] == whole["category"]
    problem(get(full, f"CarePlan/{plan}?_summary=maybe", RUS), 400)


@pytest.mark.parametrize("kind", ["Medication", "careplan", "Bundle", "DomainResource", "_x"])
def test_a_type_that_is_not_served(full: World, kind: str) -> None:
    for url in (f"{kind}/x", kind, f"{kind}/_history", f"{kind}/x/_history/1"):
        problem(get(full, url, RUS), 404)

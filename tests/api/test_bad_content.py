"""Documents that can be read and are wrong, belong nowhere, or have no legal basis."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hub.fhir import names
from hub.services.worker import maintain
from tests.api.world import (
    CONSENT_1,
    CONSENT_2,
    CPR_1,
    GOOD,
    KOORD_OWN,
    OPERATOR,
    OPERATOR_VIEW,
    ORDER,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    START,
    World,
    changed_plan,
    coded,
    has_a_place,
    is_kept_for_the_operator,
    outcome_of,
    problem,
    send,
)

# Understood, and wrong


@pytest.mark.parametrize("format", [*GOOD])
def test_an_unknown_code(world: World, format: str) -> None:
    world.consent()
    body = coded(format)
    assert body != GOOD[format]
    answer = send(world, format, body)
    issues = problem(answer, 422)
    assert has_a_place(issues)
    assert not any(c in answer.text for c in ("brevveksling", "gardening", "ukendt-kode-1"))
    is_kept_for_the_operator(world, answer, body)
    assert world.deliveries() == []


@pytest.mark.parametrize(
    "number", ["9999999999", "020160999", "020160-9996", "Karla", "3102609996"]
)
@pytest.mark.parametrize("format", [*GOOD])
def test_a_cpr_number_that_is_none(world: World, format: str, number: str) -> None:
    world.consent()
    answer = send(world, format, GOOD[format].replace(CPR_1.encode(), number.encode()))
    assert answer.status_code in {400, 422}
    assert has_a_place(problem(answer, answer.status_code))
    assert number not in answer.text
    assert world.deliveries() == []


def test_a_consent_of_nobody(world: World) -> None:
    for number in ("9999999999", "", "Karla"):
        body = CONSENT_1.replace(CPR_1.encode(), number.encode())
        answer = world.post("/fhir/Consent", RUS, body)
        assert answer.status_code in {400, 422}
        problem(answer, answer.status_code)


def test_an_unknown_receiver_in_the_care_team_is_warned_about(world: World) -> None:
    world.consent()
    body = PLAN_1.replace(b"999000000202", b"999000000299")
    answer = world.post("/documents/fhir", RUS, body)
    assert answer.status_code == 200
    warned = [i for i in outcome_of(answer)["issue"] if i["code"] == "not-found"]
    assert len(warned) == 3
    assert all(i["severity"] == "warning" for i in warned)
    team = next(
        f"Bundle.entry[{n}].resource.participant["
        for n, entry in enumerate(json.loads(body)["entry"])
        if entry["resource"]["resourceType"] == "CareTeam"
    )
    assert all(i["expression"][0].startswith(team) for i in warned)
    assert SOCIAL not in {d["receiver"] for d in world.deliveries()}
    assert KOORD_OWN in {d["receiver"] for d in world.deliveries()}


@pytest.mark.parametrize(
    ("format", "who"), [("fhir", PSYK), ("behandlingsplan", SOCIAL), ("vum", PSYK)]
)
def test_a_document_that_names_another_sender_than_its_channel(
    world: World, format: str, who: str
) -> None:
    world.consent()
    answer = world.post(f"/documents/{format}", who, GOOD[format])
    (issue,) = problem(answer, 403)
    assert issue["code"] == "security"
    is_kept_for_the_operator(world, answer, GOOD[format])
    assert world.deliveries() == []


def test_an_unknown_format(world: World) -> None:
    answer = world.post("/documents/telefax", RUS, PLAN_1)
    (issue,) = problem(answer, 415)
    assert issue["code"] == "not-supported"
    assert "behandlingsplan" in issue["details"]["text"]
    assert world.kept() == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceType":"Bundle"}',
        b'{"resourceType":"Bundle","entry":[7]}',
        b'{"resourceType":"Bundle","entry":[{"resource":[]}]}',
        b'{"entry":[{"resource":{"resourceType":"MessageHeader","eventCoding":"x"}}]}',
        b'{"entry":[{"resource":{"resourceType":"MessageHeader","eventCoding":{"code":"x"}}}]}',
    ],
)
def test_a_message_without_an_event_anybody_knows(world: World, body: bytes) -> None:
    answer = world.post("/fhir/$process-message", RUS, body)
    assert answer.status_code in {400, 415}
    problem(answer, answer.status_code)


@pytest.mark.parametrize("case", ["x" * 256, "sag\u0000nul", "x" * 100_000])
def test_a_case_id_that_cannot_be_kept(world: World, case: str) -> None:
    world.consent()
    identifier = [{"system": "https://rus-havneby.example/sag", "value": case}]
    answer = world.post("/documents/fhir", RUS, changed_plan(identifier=identifier))
    assert answer.status_code in {400, 422}
    problem(answer, answer.status_code)


def test_a_section_label_names_its_place(world: World) -> None:
    world.consent()
    issues = problem(send(world, "fhir", coded("fhir")), 422)
    place = issues[0]["expression"][0]
    assert place.startswith("Bundle.entry[")
    assert names.SECTION_CODE.rpartition("/")[2] not in place


# Where it belongs


def test_a_document_for_a_citizen_with_two_open_plans(world: World) -> None:
    world.consent()
    world.publish_plan()
    second = PLAN_1.decode().replace("RUS-2026-0001", "RUS-2026-0002")
    assert world.post("/documents/fhir", RUS, second.encode()).status_code == 200
    answer = send(world, "vum", ORDER)
    assert answer.status_code == 202
    issue, _ = outcome_of(answer)["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "multiple-matches")
    assert world.inbox(answer).state == "unattached"
    # The two plans wait for the same document.
    assert {k for k, _ in world.tasks(SOCIAL)} == {"attach", "own-document"}
    for plan in {d["plan"] for d in world.deliveries()}:
        assert kinds_in(world, plan) == ["shared"]
    world.clock.advance(minutes=1)
    plan = world.publish_plan(changed_plan(title="Anden"))
    assert kinds_in(world, plan) == ["shared"], "a new version of one of them is no reason"


def kinds_in(world: World, plan: str) -> list[str]:
    parts = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    return [p["kind"] for p in parts]


# Without legal basis


@pytest.mark.parametrize("format", [*GOOD])
def test_without_consent_it_is_sealed_and_its_sender_told(world: World, format: str) -> None:
    answer = send(world, format, GOOD[format])
    (issue,) = problem(answer, 403)
    assert issue["code"] == "suppressed"
    assert "consent" in issue["details"]["text"]
    seen = world.inbox(answer, OPERATOR_VIEW)
    assert (seen.state, seen.body) == ("sealed", None)
    assert world.inbox(answer).body == GOOD[format]
    with world.hub.store.reading() as work:
        assert work.plans.citizen([]) is None
        assert work.losses.of() == []


def test_sealed_bytes_are_deleted_after_the_set_days(world: World) -> None:
    answer = send(world, "vum", ORDER)
    world.clock.now = START + timedelta(days=world.hub.limits.seal_days)
    assert maintain(world.hub) == 0
    world.clock.advance(seconds=1)
    assert maintain(world.hub) == 1
    item = world.inbox(answer)
    assert (item.state, item.body) == ("sealed", None)
    assert send(world, "vum", ORDER).content == answer.content


@pytest.mark.parametrize("days", [0, 31])
@pytest.mark.parametrize("message_id", [None, "besked-1"])
def test_what_was_sealed_is_taken_when_it_comes_again_with_consent(
    world: World, days: int, message_id: str | None
) -> None:
    """The refusal says so: register the consent, and send the document again."""
    refused = world.post("/documents/fhir", RUS, PLAN_1, message_id=message_id)
    world.clock.advance(days=days, seconds=1)
    maintain(world.hub)
    world.consent()
    answer = world.post("/documents/fhir", RUS, PLAN_1, message_id=message_id)
    assert (refused.status_code, answer.status_code) == (403, 200)
    assert len(world.deliveries()) == 7
    other = world.post("/documents/fhir", RUS, PLAN_1, message_id=message_id)
    assert other.content == answer.content


def test_another_citizen_s_consent_is_none(world: World) -> None:
    world.post("/fhir/Consent", PSYK, CONSENT_2)
    problem(send(world, "fhir", PLAN_1), 403)

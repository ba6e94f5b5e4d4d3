"""POST to a type: Consents, conditional creates, and what does not stand alone."""

from __future__ import annotations

import pytest

from hub.fhir import names
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml, to_xml
from tests.api.fhir.client import found, get, search
from tests.api.fhir.writing import create, one_of, places, read, text_of, versions, without_meta
from tests.api.papers import approval_of, consent_of
from tests.api.world import CONSENT_1, CPR_1, PSYK, RUS, World, problem

OWN = "https://rus-havneby.example/samtykke"


def consent(name: str = "samtykke-1", **changes: object) -> dict[str, object]:
    return parse_json(consent_of(name)) | changes


def test_a_consent_is_created(world: World) -> None:
    answer = create(world, consent())
    made = found(answer, 201)
    place = f"{world.hub.base_url}/Consent/{made['id']}/_history/1"
    assert answer.headers["Location"] == place
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Last-Modified"] == "Sun, 20 Sep 2026 10:00:00 GMT"
    assert without_meta(made) == without_meta(consent() | {"id": made["id"]})
    assert read(world, f"Consent/{made['id']}")[0] == made


def test_an_approval_is_created_and_opens_the_gate(planned: World, plan: str) -> None:
    answer = create(planned, parse_json(approval_of(plan)))
    made = found(answer, 201)
    assert "/Consent/" in answer.headers["Location"]
    assert get(planned, f"Consent/{made['id']}", RUS).status_code == 200
    assert planned.states()["laege-havnegade"] == "due"


def test_the_same_decision_again_creates_nothing(world: World) -> None:
    first = create(world, consent())
    again = create(world, consent())
    assert (again.status_code, again.content) == (200, first.content)
    assert "Location" not in again.headers
    assert search(world, "Consent", RUS)["total"] == 1
    changed = create(world, consent(status="inactive"))
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')


def test_a_resend_with_its_message_id_gets_the_same_answer(world: World) -> None:
    first = create(world, consent(), Message_Id="m-1")
    again = create(world, consent(), Message_Id="m-1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["KI-Hub-Duplicate"] == "true"


@pytest.mark.parametrize("preference", ["minimal", "OperationOutcome"])
def test_prefer_says_what_comes_back(world: World, preference: str) -> None:
    answer = create(world, consent(), Prefer=f"return={preference}")
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith("/_history/1")
    if preference == "minimal":
        assert answer.content == b""
    else:
        assert found(answer, 201)["issue"][0]["severity"] == "information"


def test_xml(world: World) -> None:
    xml = "application/fhir+xml"
    answer = world.request(
        "POST", "/fhir/Consent", RUS, content=to_xml(parse_json(CONSENT_1)),
        headers={"Content-Type": xml, "Accept": xml},
    )  # fmt: skip
    assert answer.status_code == 201
    made = from_xml(answer.content)
    assert made == read(world, f"Consent/{made['id']}")[0]


def test_the_body_is_of_the_type_in_the_address(world: World) -> None:
    answer = world.request("POST", "/fhir/Consent", RUS, content=b'{"resourceType":"Goal"}')
    problem(answer, 400)
    answer = world.request("POST", "/fhir/Consent", RUS, content=b"[]")
    problem(answer, 400)
    problem(create(world, {"resourceType": "Robot"}), 404)


def test_a_problem_is_told_in_its_place(world: World) -> None:
    answer = create(world, consent(category=[names.concept(names.CONSENT_PURPOSE, "alt")]))
    problem(answer, 422)
    code = "Consent.category[0].coding[0].code"
    assert set(places(answer)) == {"Consent.category[0]", code}


# If-None-Exist


def named(value: str, status: str = "active") -> dict[str, object]:
    identifier = [{"system": OWN, "value": value}]
    return {k: v for k, v in consent(identifier=identifier, status=status).items() if k != "id"}


def test_nothing_matches_and_it_is_created(world: World) -> None:
    answer = create(world, named("S-1"), If_None_Exist=f"identifier={OWN}|S-1")
    assert answer.status_code == 201


@pytest.mark.parametrize("mark", ["", "?", "Consent?"])
def test_one_matches_and_it_is_given(world: World, mark: str) -> None:
    first = create(world, named("S-1"))
    condition = f"{mark}identifier={OWN}|S-1"
    again = create(world, named("S-1", "inactive"), If_None_Exist=condition)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == 'W/"1"'
    assert versions(world, f"Consent/{again.json()['id']}") == ["1"]


def test_several_match(world: World) -> None:
    create(world, named("S-1"))
    create(world, named("S-2"))
    answer = create(world, named("S-3"), If_None_Exist=f"identifier={OWN}|")
    assert problem(answer, 412)[0]["code"] == "multiple-matches"
    assert search(world, "Consent", RUS)["total"] == 2


def test_only_what_the_caller_may_read_matches(world: World) -> None:
    create(world, named("S-1"))
    condition = f"identifier={OWN}|S-1"
    assert create(world, named("S-1"), PSYK, If_None_Exist=condition).status_code == 201


@pytest.mark.parametrize(
    "condition", ["", "colour=red", "status", "_count=1", "date=i%20morgen", "?"]
)
def test_a_condition_that_is_no_search(world: World, condition: str) -> None:
    answer = create(world, named("S-1"), If_None_Exist=condition)
    problem(answer, 400)
    assert places(answer) == ["If-None-Exist"]


@pytest.mark.parametrize(
    "condition",
    [
        f"identifier={CPR_1}",
        f"patient.identifier={names.CPR}|{CPR_1}",
        f"patient.identifier={names.CPR}%7C{CPR_1}",
        f"identifier={names.CPR}|x",
        f"identifier=|{CPR_1}",
    ],
)
def test_a_citizen_s_number_does_not_stand_in_a_header(world: World, condition: str) -> None:
    kept = len(world.kept())
    answer = create(world, named("S-1"), If_None_Exist=condition)
    problem(answer, 422)
    assert CPR_1 not in answer.text
    assert len(world.kept()) == kept


def test_an_identifier_of_something_else_may_be_ten_digits(world: World) -> None:
    made = create(world, named("4500000101"), If_None_Exist=f"identifier={OWN}|4500000101")
    assert made.status_code == 201


# What does not stand alone


@pytest.mark.parametrize("kind", ["Goal", "Condition", "Observation", "Patient", "CareTeam"])
def test_what_is_part_of_a_plan_comes_with_its_plan(planned: World, kind: str) -> None:
    resource = one_of(planned, kind)
    answer = create(planned, resource)
    problem(answer, 422)
    assert "transaction" in text_of(answer)
    assert places(answer) == [kind]


def test_a_plan_comes_with_its_citizen_and_team(planned: World, plan: str) -> None:
    resource, _ = read(planned, f"CarePlan/{plan}")
    answer = create(planned, resource)
    problem(answer, 422)
    assert "team" in text_of(answer)


def test_a_conditional_create_of_a_member_finds_the_one_there_is(planned: World, plan: str) -> None:
    resource, _ = read(planned, f"CarePlan/{plan}")
    identifier = resource["identifier"][0]
    condition = f"identifier={identifier['system']}|{identifier['value']}"
    answer = create(planned, resource, If_None_Exist=condition)
    assert found(answer) == resource

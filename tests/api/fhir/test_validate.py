"""$validate: what R4 says of it, nothing stored, and the same judgement as on receipt."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hub.fhir import names
from hub.fhir.xml import from_xml, to_xml
from tests.api.fhir.client import found, get, keys, search
from tests.api.world import GP, PLAN_1, PSYK, RUS, World
from tests.views import EXAMPLES, errors_in

Json = dict[str, Any]
PLAN: Json = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}
XML = "application/fhir+xml"


def ask(
    world: World, address: str, resource: Json | bytes, who: str | None = RUS, **headers: str
) -> httpx.Response:
    body = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.request("POST", f"/fhir/{address}", who, content=body, headers=named)


def told(answer: httpx.Response) -> list[Json]:
    outcome = found(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    issues: list[Json] = outcome["issue"]
    return issues


def wrong(answer: httpx.Response) -> set[tuple[str, str]]:
    return {
        (i["code"], i.get("expression", [""])[0])
        for i in told(answer)
        if i["severity"] in {"error", "fatal"}
    }


def parameters(**given: Any) -> Json:
    made: list[Json] = []
    for name, value in given.items():
        kind = {"resource": "resource", "mode": "valueCode"}.get(name, "valueUri")
        made.append({"name": name, kind: value})
    return {"resourceType": "Parameters", "parameter": made}


def test_a_valid_resource(waiting: World) -> None:
    assert [i["severity"] for i in told(ask(waiting, "CarePlan/$validate", PLAN))] == [
        "information"
    ]


def test_every_issue_of_an_invalid_one_and_still_200(waiting: World) -> None:
    answer = ask(waiting, "CarePlan/$validate", {"resourceType": "CarePlan", "status": "x"})
    assert wrong(answer) == {
        ("code-invalid", "CarePlan.status"),
        ("required", "CarePlan.intent"),
        ("required", "CarePlan.subject"),
    }


def test_xml_in_and_out(waiting: World) -> None:
    answer = ask(
        waiting,
        "CarePlan/$validate",
        to_xml(PLAN | {"intent": "wish"}),
        Content_Type=XML,
        Accept=XML,
    )
    assert answer.headers["content-type"].startswith(XML)
    outcome = from_xml(answer.content)
    assert outcome["issue"][0]["expression"] == ["CarePlan.intent"]
    assert errors_in(outcome) == []


@pytest.mark.parametrize("mode", ["create", "profile", None])
def test_parameters(waiting: World, mode: str | None) -> None:
    given = {"resource": PLAN} | ({"mode": mode} if mode else {})
    assert wrong(ask(waiting, "CarePlan/$validate", parameters(**given))) == set()
    asked = parameters(**given, profile=names.KI_PLAN)
    assert ("required", "CarePlan.careTeam") in wrong(ask(waiting, "CarePlan/$validate", asked))


def test_a_profile_in_the_address(waiting: World) -> None:
    address = f"CarePlan/$validate?profile={names.KI_PLAN}"
    assert ("required", "CarePlan.author") in wrong(ask(waiting, address, PLAN))
    unknown = ask(waiting, "CarePlan/$validate?profile=http://nobody.example/x", PLAN)
    assert wrong(unknown) == {("not-found", "CarePlan")}


def test_create_is_asked_as_the_hub_would(waiting: World) -> None:
    """A KI plan that does not say it is one."""
    plan = PLAN | {"category": [names.concept(names.CATEGORY, "ki-plan")]}
    assert wrong(ask(waiting, "CarePlan/$validate", plan)) == set()
    asked = parameters(resource=plan, mode="create")
    assert ("required", "CarePlan.careTeam") in wrong(ask(waiting, "CarePlan/$validate", asked))


def test_a_bundle_and_what_it_declares(waiting: World) -> None:
    assert wrong(ask(waiting, "Bundle/$validate", PLAN_1)) == set()
    bundle = json.loads(PLAN_1)
    del bundle["entry"][0]["resource"]["careTeam"]
    place = "Bundle.entry[0].resource.careTeam"
    assert ("required", place) in wrong(ask(waiting, "Bundle/$validate", bundle))


def test_another_type_than_the_address_says(waiting: World) -> None:
    assert wrong(ask(waiting, "Goal/$validate", PLAN)) == {("invalid", "Goal")}
    assert wrong(ask(waiting, "Goal/$validate", b"")) == {("required", "Parameters.parameter")}


def test_an_instance(shared_full: World) -> None:
    key = keys(search(shared_full, "CarePlan", RUS), "match")[0]
    stored = found(get(shared_full, key, RUS))
    address = f"{key}/$validate"
    assert wrong(ask(shared_full, address, stored)) == set()
    asked = parameters(resource=stored, mode="update")
    assert wrong(ask(shared_full, address, asked)) == set()
    other = parameters(resource=stored | {"id": "other"}, mode="update")
    assert wrong(ask(shared_full, address, other)) == {("value", "CarePlan.id")}
    gone = wrong(ask(shared_full, address, parameters(mode="delete")))
    assert gone == {("not-supported", "CarePlan")}


def test_an_instance_one_may_not_know_of_is_not_there(waiting: World) -> None:
    key = keys(search(waiting, "CarePlan", RUS), "match")[0]
    for who, there in ((RUS, 200), (GP, 404)):
        assert ask(waiting, f"{key}/$validate", PLAN, who).status_code == there
    assert ask(waiting, "CarePlan/none/$validate", PLAN).status_code == 404


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("CarePlan/$validate", b"{", 400),
        ("Nope/$validate", b"{}", 404),
        ("CarePlan/$validate", parameters(resource=PLAN, mode="guess"), 400),
        ("CarePlan/$validate", parameters(resource=PLAN, mode="update"), 400),
        ("CarePlan/$validate", parameters(resource=PLAN, other="x"), 400),
        ("CarePlan/$validate", {"resourceType": "Parameters", "parameter": {"name": "x"}}, 400),
        ("CarePlan/$validate?profile=0201609996", PLAN, 422),
    ],
    ids=range(7),
)
def test_what_cannot_be_asked(waiting: World, address: str, body: Any, status: int) -> None:
    found(ask(waiting, address, body), status)


def test_it_takes_a_credential_and_stores_nothing(world: World) -> None:
    assert ask(world, "CarePlan/$validate", PLAN, None).status_code == 401
    patient = (EXAMPLES / "patient-1.json").read_bytes()
    assert wrong(ask(world, "Patient/$validate", patient)) == set()
    assert wrong(ask(world, "Bundle/$validate", PLAN_1)) == set()
    assert keys(search(world, "Patient", PSYK)) == []
    with world.hub.store.reading() as work:
        assert work.inbox.counts() == {}


def test_it_is_declared(waiting: World) -> None:
    (rest,) = found(get(waiting, "metadata", RUS))["rest"]
    declared = {r["type"]: [o["name"] for o in r.get("operation", ())] for r in rest["resource"]}
    # A Subscription is looked at where it is made; a ConceptMap is only read.
    assert {k for k, o in declared.items() if "validate" not in o} == {
        "ConceptMap", "Subscription",
    }  # fmt: skip
    assert "validate" not in [o["name"] for o in rest.get("operation", ())]

"""A document of the wrong citizen, or a receiver that was the wrong one (ki-plan section 6.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.papers import consent_of, sector_plan
from tests.api.test_withdrawal import notices
from tests.api.world import (
    GP,
    KOORD_OWN,
    OPERATOR,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    problem,
)

WORDS = "En indsats der hører til en anden borger"
WHY = "Dokumentet er en anden borgers"


def with_foreign_document(world: World) -> tuple[str, str]:
    """A plan that a document of the wrong citizen has joined; its id and the document's."""
    world.consent(consent_of("samtykke-1"))
    plan = world.publish_plan()
    answer = world.post("/documents/fhir", SOCIAL, sector_plan(SOCIAL, case="HAV-1", text=WORDS))
    assert answer.status_code == 200, answer.text
    world.work()
    (item,) = [i for i in world.kept() if i.sender == SOCIAL]
    assert WORDS in read(world, plan, RUS)
    return plan, item.id


def read(world: World, plan: str, who: str, url: str = "/$everything") -> str:
    """Everything of the plan for the unit, newest or a version of it."""
    return world.get(f"/fhir/CarePlan/{plan}{url}", who).text


def by_the_sender_over_fhir(world: World, _message: str) -> None:
    body = json.loads(sector_plan(SOCIAL, case="HAV-1", text=WORDS))
    body["entry"][0]["resource"]["status"] = "entered-in-error"
    assert world.post("/documents/fhir", SOCIAL, json.dumps(body).encode()).status_code == 200


def by_the_sender_s_person(world: World, message: str) -> None:
    said = {"person": "Bente Prøve, sagsbehandler", "reason": WHY}
    answer = world.request("POST", f"/messages/{message}/entered-in-error", SOCIAL, json=said)
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == 3


def by_the_operator(world: World, message: str) -> None:
    url = f"/operations/messages/{message}/entered-in-error"
    assert world.request("POST", url, OPERATOR, json={"reason": WHY}).status_code == 204


@pytest.mark.parametrize("act", [by_the_sender_over_fhir, by_the_sender_s_person, by_the_operator])
def test_a_document_of_the_wrong_citizen_is_nowhere_any_more(world: World, act: Any) -> None:
    plan, message = with_foreign_document(world)
    holders = {d["receiver"] for d in world.deliveries() if d["attempts"]} - {"citizen"}
    letters = {who: world.copies(who) for who in (RUS, KOORD_OWN)}
    world.clock.advance(minutes=1)
    act(world, message)
    for who in (RUS, KOORD_OWN, SOCIAL):
        assert WORDS not in read(world, plan, who)
        for version in (1, 2, 3):
            assert WORDS not in read(world, plan, who, f"/_history/{version}")
        assert WORDS not in world.get("/fhir/CarePlan", who).text
    assert letters[RUS]
    for who, keys in letters.items():
        for key in keys:
            problem(world.get(f"/mailbox/{key}", who), 404)
    world.work()
    assert {(n.receiver, n.about) for n in notices(world)} == {
        (h, "notice/correction") for h in holders
    }
    (fresh,) = world.copies(RUS)
    assert WORDS not in world.get(f"/mailbox/{fresh}", RUS).text
    with world.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    in_error = [r for r in rows if r["action"] == "entered-in-error"]
    assert {r["party"] for r in in_error if r["detail"].startswith("delivery/")} <= holders
    assert "entered-in-error" in {k for k, _ in world.tasks(RUS)}
    assert "entered-in-error" in {k for k, _ in world.tasks(SOCIAL)}
    assert "entered-in-error" not in {k for k, _ in world.tasks(GP)}


def test_who_held_it_stands_in_the_citizen_s_record(world: World) -> None:
    plan, message = with_foreign_document(world)
    (letter,) = world.copies(RUS)
    world.get(f"/mailbox/{letter}", RUS)
    world.receipt(letter, RUS)
    by_the_operator(world, message)
    with world.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    held = {r["party"]: r["detail"] for r in rows if r["action"] == "entered-in-error"}
    assert held[RUS].endswith(": delivered")
    (found,) = world.get(f"/operations/plans/{plan}", OPERATOR).json()["withdrawals"]
    assert {"receiver": RUS, "how": "delivered"}.items() <= found["may_have_left"][0].items()


def test_the_right_document_of_the_case_may_come_again(world: World) -> None:
    plan, message = with_foreign_document(world)
    by_the_operator(world, message)
    world.clock.advance(minutes=1)
    right = sector_plan(SOCIAL, case="HAV-1", text="Det rigtige dokument")
    assert world.post("/documents/fhir", SOCIAL, right).status_code == 200
    assert "Det rigtige dokument" in read(world, plan, RUS)
    assert WORDS not in read(world, plan, RUS, "/_history/2")


def test_a_whole_plan_of_the_wrong_citizen_is_nobody_s(planned: World, plan: str) -> None:
    letters = {who: planned.letters(who) for who in (RUS, PSYK, SOCIAL)}
    planned.clock.advance(minutes=1)
    answer = planned.post("/documents/fhir", RUS, changed_plan(status="entered-in-error"))
    assert answer.status_code == 200, answer.text
    planned.work()
    for who, keys in letters.items():
        problem(planned.get(f"/fhir/CarePlan/{plan}", who), 404)
        problem(planned.get(f"/mailbox/{keys[0]}", who), 404)
        (letter,) = planned.letters(who)
        assert b"correction" in planned.get(f"/mailbox/{letter}", who).content
    states = {d["receiver"]: d["state"] for d in planned.deliveries()}
    assert set(states.values()) <= {"cancelled", "superseded"}


def test_only_its_own_sender_says_so(world: World) -> None:
    _, message = with_foreign_document(world)
    said = {"person": "x", "reason": WHY}
    url = f"/messages/{message}/entered-in-error"
    problem(world.request("POST", url, PSYK, json=said), 404)
    problem(world.request("POST", url, SOCIAL, json=said | {"reason": "cpr 020160-9996"}), 422)
    assert notices(world) == []


def test_a_document_that_was_overtaken_is_not_what_stands(world: World) -> None:
    _, message = with_foreign_document(world)
    world.clock.advance(minutes=1)
    world.post("/documents/fhir", SOCIAL, sector_plan(SOCIAL, case="HAV-1", text="Nyere"))
    url = f"/operations/messages/{message}/entered-in-error"
    problem(world.request("POST", url, OPERATOR, json={"reason": WHY}), 422)


def test_a_wrong_receiver_is_told_and_nobody_else(planned: World) -> None:
    sent = planned.delivery(PSYK)["delivery"]
    url = f"/operations/deliveries/{sent}/entered-in-error"
    assert planned.request("POST", url, OPERATOR, json={"reason": WHY}).status_code == 204
    planned.work()
    assert [(n.receiver, n.about) for n in notices(planned)] == [(PSYK, "notice/correction")]
    waits = planned.delivery(GP)["delivery"]
    url = f"/operations/deliveries/{waits}/entered-in-error"
    problem(planned.request("POST", url, OPERATOR, json={"reason": WHY}), 422)

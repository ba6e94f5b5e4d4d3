"""What named persons do: hand over, forward, decide not to send; and the mailbox."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hub.fhir.decided import points_at
from hub.model.party import SYSTEM
from hub.sending import Endpoint
from tests.api.world import (
    APPROVAL_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    PARTIES,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
    problem,
)

NOBODY_S = "00000000-0000-4000-8000-000000000000"

# Hand over


def test_the_lead_s_people_hand_the_copy_over_once(planned: World) -> None:
    copy = planned.delivery("citizen")["delivery"]
    for _ in range(2):
        assert planned.act(copy, "hand-over", RUS).json() == {
            "delivery": copy,
            "state": "delivered",
        }
    history = planned.delivery("citizen")["history"]
    assert [h["state"] for h in history].count("delivered") == 1
    assert "Signe Prøve" in history[-1]["by"]
    assert "hand-over" not in {k for k, _ in planned.tasks(RUS)}


@pytest.mark.parametrize("who", [p for p in PARTIES if p != RUS])
def test_nobody_else_hands_the_copy_over(planned: World, who: str) -> None:
    copy = planned.delivery("citizen")["delivery"]
    problem(planned.act(copy, "hand-over", who), 404)
    assert planned.delivery("citizen")["state"] == "sent"


def test_only_the_citizen_s_copy_is_handed_over(planned: World) -> None:
    problem(planned.act(planned.delivery(KOORD_OWN)["delivery"], "hand-over", RUS), 404)


def test_a_copy_that_is_not_made_yet_cannot_be_handed_over(world: World) -> None:
    world.consent()
    world.publish_plan()
    problem(world.act(world.delivery("citizen")["delivery"], "hand-over", RUS), 422)


def test_a_newer_copy_takes_the_older_one_s_place(planned: World) -> None:
    older = planned.delivery("citizen", version=1)["delivery"]
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    assert planned.delivery("citizen", version=1)["state"] == "superseded"
    newer = planned.delivery("citizen", version=2)
    assert newer["state"] == "sent"
    asked = [t for t in planned.get("/tasks", RUS).json() if t["kind"] == "hand-over"]
    assert [t["delivery"] for t in asked] == [newer["delivery"]]
    assert asked[0]["text"] == "Hand version 2 of the plan over to the citizen and record it"
    refused = problem(planned.act(older, "hand-over", RUS), 422)
    assert "hand that one over" in str(refused)
    assert planned.act(newer["delivery"], "hand-over", RUS).json()["state"] == "delivered"


@pytest.mark.parametrize("act", ["hand-over", "forward", "not-sent"])
@pytest.mark.parametrize("said", [{}, {"person": ""}, {"person": "   ", "postscript": "x"}])
def test_an_act_has_a_person(planned: World, act: str, said: dict[str, str]) -> None:
    copy = planned.delivery("citizen")["delivery"]
    answer = planned.request("POST", f"/deliveries/{copy}/{act}", RUS, json=said)
    assert answer.status_code in {400, 422}
    assert planned.delivery("citizen")["state"] == "sent"


@pytest.mark.parametrize("act", ["hand-over", "forward", "not-sent"])
def test_there_is_no_act_on_what_there_is_not(planned: World, act: str) -> None:
    problem(planned.act(NOBODY_S, act, RUS, postscript="x"), 404)


# Forward


def test_the_coordinator_forwards_what_it_has_received_itself(planned: World) -> None:
    own, other = (planned.delivery(r)["delivery"] for r in (KOORD_OWN, KOORD_OTHER))
    problem(planned.act(other, "forward", KOORD_OWN), 422)
    planned.receipt(own, KOORD_OWN)
    for _ in range(2):
        assert planned.act(other, "forward", KOORD_OWN).status_code == 200
    planned.work()
    assert planned.letters(KOORD_OTHER) == [other]
    assert planned.tasks(KOORD_OWN) == []


@pytest.mark.parametrize("who", [RUS, PSYK, SOCIAL, GP, KOORD_OTHER])
def test_nobody_else_forwards(planned: World, who: str) -> None:
    planned.receipt(planned.delivery(KOORD_OWN)["delivery"], KOORD_OWN)
    problem(planned.act(planned.delivery(KOORD_OTHER)["delivery"], "forward", who), 404)
    assert planned.delivery(KOORD_OTHER)["state"] == "blocked"


def test_who_was_forwarded_to_cannot_forward_to_itself_next_time(planned: World) -> None:
    """It has received a version, it is a coordinator; still it is not the lead's own."""
    planned.receipt(planned.delivery(KOORD_OWN)["delivery"], KOORD_OWN)
    other = planned.delivery(KOORD_OTHER)["delivery"]
    planned.act(other, "forward", KOORD_OWN)
    planned.work()
    planned.receipt(other, KOORD_OTHER)
    problem(planned.act(other, "forward", KOORD_OTHER), 404)


def test_only_a_coordinator_is_forwarded_to(planned: World) -> None:
    planned.receipt(planned.delivery(KOORD_OWN)["delivery"], KOORD_OWN)
    problem(planned.act(planned.delivery(GP)["delivery"], "forward", KOORD_OWN), 404)


# Not sent


def test_the_lead_decides_not_to_send_and_says_why_in_the_plan(planned: World, plan: str) -> None:
    waiting = planned.delivery(GP)["delivery"]
    words = "Karla vil selv give planen til lægen."
    answer = planned.act(waiting, "not-sent", RUS, postscript=words)
    assert answer.json() == {"delivery": waiting, "state": "not_sent"}
    assert [(d["version"], d["state"]) for d in planned.deliveries() if d["receiver"] == GP] == [
        (1, "not_sent")
    ]
    read = planned.get(f"/fhir/CarePlan/{plan}", RUS)
    assert read.headers["ETag"] == 'W/"2"'
    assert words in read.text
    again = planned.act(waiting, "not-sent", RUS, postscript=words)
    assert again.json()["state"] == "not_sent"
    assert planned.get(f"/fhir/CarePlan/{plan}", RUS).headers["ETag"] == 'W/"2"'


def test_what_was_decided_stays_decided_while_the_shared_part_is_the_same(
    planned: World, plan: str
) -> None:
    """Also for a unit that takes part: the postscript's own version must not send it anyway."""
    waiting = planned.delivery(KOORD_OTHER)["delivery"]
    planned.act(waiting, "not-sent", RUS, postscript="Regionens koordinator har planen på papir.")
    planned.approve(plan, version=2)
    planned.work()
    rows = [d for d in planned.deliveries() if d["receiver"] == KOORD_OTHER]
    assert [(d["version"], d["state"]) for d in rows] == [(1, "not_sent")]
    planned.post("/documents/fhir", RUS, changed_plan(title="Planen efter mødet"))
    assert planned.delivery(KOORD_OTHER, version=3)["state"] == "blocked"


def test_a_postscript_undoes_no_approval(planned: World, plan: str) -> None:
    planned.approve(plan)
    waiting = planned.delivery(KOORD_OTHER)["delivery"]
    planned.act(waiting, "not-sent", RUS, postscript="Aftalt pr. telefon.")
    planned.work()
    newest = max(
        (d for d in planned.deliveries() if d["receiver"] == GP), key=lambda d: d["version"]
    )
    assert (newest["version"], newest["state"]) == (2, "sent")


@pytest.mark.parametrize("who", [p for p in PARTIES if p != RUS])
def test_nobody_else_decides_not_to_send(planned: World, who: str) -> None:
    waiting = planned.delivery(GP)["delivery"]
    problem(planned.act(waiting, "not-sent", who, postscript="Nej"), 404)
    assert planned.delivery(GP)["state"] == "blocked"


def test_a_decision_has_a_reason(planned: World) -> None:
    waiting = planned.delivery(GP)["delivery"]
    for words in ("", "   "):
        answer = planned.act(waiting, "not-sent", RUS, postscript=words)
        assert answer.status_code in {400, 422}
    assert planned.act(waiting, "not-sent", RUS).status_code == 400


def test_what_has_left_cannot_be_called_back(planned: World) -> None:
    sent = planned.delivery(KOORD_OWN)["delivery"]
    problem(planned.act(sent, "not-sent", RUS, postscript="Fortrudt"), 422)
    assert planned.delivery(KOORD_OWN)["state"] == "sent"


# Mailbox


def test_fetching_is_audited_and_is_not_a_receipt(planned: World, plan: str) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    for _ in range(2):
        fetched = planned.get(f"/mailbox/{letter}", KOORD_OWN)
        assert fetched.content.startswith(b"%PDF-")
        assert fetched.headers["KI-Delivery"] == letter
        assert fetched.headers["Cache-Control"] == "no-store"
    assert planned.delivery(KOORD_OWN)["state"] == "sent"
    with planned.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}")
    fetches = [r for r in rows if r["action"] == "fetch"]
    assert [(r["actor"], r["basis"].split("/")[0]) for r in fetches] == [(KOORD_OWN, "consent")] * 2


def test_a_receipt_settles_and_empties_the_mailbox(planned: World) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    for _ in range(2):
        assert planned.receipt(letter, KOORD_OWN).json()["state"] == "delivered"
    assert planned.letters(KOORD_OWN) == []
    assert planned.receipt(letter, KOORD_OWN, "permanent").json()["state"] == "delivered"


def test_a_refused_message_is_dead_and_the_operator_is_asked(planned: World) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    assert planned.receipt(letter, KOORD_OWN, "permanent").json()["state"] == "dead"
    with planned.hub.store.reading() as work:
        tasks = [t for t in work.journal.tasks(SYSTEM) if t.delivery_id == letter]
    assert [(t.kind, t.party) for t in tasks] == [("dead", "operator")]
    assert planned.letters(KOORD_OWN) == []


def test_busy_is_tried_again_and_then_given_up(planned: World) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    for attempt in range(1, planned.hub.retry.attempts):
        assert planned.receipt(letter, KOORD_OWN, "transient").json()["state"] == "retry_at"
        planned.clock.advance(hours=1)
        planned.work()
        found = planned.delivery(KOORD_OWN)
        assert (found["state"], found["attempts"]) == ("sent", attempt + 1)
    assert planned.receipt(letter, KOORD_OWN, "transient").json()["state"] == "dead"


@pytest.mark.parametrize("who", [RUS, GP, KOORD_OTHER])
def test_someone_else_s_message_does_not_exist(planned: World, who: str) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    problem(planned.get(f"/mailbox/{letter}", who), 404)
    problem(planned.receipt(letter, who), 404)
    assert planned.delivery(KOORD_OWN)["state"] == "sent"


def test_what_was_never_sent_has_no_receipt(planned: World) -> None:
    problem(planned.receipt(planned.delivery(GP)["delivery"], GP), 404)
    problem(planned.receipt(NOBODY_S, GP), 404)


def test_a_receipt_says_one_of_three_things(planned: World) -> None:
    (letter,) = planned.letters(KOORD_OWN)
    answer = planned.receipt(letter, KOORD_OWN, "Karla har fået den")
    problem(answer, 400)
    assert "Karla" not in answer.text


# Pause, and a dead transport


def test_a_paused_party_gets_its_letters_when_it_is_resumed(planned: World, plan: str) -> None:
    pause = f"/operations/parties/{GP}"
    said = planned.request("POST", f"{pause}/pause", OPERATOR, json={"reason": "Systemskifte"})
    assert said.json() == {"party": GP, "state": "paused"}
    planned.approve(plan)
    planned.work()
    assert (planned.delivery(GP)["state"], planned.letters(GP)) == ("due", [])
    planned.request("POST", f"{pause}/resume", OPERATOR, json={"reason": "Skiftet"})
    planned.work()
    assert planned.delivery(GP)["state"] == "sent"
    problem(
        planned.request("POST", "/operations/parties/nobody/pause", OPERATOR, json={"reason": "x"}),
        404,
    )


def test_an_endpoint_that_is_down_does_not_stop_the_others(world: World) -> None:
    with world.hub.store.writing() as work:
        registered = work.parties.get(RUS)
        assert registered is not None
        down = Endpoint("https", "http://127.0.0.1:9/ki")
        work.parties.save(replace(registered, endpoint=down), world.clock())
        work.commit()
    world.consent()
    world.publish_plan()
    world.work()
    assert (world.delivery(RUS)["state"], world.delivery(KOORD_OWN)["state"]) == (
        "retry_at",
        "sent",
    )


def test_an_approval_can_be_sent_as_published(planned: World) -> None:
    """The example names a plan by a placeholder; it is refused as unknown, not as broken."""
    assert points_at(json.loads(APPROVAL_1)).startswith("CarePlan/PLAN")
    problem(planned.post("/fhir/Consent", RUS, APPROVAL_1), 404)

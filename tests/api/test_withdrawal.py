"""A consent withdrawn after the plan was distributed (ki-plan scenarios 4 and 5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.fhir import names
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.ports import deliveries_queue
from hub.sending import Confirm, Outgoing
from tests.api.failing import of
from tests.api.papers import approval_of, consent_of
from tests.api.world import (
    CONSENT_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    PARTIES,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
    changed_plan,
    outcome_of,
    problem,
)

WITHDRAWN = json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()


def notices(world: World, receiver: str | None = None) -> list[Delivery]:
    """Every notice, with its bytes."""
    with world.hub.store.reading() as work:
        rows = work.deliveries.listing(SYSTEM, receiver=receiver)
        found = [work.deliveries.get(d.id, SYSTEM, body=True) for d in rows]
    return [d for d in found if d is not None and d.about.startswith("notice/")]


def withdrawals(world: World, plan: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get(f"/operations/plans/{plan}", OPERATOR).json()[
        "withdrawals"
    ]
    return found


def tell(world: World, body: bytes = WITHDRAWN, who: str = RUS) -> str:
    """Say it to the hub; gives what was answered."""
    world.clock.advance(minutes=1)
    headers = {"Prefer": "return=OperationOutcome"}
    answer = world.request("POST", "/fhir/Consent", who, content=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return " ".join(i["details"]["text"] for i in outcome_of(answer)["issue"])


def test_what_was_due_waited_or_lay_in_a_mailbox_is_gone_at_once(planned: World, plan: str) -> None:
    letters = {p: planned.letters(p) for p in PARTIES}
    assert letters[PSYK]
    assert letters[SOCIAL]
    planned.post("/documents/fhir", RUS, changed_plan(title="Ny udgave"))
    assert "due" in planned.states().values()
    tell(planned)
    ended = {"cancelled", "superseded"}
    assert {
        d["receiver"]
        for d in planned.deliveries()
        if d["state"] not in ended and d["legal_basis"] != "notice"
    } == {"citizen"}
    for who in PARTIES:
        assert planned.letters(who) == []
        problem(planned.get(f"/fhir/CarePlan/{plan}", who), 404)
        assert planned.get("/fhir/CarePlan", who).json()["total"] == 0
        for letter in letters[who]:
            problem(planned.get(f"/mailbox/{letter}", who), 404)


def test_a_notice_goes_to_whom_something_was_sent_and_to_nobody_else(
    planned: World, plan: str
) -> None:
    sent = {d["receiver"] for d in planned.deliveries() if d["attempts"]} - {"citizen"}
    assert {GP, KOORD_OTHER}.isdisjoint(sent), "one waits for approval, one to be forwarded to"
    tell(planned)
    planned.work()
    assert {n.receiver for n in notices(planned)} == sent
    for notice in notices(planned):
        assert notice.state.value == "sent"
        (letter,) = planned.letters(notice.receiver)
        body = planned.get(f"/mailbox/{letter}", notice.receiver).content
        assert body == notice.body
        words = ("Karla", "Nygaard", "0201609996", "samtykke-1", "Havneby Rusmiddelcenter tilbyder")
        assert [w for w in words if w.encode() in body] == []
        assert body[:5] == b"%PDF-" or b"consent-withdrawn" in body
    assert planned.letters(GP) == planned.letters(KOORD_OTHER) == []


def test_a_notice_is_receipted_as_everything(planned: World) -> None:
    tell(planned)
    planned.work()
    (letter,) = planned.letters(PSYK)
    assert planned.receipt(letter, PSYK).json()["state"] == "delivered"
    assert planned.letters(PSYK) == []
    planned.work()
    assert planned.letters(PSYK) == []


def test_the_gp_s_notice_says_nothing_of_the_plan(planned: World, plan: str) -> None:
    """In its own format, in its thread."""
    planned.post("/fhir/Consent", RUS, approval_of(plan))
    planned.work()
    (letter,) = planned.letters(GP)
    plan_body = planned.get(f"/mailbox/{letter}", GP).content
    tell(planned)
    planned.work()
    (notice,) = notices(planned, GP)
    assert notice.format == "medcom-carecommunication"
    assert notice.body is not None
    assert b"application/pdf" in plan_body
    assert b"application/pdf" not in notice.body
    assert len(notice.body) < len(plan_body) / 2


def test_lead_and_coordinators_who_know_of_it_are_asked_to_act(planned: World) -> None:
    tell(planned)
    asked = {p for p in PARTIES if "withdrawn" in {k for k, _ in planned.tasks(p)}}
    assert asked == {RUS, KOORD_OWN}, "the other coordinator was never told of the plan"


def test_the_other_coordinator_is_asked_too_if_it_had_the_plan(planned: World) -> None:
    planned.receipt(planned.delivery(KOORD_OWN)["delivery"], KOORD_OWN)
    waiting = planned.delivery(KOORD_OTHER)["delivery"]
    assert planned.act(waiting, "forward", KOORD_OWN).status_code == 200
    planned.work()
    tell(planned)
    assert "withdrawn" in {k for k, _ in planned.tasks(KOORD_OTHER)}


def test_a_person_says_that_it_is_seen_to(planned: World) -> None:
    tell(planned)
    (asked,) = [t for t in planned.get("/tasks", RUS).json() if t["kind"] == "withdrawn"]
    done = f"/tasks/{asked['id']}/seen-to"
    said = {"person": "Rita Rusmiddel, tovholder"}
    for stranger in (PSYK, GP):
        assert planned.request("POST", done, stranger, json=said).status_code == 404
    assert planned.request("POST", done, RUS, json=said).status_code == 204
    assert "withdrawn" not in {k for k, _ in planned.tasks(RUS)}
    assert planned.request("POST", done, RUS, json=said).status_code == 404


def test_a_task_that_the_hub_itself_sees_done_is_not_said_done(planned: World) -> None:
    other = next(t for t in planned.get("/tasks", RUS).json() if t["kind"] == "approve")
    answer = planned.request("POST", f"/tasks/{other['id']}/seen-to", RUS, json={"person": "R"})
    assert answer.status_code == 404
    assert "approve" in {k for k, _ in planned.tasks(RUS)}


def test_what_may_have_left_is_listed(planned: World, plan: str) -> None:
    """Received, read and not received; what lay unread in a mailbox did not leave."""
    planned.receipt(planned.delivery(SOCIAL)["delivery"], SOCIAL)
    planned.get(f"/mailbox/{planned.letters(PSYK)[0]}", PSYK)
    assert "2 messages may have reached" in tell(planned)
    (found,) = withdrawals(planned, plan)
    assert {x["receiver"]: x["how"] for x in found["may_have_left"]} == {
        SOCIAL: "delivered",
        PSYK: "fetched",
    }
    assert not found["settled"]
    planned.work()
    (found,) = withdrawals(planned, plan)
    assert found["settled"]


def test_a_send_that_runs_is_waited_for_but_not_for_ever(planned: World, plan: str) -> None:
    with planned.hub.store.writing() as work:
        (mine,) = work.deliveries.of_plan(plan, PSYK)
        row = "UPDATE delivery SET state='sending', lease_until='2026-09-20 10:05:00' WHERE id=:id"
        work._connection.exec_driver_sql(row, {"id": mine.id})
        work.commit()
    tell(planned)
    planned.work()
    (found,) = withdrawals(planned, plan)
    assert (PSYK, "sending") in {(x["receiver"], x["how"]) for x in found["may_have_left"]}
    assert not found["settled"]
    planned.clock.advance(minutes=10)
    planned.work()
    (found,) = withdrawals(planned, plan)
    assert found["settled"]


def overtaken(world: World, what: Callable[[], object]) -> None:
    """Something happens when the first copy for a unit is frozen, and not yet in its mailbox."""
    whole, queue, due = world.hub.bus.publish_many, deliveries_queue(KOORD_OWN), [what]

    def late(batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        if due and any(name == queue for name, _ in batch):
            due.pop()()
        return whole(batch)

    world.hub.bus.publish_many = late  # type: ignore[method-assign]
    world.work()
    assert due == []


def test_a_copy_that_was_on_its_way_into_a_mailbox_is_taken_out_of_it(world: World) -> None:
    world.consent()
    plan = world.publish_plan()
    overtaken(world, lambda: tell(world))
    mine = world.delivery(KOORD_OWN)
    assert (mine["state"], mine["attempts"]) == ("cancelled", 1)
    (found,) = withdrawals(world, plan)
    assert found["settled"]
    assert KOORD_OWN not in {x["receiver"] for x in found["may_have_left"]}


def test_what_nobody_can_fetch_is_taken_out_when_its_receipt_is_missed(world: World) -> None:
    """The citizen is protected while a copy that tells where is on its way."""
    world.consent()
    world.publish_plan()
    protected = json.loads(PLAN_1)
    for entry in protected["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            label = {"system": names.CONFIDENTIALITY, "code": "R"}
            entry["resource"]["meta"] = {"security": [label]}
    overtaken(world, lambda: world.publish_plan(json.dumps(protected).encode()))
    assert [d.state.value for d in of(world, KOORD_OWN) if d.version == 1] == ["sent"]
    assert world.copies(KOORD_OWN) == []
    world.clock.advance(days=2)
    world.work()
    assert [d.state.value for d in of(world, KOORD_OWN) if d.version == 1] == ["cancelled"]
    world.work()
    assert len(world.copies(KOORD_OWN)) == 1


def test_the_plan_is_frozen_and_its_lead_is_told_so(planned: World, plan: str) -> None:
    tell(planned)
    (issue,) = problem(planned.post("/documents/fhir", RUS, changed_plan(title="Ny")), 403)
    assert "stands as it is" in issue["details"]["text"]
    (issue,) = problem(planned.post("/documents/behandlingsplan", PSYK, TREATMENT + b" "), 403)
    assert "stands as it is" not in issue["details"]["text"]
    row = planned.get(f"/operations/plans/{plan}", OPERATOR).json()
    assert row["frozen"]
    assert row["head"] == 1


def test_a_new_consent_thaws_it_and_sends_it_anew(planned: World, plan: str) -> None:
    planned.receipt(planned.delivery(SOCIAL)["delivery"], SOCIAL)
    tell(planned)
    planned.work()
    planned.receipt(planned.letters(SOCIAL)[0], SOCIAL)
    tell(planned, consent_of("samtykke-2"))
    planned.work()
    (letter,) = planned.letters(SOCIAL)
    assert b"CarePlan" in planned.get(f"/mailbox/{letter}", SOCIAL).content
    assert planned.post("/documents/fhir", RUS, changed_plan(title="Ny")).status_code == 200


def test_a_notice_that_is_not_so_any_more_is_not_sent(planned: World) -> None:
    tell(planned)
    tell(planned, consent_of("samtykke-2"))
    planned.work()
    assert {n.state.value for n in notices(planned)} == {"cancelled"}


def test_a_narrowed_unit_gets_a_smaller_copy_and_is_not_told_what_went(
    planned: World, plan: str
) -> None:
    letter = planned.letters(SOCIAL)[0]
    before = planned.get(f"/mailbox/{letter}", SOCIAL).content
    planned.receipt(letter, SOCIAL)
    seen = planned.get(f"/fhir/CarePlan/{plan}/$everything", SOCIAL).json()["total"]
    answer = tell(planned, consent_of("nej", (SOCIAL,), kind="deny",
                                      sections={SOCIAL: ("substance-use",)}))  # fmt: skip
    assert "1 messages" in answer
    assert planned.get(f"/fhir/CarePlan/{plan}/$everything", SOCIAL).json()["total"] < seen
    planned.work()
    fetched = {k: planned.get(f"/mailbox/{k}", SOCIAL).content for k in planned.letters(SOCIAL)}
    assert len(fetched) == 2
    (notice,) = [b for b in fetched.values() if b"consent-narrowed" in b]
    (copy,) = [b for b in fetched.values() if b"consent-narrowed" not in b]
    assert b"substance-use" not in notice
    assert copy != before
    assert planned.states()[PSYK] == "sent", "nothing changed for the others"
    assert {n.receiver for n in notices(planned)} == {SOCIAL}
    assert not planned.get(f"/operations/plans/{plan}", OPERATOR).json()["frozen"]


def test_a_unit_that_is_denied_is_told_alone(planned: World, plan: str) -> None:
    tell(planned, consent_of("nej", (PSYK,), kind="deny"))
    planned.work()
    (notice,) = notices(planned)
    assert (notice.receiver, notice.about) == (PSYK, "notice/consent-withdrawn")
    problem(planned.get(f"/fhir/CarePlan/{plan}", PSYK), 404)
    assert planned.get(f"/fhir/CarePlan/{plan}", SOCIAL).status_code == 200
    assert withdrawals(planned, plan)[0]["units"] == {PSYK: "consent-withdrawn"}


def test_a_consent_that_takes_nothing_away_tells_nobody(planned: World, plan: str) -> None:
    tell(planned, consent_of("samtykke-2"))
    planned.work()
    assert notices(planned) == []
    assert withdrawals(planned, plan) == []


def test_who_withdraws_and_is_not_the_lead_is_not_told_of_a_plan(planned: World) -> None:
    nobody = planned.post("/fhir/Consent", SOCIAL, consent_of("eget", cpr="0101809995"))
    assert nobody.status_code == 201
    words = tell(planned, consent_of("nej", kind="deny"), SOCIAL)
    assert "plan" not in words


@pytest.mark.parametrize("queue", [deliveries_queue(PSYK)])
def test_an_old_letter_left_in_the_queue_by_a_crash_cannot_be_fetched(
    planned: World, queue: str
) -> None:
    """The gate is asked at fetching, whatever lies there."""
    (letter,) = planned.letters(PSYK)
    tell(planned)
    with planned.hub.store.writing() as work:
        work.queues.forget(queue, [letter])
        work.queues.add(queue, Outgoing(letter, b"x", "text/plain", {}), planned.clock())
        work.commit()
    problem(planned.get(f"/mailbox/{letter}", PSYK), 404)


def test_what_a_consent_given_later_had_kept_alive_is_taken_back_with_it(world: World) -> None:
    """Made under one consent, carried by a second, which goes; a third is narrower."""
    tell(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    world.work()
    (letter,) = world.letters(KOORD_OWN)
    for name, status in (("samtykke-2", "active"), ("samtykke-1", "inactive")):
        now = (world.clock.now).isoformat()
        tell(world, consent_of(name, status=status, dateTime=now))
    assert world.letters(KOORD_OWN) == [letter], "the second consent permits the same"
    tell(world, consent_of("samtykke-3", sections={KOORD_OWN: ("social",)}))
    assert world.letters(KOORD_OWN) == [letter]
    tell(world, consent_of("samtykke-2", status="inactive"))
    assert world.letters(KOORD_OWN) == []
    problem(world.get(f"/mailbox/{letter}", KOORD_OWN), 404)
    assert world.get(f"/fhir/CarePlan/{plan}", KOORD_OWN).status_code == 200

"""The first half of the scenario: consent, sector plans before the plan, the plan, deliveries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.contract import PlanView, Printer
from hub.fhir import names
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    ORDER,
    PARTIES,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    TREATMENT,
    World,
    approval,
    changed_plan,
    outcome_of,
)


def test_the_whole_first_half(world: World) -> None:
    consent = world.consent()
    assert consent.status_code == 201
    assert consent.json()["resourceType"] == "Consent"

    early = world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    order = world.post("/fhir/$process-message", SOCIAL, ORDER)
    assert [early.status_code, order.status_code] == [202, 202]
    assert [world.inbox(a).state for a in (early, order)] == ["unattached", "unattached"]
    assert world.deliveries() == []

    answer = world.post("/documents/fhir", RUS, PLAN_1)
    assert answer.status_code == 200
    assert answer.headers["Location"].endswith("/_history/1")
    plan = answer.headers["Location"].split("/")[3]
    strangers = [i for i in outcome_of(answer)["issue"] if i["code"] == "not-found"]
    assert len(strangers) == 2
    assert all(
        re.fullmatch(r"Bundle\.entry\[\d+\]\.resource\.participant\[\d+\]", i["expression"][0])
        for i in strangers
    )

    parts = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    assert {(p["kind"], p["owner"]) for p in parts} == {
        ("shared", RUS), ("behandlingsplan", PSYK), ("vum", SOCIAL),
    }  # fmt: skip
    before = {r: s for r, s in world.states().items() if s == "blocked"}
    assert before == {GP: "blocked", KOORD_OTHER: "blocked"}

    world.work()
    assert world.states() == {
        "citizen": "sent", RUS: "sent", PSYK: "sent", SOCIAL: "sent", KOORD_OWN: "sent",
        KOORD_OTHER: "blocked", GP: "blocked",
    }  # fmt: skip
    assert {d["legal_basis"].split("/")[0] for d in world.deliveries()} == {"own-right", "consent"}
    assert {k for k, _ in world.tasks(RUS)} == {"hand-over", "approve"}
    assert {k for k, _ in world.tasks(KOORD_OWN)} == {"forward"}


def test_the_second_half_to_its_end(planned: World, plan: str) -> None:
    citizen, own, other, gp = (
        planned.delivery(r)["delivery"] for r in ("citizen", KOORD_OWN, KOORD_OTHER, GP)
    )
    assert planned.act(citizen, "hand-over", RUS).json()["state"] == "delivered"
    assert planned.receipt(own, KOORD_OWN).json()["state"] == "delivered"
    planned.clock.advance(minutes=1)
    assert planned.act(other, "forward", KOORD_OWN).json()["state"] == "due"
    assert planned.approve(plan).status_code == 201
    planned.work()
    assert planned.letters(GP) == [gp]
    assert planned.get(f"/mailbox/{gp}", GP).headers["KI-Sequence"] == "1"
    for delivery, who in ((gp, GP), (other, KOORD_OTHER)):
        assert planned.receipt(delivery, who).json()["state"] == "delivered"
    assert planned.tasks(RUS) == planned.tasks(KOORD_OWN) == []
    hops = planned.get(f"/operations/plans/{plan}", OPERATOR).json()["hops"]
    assert [(h["from"], h["to"]) for h in hops] == [(RUS, KOORD_OWN), (KOORD_OWN, KOORD_OTHER)]


def test_what_each_receiver_gets_is_its_own_format(planned: World) -> None:
    formats = {d["receiver"]: d["format"] for d in planned.deliveries()}
    assert formats == {
        "citizen": "pdf", RUS: "fhir", PSYK: "behandlingsplan", SOCIAL: "vum",
        KOORD_OWN: "pdf", KOORD_OTHER: "pdf", GP: "medcom-carecommunication",
    }  # fmt: skip


def test_medicine_and_journal_never_leave_the_owner(planned: World) -> None:
    """The lead's own copy holds the others' efforts, and of the behandlingsplan no medicine."""
    with planned.hub.store.reading() as work:
        waiting = work.queues.waiting("party.rus-havneby.deliveries")
    text = waiting[0].body.decode()
    assert "Prøvapin" not in text
    assert "svær uge" not in text
    assert "Samtale hver anden torsdag" in text


def test_reading_is_for_those_who_take_part(planned: World, plan: str) -> None:
    for who in (RUS, PSYK, SOCIAL, KOORD_OWN):
        answer = planned.get(f"/fhir/CarePlan/{plan}", who)
        assert answer.status_code == 200
        assert answer.headers["ETag"] == 'W/"1"'
        assert answer.json()["id"] == plan


# Versions


def test_the_same_plan_again_is_the_same_version(planned: World, plan: str) -> None:
    again = changed_plan(title="Koordinerende indsatsplan")
    answer = planned.post("/documents/fhir", RUS, again)
    assert answer.headers["Location"] == f"/fhir/CarePlan/{plan}/_history/1"
    assert "Nothing new" in answer.text
    assert len(planned.deliveries()) == 7


def test_a_change_is_a_new_version_for_everyone(planned: World, plan: str) -> None:
    answer = planned.post("/documents/fhir", RUS, changed_plan(title="Planen efter mødet"))
    assert answer.headers["Location"] == f"/fhir/CarePlan/{plan}/_history/2"
    planned.work()
    assert planned.delivery("citizen", version=2)["state"] == "sent"
    gp = [(d["version"], d["state"]) for d in planned.deliveries() if d["receiver"] == GP]
    assert sorted(gp) == [(1, "blocked"), (2, "blocked")]


def test_a_change_written_on_a_version_that_is_not_there_is_refused(
    planned: World, plan: str
) -> None:
    planned.post("/documents/fhir", RUS, changed_plan(title="Planen efter mødet"))
    base = {"url": names.BASE_VERSION, "valueInteger": 9}
    original = json.loads(PLAN_1)["entry"][0]["resource"]["extension"]
    stale = changed_plan(title="Skrevet på den gamle", extension=[*original, base])
    answer = planned.post("/documents/fhir", RUS, stale)
    assert answer.status_code == 409
    assert outcome_of(answer)["issue"][0]["code"] == "conflict"
    assert planned.get(f"/operations/plans/{plan}", OPERATOR).json()["head"] == 2


def test_an_approval_holds_while_only_a_sector_changes(planned: World, plan: str) -> None:
    assert planned.approve(plan).status_code == 201
    planned.work()
    planned.receipt(planned.delivery(GP)["delivery"], GP)
    update = TREATMENT.replace(b"bp-2026-000117-3", b"bp-2026-000117-4").replace(
        "Gøres op ved".encode(), "Drøftes ved".encode()
    )
    assert planned.post("/documents/behandlingsplan", PSYK, update).status_code == 200
    assert planned.delivery(GP, version=2)["state"] == "due"
    assert planned.get(f"/fhir/CarePlan/{plan}", GP).headers["ETag"] == 'W/"2"'


# Consent changes


def without_consent(status: str = "inactive") -> bytes:
    resource = json.loads(CONSENT_1) | {"id": "samtykke-1", "status": status}
    return json.dumps(resource).encode()


def test_a_withdrawal_stops_everything_and_a_new_consent_starts_it_again(world: World) -> None:
    world.post("/fhir/Consent", RUS, without_consent("active"))
    plan = world.publish_plan()
    assert world.delivery(KOORD_OWN)["state"] == "due"

    assert world.post("/fhir/Consent", RUS, without_consent()).status_code == 200
    states = world.states()
    assert states.pop("citizen") == "due"
    assert set(states.values()) == {"cancelled"}
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404
    assert ("consent", None) in world.tasks(RUS)
    world.work()
    assert world.letters(KOORD_OWN) == []

    again = json.loads(CONSENT_1) | {"id": "samtykke-2"}
    assert world.post("/fhir/Consent", RUS, json.dumps(again).encode()).status_code == 201
    world.work()
    sent = {d["receiver"] for d in world.deliveries() if d["state"] == "sent"}
    assert sent == {"citizen", RUS, KOORD_OWN}
    # Theirs is a re-issue of a document of their own, and they have sent none.
    waiting = {d["receiver"] for d in world.deliveries() if "own document" in d["reason"]}
    assert waiting == {PSYK, SOCIAL}
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 200


def test_bytes_made_before_a_withdrawal_are_not_sent_again_after_it(planned: World) -> None:
    letter = planned.letters(KOORD_OWN)[0]
    assert planned.receipt(letter, KOORD_OWN, "transient").json()["state"] == "retry_at"
    assert planned.receipt(letter, KOORD_OWN, "transient").json()["state"] == "retry_at"
    deny = json.loads(CONSENT_1) | {"id": "nej-tak"}
    for rule in deny["provision"]["provision"]:
        rule["type"] = "deny"
    assert planned.post("/fhir/Consent", RUS, json.dumps(deny).encode()).status_code == 201
    assert planned.letters(KOORD_OWN) == []
    assert planned.get(f"/mailbox/{letter}", KOORD_OWN).status_code == 404
    planned.clock.advance(hours=1)
    planned.work()
    assert planned.delivery(KOORD_OWN)["state"] == "cancelled"


@dataclass
class SlowPrinter:
    """A printer; while it is at work, the citizen says no."""

    printer: Printer
    meanwhile: Callable[[], object]

    def plan(self, view: PlanView, *, now: datetime) -> bytes:
        self.meanwhile()
        return self.printer.plan(view, now=now)


def test_a_no_while_a_document_is_made_stops_it(planned: World, plan: str) -> None:
    deny = json.loads(CONSENT_1) | {"id": "nej-tak"}
    for rule in deny["provision"]["provision"]:
        rule["type"] = "deny"
    answers: list[int] = []

    def say_no() -> None:
        body = json.dumps(deny).encode()
        answers.append(planned.post("/fhir/Consent", RUS, body).status_code)

    planned.approve(plan)
    printer = SlowPrinter(planned.hub.printer, say_no)
    World(replace(planned.hub, printer=printer), planned.secrets, planned.clock).work()
    assert answers == [201]
    assert planned.delivery(GP)["state"] == "cancelled"
    with planned.hub.store.reading() as work:
        assert work.queues.waiting(f"party.{GP}.deliveries") == []


def test_a_consent_while_a_document_is_made_makes_it_anew(planned: World, plan: str) -> None:
    """Reduced to what was permitted a moment ago it is no longer what may be sent."""
    narrower = json.loads(CONSENT_1) | {"id": "snaevrere"}
    for rule in narrower["provision"]["provision"]:
        rule["type"] = "deny"
        rule["securityLabel"] = [{"system": names.SECTION_CODE, "code": "substance-use"}]
    made: list[bytes] = []

    def say_less() -> None:
        made.append(planned.post("/fhir/Consent", RUS, json.dumps(narrower).encode()).content)

    planned.approve(plan)
    printer = SlowPrinter(planned.hub.printer, say_less)
    World(replace(planned.hub, printer=printer), planned.secrets, planned.clock).work()
    planned.work()
    assert len(made) > 1
    found = planned.delivery(GP)
    assert found["state"] == "sent"
    letter = planned.get(f"/mailbox/{found['delivery']}", GP).text
    assert "hashen" not in letter


def test_consent_lapses_by_itself(planned: World, plan: str) -> None:
    planned.clock.advance(days=400)
    for who in PARTIES:
        assert planned.get(f"/fhir/CarePlan/{plan}", who).status_code == 404
        assert planned.letters(who) == []


# Approval


def test_only_who_does_not_wait_for_it_registers_an_approval(planned: World, plan: str) -> None:
    assert planned.post("/fhir/Consent", GP, approval(plan)).status_code == 404
    assert planned.delivery(GP)["state"] == "blocked"


def test_an_approval_is_by_the_plan_s_own_citizen(planned: World, plan: str) -> None:
    answer = planned.post("/fhir/Consent", RUS, approval(plan, cpr="1507729995"))
    assert answer.status_code == 422
    assert planned.delivery(GP)["state"] == "blocked"


def test_an_approval_of_a_version_there_is_not_is_refused(planned: World, plan: str) -> None:
    assert planned.post("/fhir/Consent", RUS, approval(plan, 9)).status_code == 404
    assert planned.post("/fhir/Consent", RUS, approval(CPR_1)).status_code == 404


def test_a_no_after_a_yes_takes_it_back_while_nothing_has_left(planned: World, plan: str) -> None:
    planned.approve(plan)
    assert planned.delivery(GP)["state"] == "due"
    planned.clock.advance(minutes=1)
    planned.approve(plan, decision="no")
    gp = planned.delivery(GP)
    assert gp["state"] == "blocked"
    assert ("approve", gp["delivery"]) in planned.tasks(RUS)

"""What the broker gave up, and what was set aside: looked at, put back, or let go, by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.model.party import SYSTEM
from hub.ports import InboundMessage, answers_queue, deliveries_queue
from hub.services import retention
from hub.services.accept import accept
from hub.services.worker import maintain, receive
from tests.api.operating import audited
from tests.api.test_health import BrokenValidator
from tests.api.world import (
    CPR_1,
    KOORD_OWN,
    OPERATOR,
    OPERATOR_VIEW,
    PLAN_1,
    PSYK,
    RUS,
    TREATMENT,
    World,
    changed_plan,
    problem,
)

WHY = "Filteret i kommunens brovagt er rettet"
LIMIT = "delivery-limit in ki.inbound"


def dies(
    world: World, body: bytes, *, user: str = PSYK, format: str = "behandlingsplan",
    message_id: str | None = "m-1", reason: str = LIMIT,
) -> None:  # fmt: skip
    """The broker gives a message up."""
    receive(
        world.hub,
        InboundMessage("dead", user, format, message_id, "application/xml", body, reason),
    )


def letters(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get("/operations/dead-letters", OPERATOR).json()
    return found


def ask(world: World, what: str, letter: str, reason: str = WHY) -> httpx.Response:
    url = f"/operations/dead-letters/{letter}/{what}"
    return world.request("POST", url, OPERATOR, json={"reason": reason})


def tasks(world: World) -> list[str]:
    with world.hub.store.reading() as work:
        return [t.kind for t in work.journal.tasks(SYSTEM)]


def test_it_is_listed_by_its_envelope_alone(world: World) -> None:
    dies(world, TREATMENT)
    (letter,) = letters(world)
    told = {k: letter[k] for k in ("way", "sender", "queue", "reason", "format", "about", "bytes")}
    assert told == {
        "way": "document", "sender": PSYK, "queue": "ki.inbound", "reason": LIMIT,
        "format": "behandlingsplan", "about": "m-1", "bytes": len(TREATMENT),
    }  # fmt: skip
    assert world.get(f"/operations/dead-letters/{letter['letter']}", OPERATOR).json() == letter
    assert tasks(world) == ["dead-letter"]


def test_what_a_party_named_with_a_citizen_s_number_is_not_shown(world: World) -> None:
    dies(world, b"x", format=f"vum-{CPR_1}", message_id=CPR_1)
    assert CPR_1 not in json.dumps(letters(world))


def test_a_look_is_audited_with_name_and_reason_before_a_byte_is_shown(world: World) -> None:
    dies(world, TREATMENT)
    (letter,) = letters(world)
    problem(ask(world, "bytes", letter["letter"], f"Om {CPR_1}"), 422)
    assert audited(world, "break-glass") == []
    answer = ask(world, "bytes", letter["letter"])
    assert answer.content == TREATMENT
    assert answer.headers["content-disposition"].startswith("attachment")
    (row,) = audited(world, "break-glass")
    assert (row["actor"], row["party"], row["reason"]) == ("Drift Demo", PSYK, WHY)


def test_a_document_comes_in_again_as_its_sender_s_and_only_once(world: World) -> None:
    world.consent()
    dies(world, TREATMENT)
    (letter,) = letters(world)
    became = ask(world, "replay", letter["letter"]).json()["became"]
    world.work()
    item = next(i for i in world.kept() if i.id == became.removeprefix("message/"))
    assert (item.sender, item.message_id, item.channel) == (PSYK, "m-1", "amqp")
    assert item.state == "unattached"
    assert letters(world) == []
    assert "dead-letter" not in tasks(world)
    problem(ask(world, "replay", letter["letter"]), 404)
    # The broker brings it once more, and it is put back once more: nothing is done twice.
    dies(world, TREATMENT)
    before = len(world.kept())
    assert ask(world, "replay", letters(world)[0]["letter"]).json()["became"] == became
    assert len(world.kept()) == before
    (one, _) = audited(world, "replay")
    assert (one["actor"], one["detail"]) == ("Drift Demo", became)


def test_what_cannot_come_in_stays_where_it_is(world: World) -> None:
    dies(world, b"", reason=f"too-large in ki.inbound: {10**9} bytes")
    dies(world, TREATMENT, user="nobody-here")
    dies(world, TREATMENT, format="no-such-format")
    dies(world, TREATMENT, reason="no-user-id in ki.inbound", user="")
    said = [ask(world, "replay", letter["letter"]).status_code for letter in letters(world)]
    assert said == [422, 422, 415, 422]
    assert len(letters(world)) == 4
    assert audited(world, "replay") == []


def test_a_receipt_that_died_settles_its_delivery(planned: World) -> None:
    sent = planned.delivery(KOORD_OWN)["delivery"]
    body = json.dumps({"delivery": sent, "outcome": "ok"}).encode()
    dies(planned, body, user=KOORD_OWN, format="", reason="delivery-limit in ki.receipts")
    (letter,) = letters(planned)
    assert letter["way"] == "receipt"
    assert ask(planned, "replay", letter["letter"]).json()["became"] == f"delivery/{sent}"
    assert planned.delivery(KOORD_OWN)["state"] == "delivered"


def given_up(world: World) -> str:
    """The broker gave a delivery of the hub's up."""
    sent = world.delivery(KOORD_OWN)["delivery"]
    reason = f"delivery-limit in {deliveries_queue(KOORD_OWN)}"
    dies(world, b"%PDF-", user="", format="", message_id=sent, reason=reason)
    assert world.delivery(KOORD_OWN)["state"] == "dead"
    return str(sent)


def test_a_delivery_that_died_is_sent_again(planned: World) -> None:
    sent = given_up(planned)
    (letter,) = letters(planned)
    assert (letter["way"], letter["about"]) == ("delivery", sent)
    assert ask(planned, "replay", letter["letter"]).json()["became"] == f"delivery/{sent}"
    planned.work()
    assert planned.delivery(KOORD_OWN)["state"] == "sent"
    assert letters(planned) == []
    assert {"dead", "dead-letter"} & set(tasks(planned)) == set()


def test_an_overtaken_delivery_is_not_put_back(planned: World) -> None:
    given_up(planned)
    planned.clock.advance(minutes=1)
    planned.publish_plan(changed_plan(title="Ny titel"))
    planned.work()
    (letter,) = letters(planned)
    (issue,) = problem(ask(planned, "replay", letter["letter"]), 422)
    assert "has taken its place" in issue["details"]["text"]
    assert len(letters(planned)) == 1


def test_a_party_s_message_under_a_delivery_s_id_is_no_delivery(planned: World) -> None:
    sent = planned.delivery(KOORD_OWN)["delivery"]
    reason = f"delivery-limit in {deliveries_queue(KOORD_OWN)}"
    dies(planned, b"x", user=PSYK, message_id=sent, reason=reason)
    (letter,) = letters(planned)
    assert letter["way"] == "unknown"
    problem(ask(planned, "replay", letter["letter"]), 422)
    assert planned.delivery(KOORD_OWN)["state"] == "sent"


def test_an_answer_that_died_is_put_on_its_sender_s_queue_again(world: World) -> None:
    world.consent()
    (item,) = [i for i in world.kept() if i.sender == RUS]
    reason = f"delivery-limit in {answers_queue(RUS)}"
    dies(world, b"{}", user="", format="", message_id=item.id, reason=reason)
    (letter,) = letters(world)
    assert ask(world, "replay", letter["letter"]).json()["became"] == f"message/{item.id}"
    world.work()
    with world.hub.store.reading() as work:
        assert [m.key for m in work.queues.waiting(answers_queue(RUS))] == [item.id]


def test_what_is_let_go_is_kept_for_the_days_of_what_could_not_be_read(world: World) -> None:
    dies(world, TREATMENT)
    dies(world, b"another", message_id="m-2")
    first, _ = letters(world)
    problem(ask(world, "discard", first["letter"], " "), 422)
    assert ask(world, "discard", first["letter"]).status_code == 204
    assert len(letters(world)) == 1
    assert kept(world, first["letter"]) == TREATMENT
    world.clock.now += timedelta(days=world.hub.limits.refused_days + 1)
    maintain(world.hub)
    assert kept(world, first["letter"]) == b""
    # Nobody can look any more at the other one, so nobody is asked to.
    assert letters(world) == []
    assert tasks(world) == []


def test_a_legal_hold_keeps_the_bytes_of_its_plan(planned: World, plan: str) -> None:
    given_up(planned)
    (letter,) = letters(planned)
    retention.hold(planned.hub, OPERATOR_VIEW, plan, reason="Klagesag")
    planned.clock.now += timedelta(days=planned.hub.limits.refused_days + 1)
    maintain(planned.hub)
    assert kept(planned, letter["letter"]) == b"%PDF-"
    assert len(letters(planned)) == 1


def kept(world: World, letter: str) -> bytes:
    with world.hub.store.reading() as work:
        found = work.queues.get("ki.dead", letter)
    assert found is not None
    return found.body


# What was set aside


@pytest.fixture
def aside(world: World) -> str:
    """The lead's plan broke the hub every time; the id of its message."""
    world.consent()
    world.hub = replace(world.hub, limits=replace(world.hub.limits, process_attempts=2))
    failing = World(replace(world.hub, validator=BrokenValidator()), world.secrets, world.clock)
    with world.hub.store.reading() as work:
        lead = work.parties.get(RUS)
    assert lead is not None
    item = accept(world.hub, lead.party, "fhir", PLAN_1, "application/fhir+json").item
    for _ in range(failing.hub.limits.process_attempts):
        failing.clock.advance(minutes=5)
        failing.work()
    assert {i.id: i.state for i in failing.kept()}[item.id] == "set-aside"
    return item.id


def release(world: World, message: str, reason: str = WHY) -> httpx.Response:
    url = f"/operations/messages/{message}/release"
    return world.request("POST", url, OPERATOR, json={"reason": reason})


def test_what_was_set_aside_is_processed_once_the_cause_is_mended(world: World, aside: str) -> None:
    problem(release(world, aside, " "), 422)
    assert release(world, aside).status_code == 204
    assert tasks(world) == []
    world.work()
    found = world.get(f"/messages/{aside}", RUS)
    assert found.status_code == 200
    assert world.get(f"/operations/messages/{aside}", OPERATOR).json()["state"] == "applied"
    (row,) = audited(world, "release")
    assert (row["actor"], row["reason"]) == ("Drift Demo", WHY)
    problem(release(world, aside), 422)


def test_what_breaks_the_hub_again_is_set_aside_again_with_its_task(
    world: World, aside: str
) -> None:
    failing = World(replace(world.hub, validator=BrokenValidator()), world.secrets, world.clock)
    assert release(world, aside).status_code == 204
    for _ in range(failing.hub.limits.process_attempts):
        failing.clock.advance(minutes=5)
        failing.work()
    assert world.get(f"/operations/messages/{aside}", OPERATOR).json()["state"] == "set-aside"
    assert tasks(world) == ["set-aside"]


def test_a_newer_document_of_the_case_stands(world: World, aside: str) -> None:
    world.clock.advance(minutes=1)
    newer = changed_plan(title="Den nyeste")
    assert world.post("/documents/fhir", RUS, newer).status_code == 200
    assert release(world, aside).status_code == 204
    world.work()
    plan = world.get("/operations/deliveries", OPERATOR).json()[0]["plan"]
    shown = world.get(f"/fhir/CarePlan/{plan}", RUS).json()
    assert shown["title"] == "Den nyeste"


def test_deleted_bytes_cannot_be_released(world: World, aside: str) -> None:
    world.clock.now += timedelta(days=world.hub.limits.refused_days + 1)
    maintain(world.hub)
    (issue,) = problem(release(world, aside), 422)
    assert "deleted" in issue["details"]["text"]
    problem(release(world, "no-such"), 404)

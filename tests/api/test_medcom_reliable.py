"""MedCom's reliable messaging: the four cases of a known message, missing and late answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.medcom import acknowledge
from adapters.medcom.message import Message
from hub.fhir.codec import dump_json
from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.services.admin import pause, resume
from hub.services.hub import new_id
from hub.services.queries import delivery_detail
from hub.services.worker import maintain
from tests.api.medcom import (
    FORMAT,
    Practice,
    header,
    message_id,
    renamed,
    response,
)
from tests.api.world import GP, OPERATOR, SOCIAL, World, outcome_of
from tests.unit.medcom.messages import raw

Json = dict[str, Any]


@pytest.fixture
def gp(planned: World, plan: str) -> Practice:
    found = Practice(planned, plan)
    found.acknowledge(found.first())
    return found


@pytest.fixture
def waiting(planned: World, plan: str) -> Practice:
    """A first copy that nobody has acknowledged."""
    found = Practice(planned, plan)
    found.first()
    return found


def letters(gp: Practice) -> int:
    with gp.world.hub.store.reading() as work:
        return len(work.conversations.letters(gp.plan))


def sent_reply(gp: Practice) -> Json:
    """A reply that was received and acknowledged ok."""
    reply = gp.reply(first_copy(gp))
    assert gp.send(reply).status_code == 200
    gp.world.work()
    assert [response(a) for a in gp.answers()] == [(message_id(reply), "ok")]
    return reply


def first_copy(gp: Practice) -> Json:
    with gp.world.hub.store.reading() as work:
        delivery = work.deliveries.of_plan(gp.plan, GP)[0].id
        kept = work.deliveries.get(delivery, SYSTEM, body=True)
    assert kept is not None
    assert kept.body is not None
    found: Json = json.loads(kept.body)
    return found


# A CareCommunication that comes again: envelope id x message id


def test_both_new_is_processed_and_acknowledged(gp: Practice) -> None:
    sent_reply(gp)
    gp.send(gp.reply(first_copy(gp), "Endnu et svar."))
    gp.world.work()
    assert letters(gp) == 2
    assert len(gp.answers()) == 2


def test_both_known_is_not_processed_and_answered_again(gp: Practice) -> None:
    reply = sent_reply(gp)
    gp.world.clock.advance(seconds=5)
    answer = gp.send(reply)
    assert answer.headers["KI-Hub-Duplicate"] == "true"
    gp.world.clock.advance(seconds=5)
    gp.send(reply)
    gp.world.work()
    assert letters(gp) == 1
    assert_same_answer_in_new_envelopes(gp, reply, 3)


def test_both_known_in_other_bytes_too(gp: Practice) -> None:
    """Known by its ids, whatever the order of its entries."""
    reply = sent_reply(gp)
    first, *others = reply["entry"]
    gp.world.clock.advance(seconds=5)
    gp.send(reply | {"entry": [first, *reversed(others)]})
    gp.world.work()
    assert letters(gp) == 1
    assert_same_answer_in_new_envelopes(gp, reply, 2)


def test_a_known_message_in_a_new_envelope_is_answered_as_at_first(gp: Practice) -> None:
    reply = sent_reply(gp)
    gp.world.clock.advance(minutes=30)
    answer = gp.send(renamed(reply, message=False))
    assert answer.status_code == 200
    gp.world.work()
    assert letters(gp) == 1
    assert_same_answer_in_new_envelopes(gp, reply, 2)


def assert_same_answer_in_new_envelopes(gp: Practice, reply: Json, number: int) -> None:
    answers = gp.answers()
    assert len(answers) == number
    assert {response(a) for a in answers} == {(message_id(reply), "ok")}
    assert len({message_id(a) for a in answers}) == 1
    assert len({a["id"] for a in answers}) == number


def test_a_known_envelope_with_a_new_message_is_an_error(gp: Practice) -> None:
    reply = sent_reply(gp)
    other = renamed(reply, envelope=False)
    answer = gp.send(other)
    assert answer.status_code == 409
    (issue,) = outcome_of(answer)["issue"]
    assert issue["expression"] == ["Bundle.id"]
    gp.world.work()
    assert letters(gp) == 1
    fatal = gp.answers()[-1]
    assert response(fatal) == (message_id(other), "fatal-error")
    outcome = Message(fatal).of_type("OperationOutcome")[0]
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "MSG_DUPLICATE_ID"
    assert gp.world.inbox(answer).state == "refused"
    # The first one's answer is what it was.
    gp.world.clock.advance(seconds=5)
    gp.send(reply)
    gp.world.work()
    assert response(gp.answers()[-1]) == (message_id(reply), "ok")


@pytest.mark.parametrize("envelope", [True, False], ids=["new-envelope", "known-envelope"])
def test_the_content_of_a_known_message_is_not_read(gp: Practice, envelope: bool) -> None:
    """The ids decide: the first answer again. That it said something else, the audit tells."""
    reply = sent_reply(gp)
    changed = renamed(reply, message=False, envelope=envelope)
    Message(changed).communication["payload"][-1]["contentString"] = "Noget helt andet."
    gp.world.clock.advance(seconds=5)
    answer = gp.send(changed)
    assert answer.status_code == 200
    gp.world.work()
    assert letters(gp) == 1
    assert_same_answer_in_new_envelopes(gp, reply, 2)
    item = max(gp.world.kept(), key=lambda i: i.received_at)
    with gp.world.hub.store.reading() as work:
        (row,) = work.journal.audit_of(f"inbox/{item.id}")
    assert row["detail"].endswith(", other content was not read")


def test_the_same_ids_from_another_unit_are_another_message(gp: Practice) -> None:
    reply = sent_reply(gp)
    with gp.world.hub.store.reading() as work:
        assert work.conversations.message(GP, message_id(reply)) is not None
        assert work.conversations.message(SOCIAL, message_id(reply)) is None


def test_a_refused_message_is_refused_again_in_a_new_envelope(gp: Practice) -> None:
    reply = gp.reply(first_copy(gp))
    del Message(reply).communication["category"]
    reply = renamed(reply)
    for bundle in (reply, renamed(reply, message=False)):
        assert gp.send(bundle).status_code == 422
    gp.world.work()
    answers = gp.answers()
    assert [response(a) for a in answers] == [(message_id(reply), "fatal-error")] * 2
    said = Message(answers[0]).of_type("OperationOutcome")[0]["issue"]
    assert any("category" in i["details"]["text"] for i in said)
    assert said == Message(answers[1]).of_type("OperationOutcome")[0]["issue"]


# An Acknowledgement that comes again


def history(gp: Practice) -> list[str]:
    delivery = gp.world.delivery(GP, version=1)["delivery"]
    return [e.state.value for e in delivery_detail(gp.world.hub, SYSTEM, delivery).history]


def test_an_acknowledgement_both_new_then_both_known(waiting: Practice) -> None:
    made = acknowledge(waiting.newest(), code="ok", now=waiting.world.clock(), id_for=fixed("1"))
    for _ in range(2):
        assert waiting.send(made).status_code == 200
    waiting.world.work()
    assert history(waiting).count("delivered") == 1
    assert waiting.answers() == []


def test_an_acknowledgement_known_in_a_new_envelope(waiting: Practice) -> None:
    made = acknowledge(waiting.newest(), code="ok", now=waiting.world.clock(), id_for=fixed("1"))
    waiting.send(made)
    assert waiting.send(renamed(made, message=False)).status_code == 200
    waiting.world.work()
    assert history(waiting).count("delivered") == 1
    assert waiting.answers() == []


def test_an_acknowledgements_envelope_with_another_message(waiting: Practice) -> None:
    copy = waiting.newest()
    made = acknowledge(copy, code="transient-error", now=waiting.world.clock(), id_for=fixed("1"))
    waiting.send(made)
    other = acknowledge(copy, code="fatal-error", now=waiting.world.clock(), id_for=fixed("2"))
    assert waiting.send(other | {"id": made["id"]}).status_code == 409
    waiting.world.work()
    assert waiting.world.delivery(GP)["state"] == "retry_at"
    assert waiting.answers() == []


def fixed(scope: str) -> Any:
    return lambda key: new_id() if "bundle" in key else f"{scope}-{key.replace('/', '-')}"[:64]


# What the hub could not process


def test_after_a_transient_error_a_resend_is_processed(
    gp: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = gp.reply(first_copy(gp))
    with monkeypatch.context() as broken:
        broken.setattr("hub.services.process.receive_letter", _breaks)
        gp.send(reply)
        for _ in range(10):
            gp.world.clock.advance(minutes=2)
            gp.world.work()
    assert response(gp.answers()[-1]) == (message_id(reply), "transient-error")
    assert ("set-aside", None) in operators_tasks(gp.world)
    again = renamed(reply, message=False)
    assert gp.send(again).status_code == 200
    gp.world.work()
    assert response(gp.answers()[-1]) == (message_id(reply), "ok")
    assert letters(gp) == 1
    # And the very same bytes as well, from now on a duplicate.
    gp.send(again)
    gp.world.work()
    assert letters(gp) == 1


def _breaks(*_: object) -> None:
    raise RuntimeError("broken")


def operators_tasks(world: World) -> list[tuple[str, str | None]]:
    with world.hub.store.reading() as work:
        return [(t.kind, t.delivery_id) for t in work.journal.tasks(SYSTEM)]


# The timer


def test_no_answer_in_thirty_minutes_is_sent_again_twice_and_then_a_person(
    waiting: Practice,
) -> None:
    envelopes, times = [], []
    for _ in range(3):
        copy = waiting.newest()
        envelopes.append(copy["id"])
        times.append((copy["timestamp"], Message(copy).current_provenance()[0]["recorded"]))
        waiting.world.clock.advance(minutes=29)
        waiting.world.work()
        assert waiting.newest()["id"] == copy["id"]
        waiting.world.clock.advance(minutes=2)
        waiting.world.work()
    assert len(set(envelopes)) == len(set(times)) == 3
    assert history(waiting).count("sending") == 3
    found = waiting.world.delivery(GP)
    # It lies in the mailbox; nothing but the answer is missing, and a person is asked.
    assert (found["state"], found["attempts"]) == ("sent", 3)
    assert ("unanswered", found["delivery"]) in operators_tasks(waiting.world)
    waiting.world.clock.advance(hours=5)
    waiting.world.work()
    assert history(waiting).count("sending") == 3
    waiting.acknowledge(waiting.newest())
    assert waiting.world.delivery(GP)["state"] == "delivered"
    assert ("unanswered", found["delivery"]) not in operators_tasks(waiting.world)


def test_a_resend_keeps_the_message_and_all_it_says(waiting: Practice) -> None:
    one = waiting.newest()
    waiting.world.clock.advance(minutes=31)
    waiting.world.work()
    two = waiting.newest()
    assert message_id(two) == message_id(one)
    assert header(two) == header(one)
    changed = {
        r["resourceType"]
        for r, s in zip(Message(one).resources, Message(two).resources, strict=True)
        if r != s
    }
    assert changed == {"Provenance"}
    adapter = waiting.world.hub.adapters.adapter(FORMAT)
    assert adapter.fingerprint(raw(one)) == adapter.fingerprint(raw(two))


def test_what_left_the_hub_and_is_never_answered_is_dead(waiting: Practice) -> None:
    """Not in the hub's own mailbox any more: taken, and not acknowledged."""
    with waiting.world.hub.store.writing() as work:
        delivery = waiting.world.delivery(GP)["delivery"]
        work.queues.settle(f"party.{GP}.deliveries", delivery, waiting.world.clock())
        work.commit()
    for _ in range(3):
        waiting.world.clock.advance(minutes=31)
        waiting.world.work()
    found = waiting.world.delivery(GP)
    assert (found["state"], found["attempts"]) == ("dead", 3)
    assert "No acknowledgement came" in found["reason"]
    assert ("dead", delivery) in operators_tasks(waiting.world)


def test_an_answer_in_time_stops_the_timer(waiting: Practice) -> None:
    waiting.acknowledge(waiting.newest())
    waiting.world.clock.advance(hours=2)
    waiting.world.work()
    assert history(waiting).count("sending") == 1


def test_a_transient_error_is_sent_again_and_a_later_ok_holds(waiting: Practice) -> None:
    copy = waiting.newest()
    waiting.acknowledge(copy, "transient-error")
    assert waiting.world.delivery(GP)["state"] == "retry_at"
    waiting.acknowledge(copy)
    assert waiting.world.delivery(GP)["state"] == "delivered"
    waiting.world.clock.advance(hours=2)
    waiting.world.work()
    assert history(waiting).count("sending") == 1


def test_after_two_resends_a_transient_error_is_a_persons(waiting: Practice) -> None:
    for _ in range(3):
        waiting.acknowledge(waiting.newest(), "transient-error")
        waiting.world.clock.advance(minutes=31)
        waiting.world.work()
    found = waiting.world.delivery(GP)
    assert (found["state"], found["attempts"]) == ("dead", 3)
    assert ("dead", found["delivery"]) in operators_tasks(waiting.world)


def test_a_late_ok_to_what_was_given_up_is_delivered(waiting: Practice) -> None:
    copy = waiting.newest()
    for _ in range(3):
        waiting.acknowledge(waiting.newest(), "transient-error")
        waiting.world.clock.advance(minutes=31)
        waiting.world.work()
    assert waiting.acknowledge(copy).status_code == 200
    found = waiting.world.delivery(GP)
    assert found["state"] == "delivered"
    assert ("dead", found["delivery"]) not in operators_tasks(waiting.world)


def test_a_fatal_error_is_a_persons_and_no_ok_takes_it_back(waiting: Practice) -> None:
    copy = waiting.newest()
    waiting.acknowledge(copy, "fatal-error")
    found = waiting.world.delivery(GP)
    assert found["state"] == "dead"
    assert ("dead", found["delivery"]) in operators_tasks(waiting.world)
    assert waiting.acknowledge(copy).status_code == 200
    assert waiting.world.delivery(GP)["state"] == "dead"
    detail = delivery_detail(waiting.world.hub, SYSTEM, found["delivery"])
    assert "Answered once more (ok)" in detail.history[-1].reason


def test_an_unknown_acknowledgement_is_kept_and_audited(waiting: Practice) -> None:
    copy = renamed(waiting.newest())
    answer = waiting.acknowledge(copy)
    assert answer.status_code == 404
    item = waiting.world.inbox(answer)
    assert (item.state, item.body is not None) == ("refused", True)
    with waiting.world.hub.store.reading() as work:
        (row,) = work.journal.audit_of(f"inbox/{item.id}")
    assert (row["action"], row["outcome"]) == ("receive", "refused")
    waiting.world.work()
    assert waiting.answers() == []


def test_an_acknowledgement_is_never_acknowledged(gp: Practice) -> None:
    """Not even ours, whatever its receiver sends back."""
    sent_reply(gp)
    (answer,) = gp.answers()
    before = len(gp.world.deliveries())
    body = dump_json(answer).replace(b'"acknowledgement"', b'"new-message"')
    pretended = json.loads(body)
    pretended["entry"][0]["resource"]["eventCoding"] = header(answer)["eventCoding"]
    for bundle in (answer, pretended):
        gp.send(renamed(bundle))
    gp.world.work()
    assert len(gp.world.deliveries()) == before
    assert len(gp.answers()) == 1


def test_acknowledgements_are_deliveries_an_operator_can_follow(gp: Practice) -> None:
    sent_reply(gp)
    (found,) = [d for d in gp.world.deliveries() if not d["plan"]]
    assert (found["receiver"], found["state"]) == (GP, "delivered")
    assert found["delivery"] in gp.world.letters(GP)
    assert gp.world.receipt(found["delivery"], GP).status_code == 200
    assert found["delivery"] not in gp.world.letters(GP)
    assert gp.world.get(f"/operations/deliveries?receiver={GP}", OPERATOR).status_code == 200


def test_an_old_acknowledgement_goes_and_a_resend_is_answered_all_the_same(gp: Practice) -> None:
    reply = sent_reply(gp)
    (found,) = [d["delivery"] for d in gp.world.deliveries() if not d["plan"]]
    gp.world.clock.advance(days=364)
    maintain(gp.world.hub)
    assert found in gp.world.letters(GP)
    gp.world.clock.advance(days=2)
    maintain(gp.world.hub)
    assert found not in gp.world.letters(GP)
    with gp.world.hub.store.reading() as work:
        kept = work.deliveries.get(found, SYSTEM, body=True)
    assert kept is not None
    assert (kept.state, kept.body) == (State.DELIVERED, None)
    assert gp.world.receipt(found, GP).status_code == 200, "a late answer is no fault"
    gp.send(reply)
    gp.world.work()
    assert [response(a) for a in gp.answers()] == [(message_id(reply), "ok")]


def test_a_paused_unit_gets_its_acknowledgement_when_it_is_resumed(gp: Practice) -> None:
    reply = gp.reply(first_copy(gp))
    pause(gp.world.hub, GP, by="Drift", reason="Systemskifte")
    gp.send(reply)
    gp.world.work()
    assert gp.answers() == []
    resume(gp.world.hub, GP, by="Drift", reason="Flyttet")
    gp.world.work()
    assert [response(a) for a in gp.answers()] == [(message_id(reply), "ok")]

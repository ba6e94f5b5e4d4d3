"""What a GP writes back: kept with the plan, read by who may, and acknowledged."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from adapters.medcom.message import Message
from hub.contract import Identifier
from hub.fhir import names
from hub.model.party import SYSTEM
from hub.services.overview import plan_history
from tests.api.medcom import (
    Practice,
    activity,
    fresh,
    header,
    message_id,
    renamed,
    response,
    spoken,
    thread_of,
)
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    CPR_2,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    OPERATOR,
    OPERATOR_VIEW,
    PSYK,
    RUS,
    SOCIAL,
    World,
    outcome_of,
    problem,
)
from tests.unit.medcom.messages import forwarded

Json = dict[str, Any]
WORDS = "Jeg har set patienten i dag og har ændret medicinen."


@pytest.fixture
def gp(planned: World, plan: str) -> Practice:
    found = Practice(planned, plan)
    found.acknowledge(found.first())
    return found


def first_copy(gp: Practice) -> Json:
    with gp.world.hub.store.reading() as work:
        rows = [d for d in work.deliveries.of_plan(gp.plan, gp.party) if d.sequence is not None]
        kept = work.deliveries.get(rows[0].id, SYSTEM, body=True)
    assert kept is not None
    assert kept.body is not None
    found: Json = json.loads(kept.body)
    return found


def read(gp: Practice, who: str) -> list[str]:
    answer = gp.world.get(f"/plans/{gp.plan}/letters", who)
    assert answer.status_code == 200, answer.text
    return [x["text"] for x in answer.json()]


def new_message(gp: Practice, cpr: str | None = None) -> Json:
    """The practice begins a thread of its own, about a citizen."""
    bundle = gp.reply(first_copy(gp), WORDS)
    message = Message(bundle)
    (own,) = message.current_provenance()
    own["activity"]["coding"][0]["code"] = "new-message"
    own["entity"] = [e for e in own["entity"] if e["role"] == "source"]
    message.communication["payload"] = message.communication["payload"][-1:]
    message.communication["identifier"] = [{"value": f"urn:uuid:{fresh('')}"}]
    bundle["entry"] = [
        e
        for e in bundle["entry"]
        if e["resource"]["resourceType"] != "Provenance" or e["resource"] is own
    ]
    made = renamed(bundle)
    if cpr is not None:
        made = json.loads(json.dumps(made).replace(CPR_1, cpr))
    return made


def test_a_reply_is_kept_with_the_plan_and_the_lead_is_asked(gp: Practice) -> None:
    reply = gp.reply(first_copy(gp), WORDS)
    answer = gp.send(reply)
    assert answer.status_code == 200
    assert ("correspondence", None) in gp.world.tasks(RUS)
    assert read(gp, RUS) == [WORDS]
    gp.world.work()
    assert [response(a) for a in gp.answers()] == [(message_id(reply), "ok")]


def test_the_answer_holds_nothing_of_the_citizen(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    gp.world.work()
    said = json.dumps(gp.answers(), ensure_ascii=False)
    assert not any(private in said for private in (CPR_1, "Karla", "Nygaard", WORDS))


def test_the_lead_and_covered_coordinators_read_it_and_nobody_else(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    assert read(gp, RUS) == read(gp, KOORD_OWN) == read(gp, GP) == [WORDS]
    for who in (PSYK, SOCIAL):
        assert read(gp, who) == []
    assert gp.world.get(f"/plans/{gp.plan}x/letters", RUS).status_code == 404
    row = gp.world.get(f"/operations/plans/{gp.plan}", OPERATOR)
    assert [(x["from"], x["kind"]) for x in row.json()["letters"]] == [(GP, "reply")]
    assert WORDS not in row.text


def test_a_coordinator_without_every_section_does_not_read_it(gp: Practice) -> None:
    """A letter has no section label: it may be about anything."""
    gp.send(gp.reply(first_copy(gp), WORDS))
    consent = json.loads(CONSENT_1) | {"id": "snaevrere"}
    for rule in consent["provision"]["provision"]:
        rule["type"] = "deny"
        rule["securityLabel"] = [{"system": names.SECTION_CODE, "code": "crime"}]
    gp.world.post("/fhir/Consent", RUS, json.dumps(consent).encode())
    assert read(gp, KOORD_OWN) == []
    # It was written to the lead's unit.
    assert read(gp, RUS) == [WORDS]


def test_reading_is_audited_before_it_is_shown(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    read(gp, KOORD_OWN)
    with gp.world.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{gp.plan}")
    found = [(r["actor"], r["action"]) for r in rows if r["detail"].startswith("letter/")]
    assert found == [(GP, "write"), (KOORD_OWN, "read")]


def test_the_task_is_done_when_a_person_says_so(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    (letter,) = gp.world.get(f"/plans/{gp.plan}/letters", RUS).json()
    url = f"/plans/{gp.plan}/letters/{letter['message']}/seen-to"
    said = {"person": "Mette Prøve, behandler"}
    assert gp.world.request("POST", url, SOCIAL, json=said).status_code == 404
    assert ("correspondence", None) in gp.world.tasks(RUS)
    assert gp.world.request("POST", url, RUS, json=said).status_code == 204
    assert ("correspondence", None) not in gp.world.tasks(RUS)


def test_the_next_version_replies_to_what_they_wrote(gp: Practice) -> None:
    one = first_copy(gp)
    reply = gp.reply(one, WORDS)
    gp.send(reply)
    two = gp.next("Planen efter mødet")
    assert (activity(two), thread_of(two)) == ("reply-message", thread_of(one))
    (current,) = Message(two).current_provenance()
    revision = next(e for e in current["entity"] if e["role"] == "revision")
    assert revision["what"]["reference"] == f"MessageHeader/{message_id(reply)}"
    assert WORDS in spoken(two)


def test_a_reply_in_an_older_thread_is_still_about_its_plan(gp: Practice) -> None:
    one = first_copy(gp)
    two = gp.next("Planen efter mødet")
    gp.acknowledge(two, "fatal-error")
    three = gp.next("Planen i december")
    assert thread_of(three) != thread_of(one)
    gp.acknowledge(three)
    assert gp.send(gp.reply(one, WORDS)).status_code == 200
    assert read(gp, RUS) == [WORDS]
    four = gp.next("Planen i januar")
    assert thread_of(four) == thread_of(three)
    assert WORDS not in spoken(four)


def test_a_forward_and_a_new_message_find_the_citizens_only_plan(gp: Practice) -> None:
    assert gp.send(renamed(forwarded(first_copy(gp)))).status_code == 200
    gp.world.clock.advance(seconds=1)
    assert gp.send(new_message(gp)).status_code == 200
    kinds = [x["kind"] for x in gp.world.get(f"/plans/{gp.plan}/letters", RUS).json()]
    assert kinds == ["forward", "new"]
    gp.world.work()
    assert {response(a)[1] for a in gp.answers()} == {"ok"}


def test_what_nobody_may_be_shown_is_sealed_in_the_same_words(gp: Practice) -> None:
    """An unknown citizen, and one the sender is in no plan of: nothing tells them apart."""
    unknown = gp.send(new_message(gp, CPR_2))
    with gp.world.hub.store.writing() as work:
        work.plans.add_citizen("en-anden", [Identifier(names.CPR, CPR_2)])
        work.commit()
    other = gp.send(new_message(gp, CPR_2))
    texts = {json.dumps(outcome_of(a)) for a in (unknown, other)}
    assert len(texts) == 1
    for answer in (unknown, other):
        problem(answer, 403)
        item = gp.world.inbox(answer, OPERATOR_VIEW)
        assert (item.state, item.body) == ("sealed", None)
    with gp.world.hub.store.reading() as work:
        assert [t.kind for t in work.journal.tasks(SYSTEM)].count("sealed") == 2
    gp.world.work()
    answers = gp.answers()
    assert {response(a)[1] for a in answers} == {"fatal-error"}
    details = {json.dumps(Message(a).of_type("OperationOutcome")[0]["issue"]) for a in answers}
    assert len(details) == 1
    assert read(gp, RUS) == []


def test_a_reply_after_the_consent_is_gone_is_sealed(gp: Practice) -> None:
    reply = gp.reply(first_copy(gp), WORDS)
    deny = json.loads(CONSENT_1) | {"id": "nej-tak"}
    for rule in deny["provision"]["provision"]:
        rule["type"] = "deny"
    gp.world.post("/fhir/Consent", RUS, json.dumps(deny).encode())
    answer = gp.send(reply)
    problem(answer, 403)
    assert gp.world.inbox(answer).state == "sealed"
    assert read(gp, RUS) == []
    gp.world.work()
    # The mailbox of a unit that takes no part holds the notice and the acknowledgement alone.
    answers = [m for m in gp.messages() if "response" in header(m)]
    assert len(gp.messages()) == 2
    assert [response(m) for m in answers] == [(message_id(reply), "fatal-error")]


def test_another_citizens_number_in_a_known_thread_is_a_persons_to_sort_out(gp: Practice) -> None:
    with gp.world.hub.store.writing() as work:
        work.plans.add_citizen("en-anden", [Identifier(names.CPR, CPR_2)])
        work.commit()
    reply = json.loads(json.dumps(gp.reply(first_copy(gp), WORDS)).replace(CPR_1, CPR_2))
    answer = gp.send(copy.deepcopy(reply))
    assert answer.status_code == 202
    assert gp.world.inbox(answer).state == "unattached"
    assert read(gp, RUS) == []
    with gp.world.hub.store.reading() as work:
        tasks = [(t.kind, t.party) for t in work.journal.tasks(SYSTEM)]
    assert ("correspondence", "operator") in tasks


def test_no_one_reads_letters_of_a_plan_they_do_not_know(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    assert gp.world.get(f"/plans/{gp.plan}/letters", KOORD_OTHER).status_code == 404


def test_the_operator_sees_that_it_came_and_not_what_it_says(gp: Practice) -> None:
    gp.send(gp.reply(first_copy(gp), WORDS))
    found = plan_history(gp.world.hub, OPERATOR_VIEW, gp.plan)
    assert [(x.sender, x.kind, x.text) for x in found.letters] == [(GP, "reply", "")]

"""A new version as a reply in the thread: what it repeats, and when a new thread begins."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.medcom import ADAPTER, parts, urls
from adapters.medcom.message import Message, payload_id, source_ids
from adapters.medcom.profiles import care_communication
from adapters.medcom.rules import check
from adapters.medcom.thread import MOST_ATTACHMENTS
from hub.capabilities import Conversing, Optioned
from hub.contract import Correspondence, Identifier, Party, Rendered
from hub.errors import Invalid
from hub.fhir import names
from hub.fhir.codec import dump_json
from tests.unit.medcom.messages import (
    GP,
    LATER,
    REPLY,
    SENDER,
    add,
    context,
    first,
    ids,
    narrated,
    raw,
    rendered,
    reply_to,
)
from tests.views import PLAN_1, parties, view_of

Json = dict[str, Any]


def version(number: int, before: Rendered | None = None, **kw: Any) -> Rendered:
    """The copy of that version, in the thread that the last one left."""
    view = replace(view_of(PLAN_1), version=number)
    fields: Json = {
        "scope": f"delivery-{number}",
        "now": LATER,
        "thread": before.thread if before else None,
        "may_repeat": before is not None,
    }
    return rendered(view, **(fields | kw))


def opened(made: Rendered) -> Message:
    """The message, which keeps every coded national rule."""
    bundle = json.loads(made.body)
    assert check(Message(bundle)) == ()
    assert list(care_communication(bundle)) == []
    return Message(bundle)


def key(made: Rendered) -> str:
    found = opened(made).communication["identifier"][0]["value"]
    assert made.thread_key == found
    return str(found)


def texts(message: Message) -> list[str]:
    payloads = message.communication["payload"]
    return [p["contentString"] for p in payloads if "contentString" in p]


def attachments(message: Message) -> list[Json]:
    payloads = message.communication["payload"]
    return [p["contentAttachment"] for p in payloads if "contentAttachment" in p]


def test_it_says_what_it_can() -> None:
    assert isinstance(ADAPTER, Conversing)
    assert isinstance(ADAPTER, Optioned)


def test_a_new_version_is_a_reply_to_the_last_message() -> None:
    one = version(1)
    two = version(2, one)
    before, after = opened(one), opened(two)
    assert key(two) == key(one)
    assert (one.repeats, two.repeats) == (False, True)
    assert two.message_id != one.message_id
    assert after.activity == "reply-message"
    (current,) = after.current_provenance()
    revisions = [e["what"] for e in current["entity"] if e["role"] == "revision"]
    assert revisions == [{"reference": f"MessageHeader/{one.message_id}"}]
    added = [payload_id(p) for p in after.communication["payload"][2:]]
    assert source_ids(current) == added
    assert texts(after)[0] == texts(before)[0]
    assert "version 2" in texts(after)[1]


def test_an_earlier_attachment_is_named_without_its_content() -> None:
    one = version(1)
    two = opened(version(2, one))
    earlier, new = attachments(two)
    assert set(earlier) == {"contentType", "title", "creation"}
    assert earlier["title"] == new["title"]
    assert new["data"]
    first_ids = [payload_id(p) for p in opened(one).communication["payload"]]
    assert [payload_id(p) for p in two.communication["payload"]][:2] == first_ids


def test_earlier_provenances_follow_unchanged() -> None:
    one = version(1)
    two = version(2, one)
    three = opened(version(3, two))
    assert len(three.of_type("Provenance")) == 3
    kept = {p["id"]: p for p in three.of_type("Provenance")}
    for earlier in (opened(one), opened(two)):
        (own,) = earlier.current_provenance()
        assert kept[own["id"]] == own


def test_everyone_keeps_the_id_they_have_in_the_thread() -> None:
    three = opened(version(3, version(2, version(1))))
    kinds = ("Patient", "Organization", "PractitionerRole", "Practitioner")
    assert [len(three.of_type(k)) for k in kinds] == [1, 2, 1, 1]


def test_it_is_repeatable() -> None:
    one = version(1)
    assert version(2, one).body == version(2, one).body
    assert json.loads(json.dumps(one.thread)) == one.thread


def test_a_new_thread_when_the_hub_says_so() -> None:
    """The receiver may see less now, or has not acknowledged the last message."""
    one = version(1)
    two = version(2, one, may_repeat=False)
    assert key(two) != key(one)
    assert not two.repeats
    assert opened(two).activity == "new-message"
    assert len(texts(opened(two))) == len(attachments(opened(two))) == 1
    assert len(opened(two).of_type("Provenance")) == 1


def _with_sor(party: Party, sor: str) -> Party:
    others = tuple(i for i in party.identifiers if i.system != names.SOR)
    return replace(party, identifiers=(Identifier(names.SOR, sor), *others))


@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_new_thread_when_a_sor_code_changed(side: str) -> None:
    one = version(1)
    changed: Json = (
        {"sender": _with_sor(SENDER, "999000000299")}
        if side == "sender"
        else {"gp": _with_sor(GP, "999000000399")}
    )
    two = version(2, one, **changed)
    assert key(two) != key(one)
    assert opened(two).activity == "new-message"


def test_a_new_thread_before_the_tenth_attachment() -> None:
    last = version(1)
    threads, counts = [key(last)], [1]
    for number in range(2, 13):
        last = version(number, last)
        threads.append(key(last))
        counts.append(len(attachments(opened(last))))
    assert counts == [*range(1, MOST_ATTACHMENTS + 1), 1, 2, 3]
    assert len(set(threads)) == 2


def test_a_state_that_cannot_be_read_begins_a_new_thread() -> None:
    one = version(1)
    for state in ({}, {"payloads": []}, {"communication": key(one), "payloads": ["x"]}):
        two = version(2, replace(one, thread=state))
        assert opened(two).activity == "new-message"


# Their answer in the thread


def answered(bundle: Json) -> tuple[Correspondence, Rendered]:
    """The reply as read, and the thread after it as the hub keeps it."""
    found = ADAPTER.parse(raw(bundle), context())
    assert isinstance(found, Correspondence)
    assert found.thread is not None
    return found, replace(version(1), thread={**(version(1).thread or {}), **found.thread})


def test_after_their_answer_the_next_version_replies_to_that() -> None:
    bundle = reply_to(json.loads(version(1).body))
    found, state = answered(bundle)
    assert (found.kind, found.in_reply_to) == ("reply", key(version(1)))
    assert found.citizen is not None
    assert found.citizen.identifiers[0].system == names.CPR
    two = opened(version(2, state))
    (current,) = two.current_provenance()
    revision = next(e for e in current["entity"] if e["role"] == "revision")
    assert revision["what"]["reference"] == f"MessageHeader/{bundle['entry'][0]['resource']['id']}"
    assert REPLY in texts(two)
    assert len(texts(two)) == 3
    assert len(two.of_type("Provenance")) == 3


def test_their_specific_sender_becomes_our_specific_recipient() -> None:
    bundle = reply_to(json.loads(version(1).body))
    role = next(
        r for r in Message(bundle).of_type("PractitionerRole") if r["code"][0]["text"] == "Læge"
    )
    extended = {"url": urls.SENDER, "valueReference": parts.reference(role)}
    first(bundle, "Communication")["extension"] = [extended]
    _, state = answered(narrated(bundle))
    two = opened(version(2, state))
    assert two.communication["recipient"] == [parts.reference(role)]
    assert "Specifik modtager / Specific recipient" in two.communication["text"]["div"]
    assert "recipient" not in opened(version(3, version(2, state))).communication


def test_their_episode_of_care_is_in_every_later_message() -> None:
    bundle = reply_to(json.loads(version(1).body))
    gp = Message(bundle).resolve(bundle["entry"][0]["resource"]["sender"])
    value = "8f1c7a52-3b0e-4f6c-9f57-0a4f8d9a1c33"
    encounter = {
        "resourceType": "Encounter",
        "id": ids("gp")("encounter"),
        "meta": {"profile": [urls.ENCOUNTER]},
        "status": "unknown",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": parts.reference(first(bundle, "Patient")),
        "episodeOfCare": [{"identifier": {"system": urls.sor_endpoint("1"), "value": value}}],
        "serviceProvider": parts.reference(gp),
    }
    add(bundle, encounter)
    first(bundle, "Communication")["encounter"] = parts.reference(encounter)
    _, state = answered(narrated(bundle))
    two = version(2, state)
    for made in (opened(two), opened(version(3, two))):
        found = made.resolve(made.communication["encounter"])
        assert found["episodeOfCare"] == encounter["episodeOfCare"]
        assert value in found["text"]["div"]


def test_every_number_of_the_citizen_that_was_received_is_echoed() -> None:
    bundle = reply_to(json.loads(version(1).body))
    extra = {"use": "temp", "system": names.X_ECPR, "value": "1206551VK9"}
    first(bundle, "Patient")["identifier"].append(extra)
    _, state = answered(narrated(bundle))
    two = version(2, state)
    for made in (opened(two), opened(version(3, two))):
        assert extra in made.of_type("Patient")[0]["identifier"]


def test_absolute_references_and_other_peoples_elements_are_not_repeated() -> None:
    bundle = reply_to(json.loads(version(1).body))
    gp = Message(bundle).resolve(bundle["entry"][0]["resource"]["sender"])
    gp["telecom"] = [{"system": "phone", "value": "+4500000399"}]
    body = dump_json(narrated(bundle)).replace(
        f'"Organization/{gp["id"]}"'.encode(),
        f'"https://laege-havnegade.example/fhir/Organization/{gp["id"]}"'.encode(),
    )
    _, state = answered(json.loads(body))
    two = opened(version(2, state))
    assert two.activity == "reply-message"
    assert b"+4500000399" not in version(2, state).body
    assert b"laege-havnegade.example" not in version(2, state).body


def test_a_thread_with_ids_that_cannot_be_repeated_ends() -> None:
    bundle = reply_to(json.loads(version(1).body))
    doctor = next(p for p in Message(bundle).of_type("Practitioner") if "Lise" in str(p))["id"]
    body = dump_json(bundle).replace(doctor.encode(), b"Lise_Praksistest")
    _, state = answered(json.loads(body))
    assert opened(version(2, state)).activity == "new-message"


def test_what_the_rules_forbid_to_repeat_begins_a_new_thread() -> None:
    """Their practitioner has a name by its rules, but the repeated one would have none."""
    one = version(1)
    assert one.thread is not None
    spoiled = copy.deepcopy(dict(one.thread))
    next(r for r in spoiled["resources"] if r["resourceType"] == "Practitioner")["name"] = [{}]
    two = version(2, replace(one, thread=spoiled))
    assert opened(two).activity == "new-message"


def test_any_unit_that_is_reached_by_medcom() -> None:
    unit = next(p for p in parties().values() if p.id == "koord-nordstrand")
    numbers = (Identifier(names.SOR, "999000000499"), Identifier(names.GLN, "5790009900047"))
    numbered = replace(unit, identifiers=(*unit.identifiers, *numbers))
    one = version(1, gp=numbered)
    two = version(2, one, gp=numbered)
    assert opened(two).activity == "reply-message"


# Options


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("category", "alcohol-and-drug-treatment"),
        ("category", "nonsense"),
        ("topic", "Plan for 020160-9996"),
        ("topic", "x" * 71),
        ("attachment-megabytes", "0"),
        ("attachment-megabytes", "51"),
        ("attachment-megabytes", "mange"),
        ("answer-minutes", "29"),
        ("resends", "4"),
        ("katagori", "nursing"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(option: str, value: str) -> None:
    assert isinstance(ADAPTER, Optioned)
    with pytest.raises(Invalid) as e:
        ADAPTER.check_options({option: value})
    assert e.value.issues[0].expression == f"options.{option}"


def test_patience_is_thirty_minutes_and_two_resends_unless_told() -> None:
    assert isinstance(ADAPTER, Conversing)
    default = ADAPTER.patience({})
    assert (default.wait.total_seconds(), default.resends) == (1800, 2)
    told = ADAPTER.patience({"answer-minutes": "60", "resends": "3"})
    assert (told.wait.total_seconds(), told.resends) == (3600, 3)

"""What stands around a document: message id, media type, size, and who it says sent it."""

from __future__ import annotations

import json

import httpx
import pytest

from hub.fhir.codec import parse_json
from hub.fhir.numbers import id_names_a_citizen
from hub.fhir.xml import to_xml
from hub.ports import InboundMessage, answers_queue
from hub.services.worker import receive
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    GOOD,
    OPERATOR,
    PLAN_1,
    PSYK,
    RUS,
    SENDERS,
    SOCIAL,
    World,
    problem,
)
from tests.views import ROOT

FHIR_XML = "application/fhir+xml"


def publish(
    world: World, url: str, body: bytes, media_type: str, who: str = RUS, **headers: str
) -> httpx.Response:
    sent = {"Content-Type": media_type} | {k.replace("_", "-"): v for k, v in headers.items()}
    return world.request("POST", url, who, content=body, headers=sent)


def as_xml(body: bytes) -> bytes:
    return to_xml(parse_json(body))


# Message ids

NUMBERS = [
    CPR_1, "020160-9996", "020160 9996", f"plan/{CPR_1}", f"MSG-2026-{CPR_1}", f"{CPR_1}-3",
    f"a_{CPR_1}_b", "urn:oid:1.2.208.176.1.2|x",
]  # fmt: skip
PLAIN = [
    "1789012345", "20260920100000", "0201609996123", f"x{CPR_1}y", "m-1",
    "02016099-1234-4abc-8def-0201609996ab", "00020160-9996-4abc-8def-000201609996",
]  # fmt: skip


@pytest.mark.parametrize("message_id", NUMBERS)
def test_a_message_id_with_a_citizens_number_is_refused(world: World, message_id: str) -> None:
    answer = world.post("/documents/fhir", RUS, PLAN_1, message_id=message_id)
    (issue,) = problem(answer, 422)
    assert issue["location"] == ["Message-Id"]
    assert CPR_1 not in answer.text
    assert world.kept() == []


@pytest.mark.parametrize("message_id", PLAIN)
def test_other_ids_are_taken(message_id: str) -> None:
    assert not id_names_a_citizen(message_id)


def test_over_the_broker_too_and_the_number_is_not_repeated(world: World) -> None:
    document = InboundMessage("document", RUS, "fhir", CPR_1, "application/fhir+json", PLAN_1)
    receive(world.hub, document)
    assert world.kept() == []
    with world.hub.store.reading() as work:
        (answer,) = work.queues.waiting(answers_queue(RUS))
    assert (answer.headers["ki-status"], answer.headers["ki-answers"]) == ("422", "")
    assert "citizen's number" in json.loads(answer.body)["issue"][0]["details"]["text"]


# Media types


def test_a_plan_in_xml_is_the_same_plan(world: World) -> None:
    world.consent()
    body = as_xml(PLAN_1)
    answer = publish(world, "/documents/fhir", body, FHIR_XML, Message_Id="m-1")
    assert answer.status_code == 200, answer.text
    kept = next(i for i in world.kept() if i.message_id == "m-1")
    with world.hub.store.reading() as work:
        found = work.inbox.find(RUS, "m-1")
    assert found is not None
    assert (found.body, kept.media_type) == (body, FHIR_XML)
    again = publish(world, "/documents/fhir", PLAN_1, "application/fhir+json", Message_Id="m-1")
    assert again.headers["KI-Hub-Duplicate"] == "true"
    world.work()
    assert world.delivery("citizen")["state"] == "sent"


@pytest.mark.parametrize("media_type", [FHIR_XML, "application/xml; charset=utf-8", "text/xml"])
@pytest.mark.parametrize("url", ["/documents/fhir", "/fhir/Consent"])
def test_a_consent_in_xml(world: World, url: str, media_type: str) -> None:
    assert publish(world, url, as_xml(CONSENT_1), media_type).status_code in {200, 201}


def test_xml_in_an_encoding_that_only_the_media_type_tells_from_json(world: World) -> None:
    text = as_xml(CONSENT_1).decode().replace("encoding='UTF-8'", "encoding='UTF-16'")
    assert publish(world, "/documents/fhir", text.encode("utf-16"), FHIR_XML).status_code == 200


def test_xml_of_a_sender_that_does_not_say_so(world: World) -> None:
    assert world.post("/documents/fhir", RUS, as_xml(CONSENT_1)).status_code == 200


def test_a_message_in_xml(world: World) -> None:
    world.consent()
    bundle = json.loads(PLAN_1)
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"system": "https://ki-hub.example/fhir/CodeSystem/ki-event",
                        "code": "plan-update"},
        "source": {"endpoint": "https://rus.example/fhir"},
        "focus": [{"reference": bundle["entry"][0]["fullUrl"]}],
    }  # fmt: skip
    bundle["type"] = "message"
    bundle["entry"].insert(0, {"fullUrl": "urn:uuid:11111111-2222-4333-8444-555555555555",
                               "resource": header})  # fmt: skip
    body = as_xml(json.dumps(bundle).encode())
    answer = publish(world, "/fhir/$process-message", body, FHIR_XML)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("format", SENDERS)
def test_another_media_type_is_told_which_are_accepted(world: World, format: str) -> None:
    body = GOOD.get(format, b"{}")
    url = f"/documents/{format}"
    answer = publish(world, url, body, "application/pdf", SENDERS[format])
    (issue,) = problem(answer, 415)
    for accepted in world.hub.adapters.adapter(format).media_types:
        assert accepted in issue["details"]["text"]
    assert issue["location"] == ["Content-Type"]
    message = answer.headers["Location"].rpartition("/")[2]
    look = {"reason": "hvad er det"}
    kept = world.request("POST", f"/operations/messages/{message}/bytes", OPERATOR, json=look)
    assert kept.content == body


@pytest.mark.parametrize("format", ["pdf", "html", "cpd", "ki-notice", "ki-plan-questionnaire"])
def test_a_format_that_only_goes_out_names_those_that_come_in(world: World, format: str) -> None:
    for kind in ("application/pdf", "application/octet-stream"):
        answer = publish(world, f"/documents/{format}", b"x", kind, RUS)
        (issue,) = problem(answer, 415)
        told = issue["details"]["text"]
        assert told.startswith("Documents in this format are not received; send one of: ")
        assert "ki-plan-xml" in told
        assert format not in told.partition(":")[2]
    asked = {"Accept-Language": "da", "Content-Type": "application/pdf"}
    danish = world.request("POST", f"/documents/{format}", RUS, content=b"y", headers=asked)
    assert "modtages ikke" in danish.text


# Size


def test_what_is_too_large_says_what_and_how_large_it_may_be(world: World) -> None:
    limit = world.hub.limits.body_bytes
    headers = {"Content-Length": str(limit + 1)}
    answer = world.request("POST", "/documents/fhir", RUS, content=b" ", headers=headers)
    (issue,) = problem(answer, 413)
    assert issue["location"] == ["body"]
    assert str(limit) in issue["details"]["text"]
    act = {"person": "x" * 100_000}
    answer = world.request("POST", "/deliveries/none/hand-over", RUS, json=act)
    (issue,) = problem(answer, 413)
    assert issue["location"] == ["body"]


# Another sender


@pytest.mark.parametrize(
    ("format", "who", "kind", "place"),
    [
        ("fhir", PSYK, "expression", "Bundle.entry[0].resource.author"),
        ("behandlingsplan", RUS, "location", "/TreatmentPlan/MessageHeader/SenderSORIdentifier"),
        ("vum", RUS, "expression", "Bundle.entry[0].resource.sender"),
    ],
)
def test_another_sender_is_told_where_it_is_named(
    world: World, format: str, who: str, kind: str, place: str
) -> None:
    (issue,) = problem(world.post(f"/documents/{format}", who, GOOD[format]), 403)
    assert (issue["code"], issue[kind]) == ("security", [place])


def test_a_receipt_of_another_sender_too(world: World) -> None:
    sample = ROOT / "mappings" / "medcom-carecommunication" / "samples" / "ack-ok.json"
    url = "/documents/medcom-carecommunication"
    (issue,) = problem(world.post(url, SOCIAL, sample.read_bytes()), 403)
    assert (issue["code"], issue["expression"]) == ("security", ["Bundle.entry[0].resource.sender"])

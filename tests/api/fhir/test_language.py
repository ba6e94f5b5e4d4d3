"""Every OperationOutcome is told in the language that the caller asks for."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from hub.fhir.outcome import TRANSLATION
from tests.api.fhir.client import FORM, get
from tests.api.world import PLAN_1, RUS, World, changed_plan
from tests.views import errors_in

Json = dict[str, Any]


def texts(answer: httpx.Response) -> list[str]:
    """The outcome's texts, after it was found to be legal R4 in one language."""
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert errors_in(outcome) == []
    assert TRANSLATION not in answer.text, "one language is told, not two"
    assert answer.headers["content-language"] == outcome["language"]
    assert "accept-language" in answer.headers["vary"].lower()
    return [i["details"]["text"] for i in outcome["issue"]]


REFUSED: list[tuple[str, str, str | None, bytes, str, str]] = [
    ("GET", "/fhir/CarePlan/none", RUS, b"", "No such resource is known to you",
     "Den ressource kender I ikke her"),
    ("GET", "/fhir/CarePlan/none", None, b"",
     "Send your credential: Authorization: Bearer <credential>",
     "Send jeres adgangsnøgle: Authorization: Bearer <nøgle>"),
    ("GET", "/no/such/address", RUS, b"", "There is nothing at this address",
     "Der er intet på denne adresse"),
    ("DELETE", "/fhir/metadata", RUS, b"", "Not possible at this address",
     "Ikke muligt på denne adresse"),
    ("POST", "/fhir/$process-message", RUS, b"{", "Not JSON at line 1, column 2",
     "Ikke JSON ved linje 1, kolonne 2"),
    ("POST", "/fhir/CarePlan/$validate", RUS, b'{"resourceType": "CarePlan"}',
     "Must be given at least 1 time(s); add it", "Skal angives mindst 1 gang(e); tilføj det"),
    ("POST", "/acts", RUS, b"x" * (64 * 1024 + 1), "More than 65536 bytes; send less at once",
     "Mere end 65536 byte; send mindre ad gangen"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "url", "who", "body", "english", "danish"), REFUSED, ids=range(len(REFUSED))
)
@pytest.mark.parametrize("asked", ["da-DK,en;q=0.5", "en", None, "de"])
def test_the_apis_own_refusals(
    waiting: World, method: str, url: str, who: str | None, body: bytes, english: str,
    danish: str, asked: str | None,
) -> None:  # fmt: skip
    if url == "/acts":
        method, url = "POST", "/deliveries/x/hand-over"
    headers = {"Accept-Language": asked} if asked else {}
    answer = waiting.request(method, url, who, content=body, headers=headers)
    told = texts(answer)
    assert answer.json()["language"] == ("da" if asked and asked[:2] == "da" else "en")
    assert (danish if asked and asked[:2] == "da" else english) in told


def test_a_kept_answer_is_told_in_either_language(world: World) -> None:
    """It is stored once, with both."""
    world.consent()
    first = world.post("/documents/fhir", RUS, changed_plan(status="bogus", foo=1))
    assert first.status_code == 400
    place = first.headers["Location"]
    english = world.request("GET", place, RUS)
    danish = world.request("GET", place, RUS, headers={"Accept-Language": "da"})
    assert texts(english) == texts(first)
    assert len(texts(danish)) == len(texts(english))
    assert any(t.startswith("FHIR R4 har ikke et sådant element her") for t in texts(danish))
    same = [[(i["code"], i.get("expression")) for i in a.json()["issue"]]
            for a in (english, danish)]  # fmt: skip
    assert same[0] == same[1]
    item = world.inbox(first)
    assert item.answer is not None
    stored = json.loads(item.answer)
    assert errors_in(stored) == []
    assert all(TRANSLATION in json.dumps(i["details"]) for i in stored["issue"])


def test_a_plan_that_was_taken(world: World) -> None:
    world.consent()
    answer = world.request(
        "POST", "/documents/fhir", RUS, content=PLAN_1, headers={"Accept-Language": "da"}
    )
    assert answer.status_code == 200
    assert any(t.startswith("Modtaget som version 1 af CarePlan/") for t in texts(answer))


def test_an_outcome_inside_a_searchset(waiting: World) -> None:
    url = "/fhir/CarePlan/_search"
    headers = FORM | {"Accept-Language": "da"}
    answer = waiting.request("POST", url, RUS, content=b"nobody=x", headers=headers)
    told = [e["resource"] for e in answer.json()["entry"] if e["search"]["mode"] == "outcome"]
    assert [o["language"] for o in told] == ["da"]
    assert (
        told[0]["issue"][0]["details"]["text"] == "1 søgeparametre er ukendte her og blev udeladt"
    )


def test_a_resource_is_not_translated(waiting: World) -> None:
    for asked in ("da", "en"):
        answer = get(waiting, "CarePlan", RUS, Accept_Language=asked)
        assert "content-language" not in answer.headers
        assert answer.headers["vary"] == "Accept, Accept-Language, Authorization"

"""The look over every run's shoulder (tests/leaks.py) sees what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
import structlog

from hub.errors import Invalid
from hub.sending import Outgoing
from tests.leaks import Collected, collecting, secret_words

WORD = "hemmeligt-ord-uden-mening"
"""No word of any sample: the run's own look must not see it as a leak."""


def logged() -> None:
    # At a level that no test has turned off before.
    structlog.get_logger().bind(name=WORD).critical("message.applied")


def raised() -> None:
    Invalid("Wrong", at=f"Patient.name.where(family='{WORD}')")


def refused() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(422, text=f"not a name: {WORD}"))
    with httpx.Client(transport=transport) as client:
        client.get("http://hub/x")


def addressed() -> None:
    headers = {"Location": f"/fhir/Patient?name={WORD}"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers))
    with httpx.Client(transport=transport) as client:
        client.get("http://hub/x")


def measured() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=f'tasks{{of="{WORD}"}} 1'))
    with httpx.Client(transport=transport) as client:
        client.get("http://hub/metrics")


def sent() -> None:
    Outgoing("d-1", b"", "text/plain", {"ki-title": WORD})


def enveloped() -> None:
    header = {"resourceType": "MessageHeader", "reason": {"text": WORD}}
    body = json.dumps({"entry": [{"resource": header}]}).encode()
    Outgoing(key="d-1", body=body, media_type="application/fhir+json", headers={})


@pytest.mark.parametrize("leak", [logged, raised, refused, addressed, measured, sent, enveloped])
def test_a_leak_is_seen_and_its_place_told(leak: Callable[[], None]) -> None:
    with collecting([WORD]) as found:
        leak()
    (told,) = found.leaks()
    assert leak.__name__ in told
    assert WORD in told


def test_what_goes_in_a_document_is_no_leak() -> None:
    with collecting([WORD]) as found:
        Outgoing("d-1", WORD.encode(), "text/plain", {})
    assert found.leaks() == []


def test_the_samples_words_are_looked_for() -> None:
    words = secret_words()
    assert {"Karla", "0201609996", "Faste holdepunkter i ugen", "skizofreni"} <= words
    assert len(words) > 100
    found = Collected(words)
    found.add("log", "2026-11-26 [info] applied citizen=0201609996")
    assert len(found.leaks()) == 1

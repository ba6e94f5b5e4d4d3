"""What is not even HTTP is answered in FHIR too, and the server goes on."""

from __future__ import annotations

import re
import socket

import pytest

from hub.fhir.codec import parse_json
from hub.fhir.validation.validator import EmbeddedValidator
from tests.servers.hub import LEAD, LiveHub

HEAD = b"GET /fhir/metadata HTTP/1.1\r\nHost: hub\r\n"
BROKEN = {
    "no request": b"garbage\r\n\r\n",
    "a byte that is not ASCII": "GET /fhir/CarePlan/æ HTTP/1.1\r\nHost: hub\r\n\r\n".encode(),
    "a space": b"GET /fhir/Care Plan HTTP/1.1\r\nHost: hub\r\n\r\n",
    "no host": b"GET /fhir/metadata HTTP/1.1\r\n\r\n",
    "NUL in a header": HEAD + b"Accept: \x00\r\n\r\n",
    "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a head of 200 KB": HEAD + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


def said(hub: LiveHub, raw: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer; the server closes."""
    with socket.create_connection(("127.0.0.1", hub.deployment.port), 30) as connection:
        connection.sendall(raw)
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < _length(answer):
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def _length(answer: bytes) -> int:
    found = re.search(rb"content-length: (\d+)", answer, re.I)
    return int(found[1]) if found else 1_000_000


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_is_refused_in_fhir(hub: LiveHub, raw: bytes) -> None:
    head, body = said(hub, raw)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/fhir+json" in head.lower()
    outcome = parse_json(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert EmbeddedValidator().check([outcome]) == []
    assert "Traceback" not in hub.log()


def test_a_body_that_breaks_off_harms_nobody(hub: LiveHub) -> None:
    token = hub.secrets[LEAD].encode()
    start = (
        b"POST /fhir/Consent HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )  # fmt: skip
    said(hub, start + b"zz\r\n")
    with socket.create_connection(("127.0.0.1", hub.deployment.port), 30) as connection:
        connection.sendall(start + b'5\r\n{"res')
    with hub.client(LEAD) as client:
        assert client.get("/fhir/metadata").status_code == 200
    assert "Traceback" not in hub.log()

"""What HL7's validator answered to some documents, and a small server that answers the same.

``hl7_recorded.json`` holds answers of the real one (``tests/conformance/record.py`` asked it; the
long tests ask again and compare). Every defect is a made-up person's: none of it may come through.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.fhir import names
from hub.validators.hl7 import Sidecar

Json = dict[str, Any]
RECORDED = Path(__file__).with_name("hl7_recorded.json")
SECRET = "0201609996 Karla"
NOBODY = "http://nobody.example/StructureDefinition/x"
PLAN: Json = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/1"},
}
GOAL: Json = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "x"},
    "subject": {"display": "x"},
}


@dataclass(frozen=True)
class Case:
    """Resources checked together, held to a profile or to what they declare."""

    resources: list[Json]
    profile: str | None = None


CASES: dict[str, Case] = {
    "valid": Case([PLAN]),
    "quoting": Case(
        [
            PLAN
            | {"status": SECRET, "title": [SECRET], "description": {"x": SECRET}, "Karla": 1}
            | {"created": SECRET, "extension": [{"url": f"http://karla.example/{SECRET[:10]}"}]}
        ]
    ),
    "a character that FHIR forbids": Case([PLAN | {"status": f"{SECRET}\x00"}]),
    "unknown profile": Case([PLAN | {"meta": {"profile": [NOBODY]}}]),
    "given profile": Case([PLAN], names.KI_PLAN),
    "given unknown profile": Case([PLAN], NOBODY),
    "two goals": Case([GOAL, GOAL | {"lifecycleStatus": SECRET}]),
    "rule": Case(
        [PLAN | {"activity": [{"detail": {"status": "completed"}, "reference": {"display": "x"}}]}]
    ),
}


@dataclass
class Stand:
    """The small server: what it was asked, and how it is to behave."""

    url: str = ""
    status: int | None = None
    """Answer with this and a page, as something else at that address would."""
    otherwise: str = ""
    """The case whose answer is given to what was not recorded; a 404 without."""
    held: threading.Event = field(default_factory=threading.Event)
    """While clear, nothing is answered."""
    asked: list[Json] = field(default_factory=list)

    def sidecar(self, **settings: Any) -> Sidecar:
        """The client's settings for it."""
        return Sidecar(self.url, **settings)


@contextmanager
def standing() -> Iterator[Stand]:
    """A server on a free port that gives the recorded answers."""
    recorded = json.loads(RECORDED.read_text("utf-8"))
    stand = Stand()
    stand.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(stand.status or 405, b"Method not allowed")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            query = parse_qs(urlsplit(self.path).query)
            stand.asked.append({"body": body, "query": query})
            stand.held.wait(30)
            profile = query.get("profile", [None])[0]
            known = [r for r in recorded if r["body"] == body and r["profile"] == profile]
            if stand.otherwise:
                same = CASES[stand.otherwise].resources
                known += [r for r in recorded if [r["body"]] == same and r["profile"] is None]
            if stand.status is not None or not known:
                self._answer(stand.status or 404, b"<html>0201609996</html>")
            else:
                self._answer(known[0]["status"], json.dumps(known[0]["answer"]).encode())

        def _answer(self, status: int, body: bytes) -> None:
            # A client that has given up has closed the connection.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand
    finally:
        stand.held.set()
        server.shutdown()
        server.server_close()
        thread.join()

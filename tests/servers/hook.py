"""A subscriber's own HTTP server on loopback: keeps what comes, answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml
from tests.servers.process import free_port


@dataclass(frozen=True)
class Got:
    """One notification as it came."""

    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def bundle(self) -> dict[str, Any]:
        """The notification; out of its message, if it came in one."""
        xml = self.headers["content-type"].endswith("xml")
        found = from_xml(self.body) if xml else parse_json(self.body)
        if found["type"] == "message":
            inner: dict[str, Any] = found["entry"][1]["resource"]
            return inner
        return found

    @property
    def status(self) -> dict[str, Any]:
        """Name to value of the status parameters; events are under ``notification-event``."""
        return said(self.bundle["entry"][0]["resource"])

    @property
    def kind(self) -> str:
        return str(self.status["type"])

    @property
    def number(self) -> int | None:
        events = self.status["notification-event"]
        return int(events[0]["event-number"]) if events else None

    @property
    def focus(self) -> str | None:
        events = self.status["notification-event"]
        return events[0].get("focus", {}).get("reference") if events else None


def said(parameters: dict[str, Any]) -> dict[str, Any]:
    """A status' parameters by name."""
    found: dict[str, Any] = {"notification-event": []}
    for one in parameters["parameter"]:
        if one["name"] == "notification-event":
            part = {p["name"]: next(v for k, v in p.items() if k != "name") for p in one["part"]}
            found["notification-event"].append(part)
        else:
            found[one["name"]] = next(v for k, v in one.items() if k != "name")
    return found


@dataclass
class Hook:
    """Answers ``code`` with ``answer``; a context manager."""

    code: int = 200
    answer: bytes = b""
    got: list[Got] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    free: threading.Event = field(default_factory=threading.Event)
    """Cleared: what comes is kept, and answered later."""
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    def of(self, kind: str) -> list[Got]:
        """What came of one kind, in order."""
        return [g for g in self.got if g.kind == kind]

    def wait(self, kind: str, count: int = 1, seconds: float = 30) -> list[Got]:
        """Until that many of a kind have come."""
        with self.arrived:
            enough = self.arrived.wait_for(lambda: len(self.of(kind)) >= count, seconds)
        assert enough, [g.kind for g in self.got]
        return self.of(kind)

    @contextmanager
    def held(self) -> Iterator[None]:
        """No answer is given meanwhile."""
        self.free.clear()
        try:
            yield
        finally:
            self.free.set()

    def __enter__(self) -> Self:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {k.lower(): v for k, v in self.headers.items()}
                code, answer = hook.code, hook.answer
                with hook.arrived:
                    hook.got.append(Got(self.path, headers, body))
                    hook.arrived.notify_all()
                hook.free.wait(60)
                self.send_response(code)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Content-Type", "application/fhir+json")
                try:
                    self.end_headers()
                    self.wfile.write(answer)
                except ConnectionError:
                    # Who asked was killed meanwhile; that is what the test is about.
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Nothing to stderr."""

        self.free.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody answers any more, until it is entered again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

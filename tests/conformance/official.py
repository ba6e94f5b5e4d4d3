"""The official HL7 validator as a process of its own, and what it says of a document."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from hub.runtime.official_validator import Prepared
from tests.servers.process import ServerProcess, free_port

_MESSAGE_ID: Final = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
START_SECONDS: Final = 240


@dataclass(frozen=True)
class Finding:
    """One thing the validator says."""

    severity: str
    message_id: str
    expression: str
    text: str


@dataclass(frozen=True)
class Official:
    """A running validator."""

    base: str
    allowed: tuple[str, ...] = ()
    """Where extensions may come from that are not at hand."""

    def findings(self, body: bytes, media_type: str) -> list[Finding]:
        """What it says of one document, worst first."""
        answer = httpx.post(
            f"{self.base}/validateResource",
            params=[("resourceIdRule", "optional"), *(("extension", a) for a in self.allowed)],
            content=body,
            headers={"Content-Type": media_type, "Accept": "application/fhir+json"},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text[:2000]
        found = [_finding(issue) for issue in answer.json()["issue"]]
        order = ("fatal", "error", "warning", "information")
        return sorted(found, key=lambda f: order.index(f.severity))


def _finding(issue: dict[str, Any]) -> Finding:
    ids = [e["valueCode"] for e in issue.get("extension", ()) if e["url"] == _MESSAGE_ID]
    text = issue.get("details", {}).get("text") or issue.get("diagnostics", "")
    return Finding(issue["severity"], *ids[:1] or [""], place(issue), text)


def place(issue: dict[str, Any]) -> str:
    """The path without the comments that the validator writes into it."""
    return re.sub(r"/\*.*?\*/", "", next(iter(issue.get("expression", ())), ""))


@contextmanager
def running(prepared: Prepared, log: Path, allowed: Sequence[str] = ()) -> Iterator[Official]:
    """Start it on a free port and end it afterwards."""
    port = free_port()
    process = ServerProcess(prepared.start(port), log=log)
    base = f"http://127.0.0.1:{port}"
    try:
        process.wait_ready(lambda: _answers(base), START_SECONDS)
        yield Official(base, tuple(allowed))
    finally:
        process.end(signal.SIGTERM, 10)


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/version", timeout=5).status_code < 500
    except httpx.TransportError:
        return False


def as_json(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """For the report's file."""
    read: list[dict[str, str]] = json.loads(json.dumps([vars(f) for f in findings]))
    return read

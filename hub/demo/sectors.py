"""The sectors' own systems, as the hub sees them: clients of the published interfaces alone."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds a sector's system keeps trying: the hub may be restarted meanwhile."""


class GaveUp(Exception):
    """The hub did not answer, or what was waited for did not come."""


def until(what: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """Look again and again until there is something."""
    end = time.monotonic() + patience
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise GaveUp(f"waited {patience:.0f} s in vain for: {what}")
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """The hub's answer to a document."""

    status: int
    location: str
    outcome: dict[str, Any]
    duplicate: bool = False

    def __str__(self) -> str:
        """The status and what the hub says is wrong."""
        wrong = [i for i in self.outcome.get("issue", ()) if i["severity"] in {"error", "fatal"}]
        told = [
            f"{i['details']['text']} {i.get('expression', i.get('location', ''))}" for i in wrong
        ]
        return " ".join([str(self.status), *told])


@dataclass(frozen=True)
class Received:
    """A document that reached the sector."""

    delivery: str
    format: str
    sequence: int
    body: bytes


class Channel(Protocol):
    """How a sector's system sends documents and fetches what is for it."""

    def publish(self, format_: str, body: bytes, media_type: str, message_id: str) -> Answer:
        """Send a document and wait for the answer."""
        ...

    def waiting(self) -> list[Received]:
        """What is there and not yet receipted."""
        ...

    def receipt(self, delivery: str, outcome: str) -> None:
        """Answer one message."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class HttpChannel:
    """Documents over HTTP, deliveries from the mailbox. Every call is safe to repeat."""

    def __init__(self, base: str, credential: str) -> None:
        self._client = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {credential}"}, timeout=30
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def call(
        self, method: str, path: str, *, lasting: Iterable[int] = (502, 503, 504), **kw: Any
    ) -> httpx.Response:
        """One request, repeated while the hub is away."""

        def attempt() -> httpx.Response | None:
            try:
                response = self._client.request(method, path, **kw)
            except httpx.TransportError:
                return None
            return None if response.status_code in lasting else response

        return until(f"{method} {path.split('/')[1]}", attempt)

    def publish(self, format_: str, body: bytes, media_type: str, message_id: str) -> Answer:
        """Commit, processing and answer in one call; 202 without a body is asked for again."""
        headers = {"Content-Type": media_type, "Message-Id": message_id}
        path = f"/documents/{format_}"
        return self._answered(self.call("POST", path, content=body, headers=headers))

    def post_fhir(self, path: str, body: bytes, message_id: str) -> Answer:
        """The FHIR interactions."""
        headers = {"Content-Type": "application/fhir+json", "Message-Id": message_id}
        return self._answered(self.call("POST", f"/fhir/{path}", content=body, headers=headers))

    def _answered(self, response: httpx.Response) -> Answer:
        first = response
        if response.status_code == 202 and not response.content:
            place = response.headers["Location"]

            def look() -> httpx.Response | None:
                found = self.call("GET", place)
                return found if found.content else None

            response = until("the answer", look)
        return Answer(
            status=response.status_code,
            location=response.headers.get("Location", ""),
            outcome=json.loads(response.content or b"{}"),
            duplicate="KI-Hub-Duplicate" in first.headers,
        )

    def waiting(self) -> list[Received]:
        """Fetch everything in the mailbox."""
        found = []
        for entry in self.call("GET", "/mailbox").json():
            response = self.call("GET", entry["href"])
            if response.status_code == 200:
                found.append(
                    Received(entry["delivery"], entry["format"], entry["sequence"],
                             response.content)
                )  # fmt: skip
        return found

    def receipt(self, delivery: str, outcome: str) -> None:
        """By the mailbox."""
        self.call("POST", f"/mailbox/{delivery}/receipt", json={"outcome": outcome})


@dataclass
class Sector:
    """One party's system and its people."""

    id: str
    http: HttpChannel
    channel: Channel
    received: list[Received] = field(default_factory=list)
    """Everything that ever arrived, in order, resends left out."""
    resent: int = 0
    """Messages that came again under a delivery id already seen."""

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        self.channel.close()

    def publish(
        self, format_: str, body: bytes, media_type: str, message_id: str | None = None
    ) -> Answer:
        """Send a document."""
        return self.channel.publish(format_, body, media_type, message_id or str(uuid.uuid4()))

    def decide(self, resource: dict[str, Any], message_id: str | None = None) -> Answer:
        """Register a citizen's decision."""
        body = json.dumps(resource, ensure_ascii=False).encode()
        return self.http.post_fhir("Consent", body, message_id or str(uuid.uuid4()))

    def collect(self) -> list[Received]:
        """Fetch what is new, leaving it unreceipted."""
        seen = {r.delivery for r in self.received}
        fresh = []
        for message in self.channel.waiting():
            if message.delivery in seen:
                self.resent += 1
                continue
            seen.add(message.delivery)
            fresh.append(message)
        self.received += fresh
        return fresh

    def confirm(self, message: Received, outcome: str = "ok") -> None:
        """Receipt."""
        self.channel.receipt(message.delivery, outcome)

    def tasks(self, kind: str, plan: str) -> list[dict[str, Any]]:
        """The unit's open tasks of a kind in a plan."""
        found = self.http.call("GET", "/tasks").json()
        return [t for t in found if t["kind"] == kind and t["plan"] == plan]

    def act(self, delivery: str, what: str, **values: str) -> dict[str, Any]:
        """A person acts on a delivery."""
        response = self.http.call("POST", f"/deliveries/{delivery}/{what}", json=values)
        found: dict[str, Any] = response.json()
        return found | {"status": response.status_code}

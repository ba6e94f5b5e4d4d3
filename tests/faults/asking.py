"""How a sector's system asks: again and again under one message id, until it has the answer.

Only what the hub publishes is used: the FHIR interface and documents over HTTP, the broker's
exchanges and queues.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError

PATIENCE = 240.0
"""Seconds until a system gives up; longer than any fault and its recovery."""
_AGAIN = 8.0
"""Seconds without an answer on the broker after which the message is sent again."""
_PAUSE = 0.25


@dataclass(frozen=True)
class Told:
    """The hub's answer."""

    status: int
    location: str
    body: bytes

    @property
    def plan(self) -> str:
        """Of ``[base/]CarePlan/<plan>/_history/<n>``; empty if it names none."""
        return self._after("CarePlan")

    @property
    def version(self) -> int:
        """0 if it names none."""
        return int(self._after("_history") or 0)

    def _after(self, word: str) -> str:
        parts = self.location.split("/")
        return parts[parts.index(word) + 1] if word in parts else ""


class Http:
    """One system's connection to the API; used by one thread."""

    def __init__(self, base: str, secret: str) -> None:
        self._client = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=10
        )

    def close(self) -> None:
        self._client.close()

    def once(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """One request; None when nobody, or only a tired server, answered."""
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TransportError:
            return None
        return None if answer.status_code in {500, 502, 503, 504} else answer

    def ask(self, method: str, path: str, **more: Any) -> Told | None:
        """Until there is an answer with content; None if none came in time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.once(method, path, **more)
            if answer is not None and answer.status_code == 202 and not answer.content:
                method, path, more = "GET", answer.headers["Location"], {}
            elif answer is not None:
                place = answer.headers.get("Content-Location") or answer.headers.get("Location", "")
                return Told(answer.status_code, place, answer.content)
            time.sleep(_PAUSE)
        return None

    def document(self, format_: str, body: bytes, media_type: str, message: str) -> Told | None:
        """Publish over HTTP."""
        headers = {"Content-Type": media_type, "Message-Id": message}
        return self.ask("POST", f"/documents/{format_}", content=body, headers=headers)

    def write(
        self, method: str, path: str, resource: dict[str, Any], message: str, match: int = 0
    ) -> Told | None:
        """A FHIR write, safe to repeat."""
        headers = {"Content-Type": "application/fhir+json", "Message-Id": message}
        if match:
            headers["If-Match"] = f'W/"{match}"'
        body = json.dumps(resource, ensure_ascii=False).encode()
        return self.ask(method, f"/fhir/{path}", content=body, headers=headers)


class Broker:
    """One party's connection to the broker, made again whenever it breaks; used by one thread."""

    def __init__(self, url: str, party: str) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = 5
        self._parameters.stack_timeout = 8
        self._parameters.blocked_connection_timeout = 10
        self._channel: Any = None
        self.party = party

    @property
    def channel(self) -> Any:
        """An open channel with confirms; raises AMQPError or OSError."""
        if self._channel is None or not self._channel.is_open:
            try:
                connection = pika.BlockingConnection(self._parameters)
            except (ValueError, AMQPConnectorException) as error:
                # The first is what pika raises when the peer hangs up as it has answered; the
                # second is none of its AMQPErrors.
                raise OSError("no connection") from error
            self._channel = connection.channel()
            self._channel.confirm_delivery()
        return self._channel

    def drop(self) -> None:
        """Let go of the connection, whatever is under way on it."""
        channel, self._channel = self._channel, None
        if channel is not None:
            try:
                channel.connection.close()
            except (AMQPError, OSError):
                # It is gone already.
                return

    def publish(self, exchange: str, key: str, body: bytes, message: str, media_type: str) -> None:
        """With a confirm; raises AMQPError or OSError."""
        properties = pika.BasicProperties(
            message_id=message, user_id=self.party, content_type=media_type, delivery_mode=2
        )
        self.channel.basic_publish(exchange, key, body, properties, mandatory=True)

    def document(self, format_: str, body: bytes, media_type: str, message: str) -> Told | None:
        """Publish and wait for the answer; published again whenever none comes."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.publish("ki.inbound", format_, body, message, media_type)
                told = self._answer(message, time.monotonic() + _AGAIN)
            except (AMQPError, OSError):
                self.drop()
                time.sleep(_PAUSE)
                continue
            # Too early, or the database was away: the same message may be sent again.
            if told is not None and told.status < 500:
                return told
        return None

    def _answer(self, message: str, end: float) -> Told | None:
        while time.monotonic() < end:
            method, properties, body = self.channel.basic_get(f"party.{self.party}.answers")
            if method is None:
                time.sleep(0.1)
                continue
            self.channel.basic_ack(method.delivery_tag)
            headers = properties.headers or {}
            if headers.get("ki-answers") == message:
                return Told(int(headers["ki-status"]), str(headers.get("ki-location") or ""), body)
        return None

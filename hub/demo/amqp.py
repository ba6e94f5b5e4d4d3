"""A sector's system on the broker: publishes, reads its answers and deliveries, receipts."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pika
from pika.exceptions import AMQPError

from hub.demo.sectors import Answer, GaveUp, Received, until


class AmqpChannel:
    """One connection, used by one thread; reconnects when the broker went away."""

    def __init__(self, url: str, party: str, credential: str) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.credentials = pika.PlainCredentials(party, credential)
        self._party = party
        self._channel: Any = None
        self._tags: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the connection; what was not receipted goes back to the queue."""
        if self._channel is not None and self._channel.is_open:
            self._channel.connection.close()

    def publish(self, format_: str, body: bytes, media_type: str, message_id: str) -> Answer:
        """Publish with a confirm, then wait for the answer that names the message."""

        def send(channel: Any) -> None:
            channel.basic_publish(
                "ki.inbound", format_, body,
                pika.BasicProperties(
                    message_id=message_id, user_id=self._party, content_type=media_type,
                    delivery_mode=2,
                ),
                mandatory=True,
            )  # fmt: skip

        self._do("publish", send)
        return until("the answer", lambda: self._answer(message_id))

    def _answer(self, message_id: str) -> Answer | None:
        def look(channel: Any) -> Answer | None:
            method, properties, body = channel.basic_get(f"party.{self._party}.answers")
            if method is None:
                return None
            channel.basic_ack(method.delivery_tag)
            if properties.headers.get("ki-answers") != message_id:
                return None
            headers = properties.headers
            location = f"/fhir/{headers['ki-location']}" if headers.get("ki-location") else ""
            return Answer(int(headers["ki-status"]), location, json.loads(body))

        found = self._do("answers", look)
        return found if isinstance(found, Answer) else None

    def waiting(self) -> list[Received]:
        """Take everything in the queue; it is acknowledged with its receipt."""

        def look(channel: Any) -> list[Received]:
            found: list[Received] = []
            while True:
                method, properties, body = channel.basic_get(f"party.{self._party}.deliveries")
                if method is None:
                    return found
                headers = properties.headers
                self._tags[headers["ki-delivery"]] = method.delivery_tag
                found.append(
                    Received(headers["ki-delivery"], headers["ki-format"],
                             int(headers["ki-sequence"]), body)
                )  # fmt: skip

        found = self._do("deliveries", look)
        assert isinstance(found, list)
        return found

    def receipt(self, delivery: str, outcome: str) -> None:
        """The receipt first, the acknowledgement after: lost between them, it comes again."""

        def send(channel: Any) -> None:
            channel.basic_publish(
                "ki.receipts", "receipt",
                json.dumps({"delivery": delivery, "outcome": outcome}).encode(),
                pika.BasicProperties(
                    message_id=str(uuid.uuid4()), user_id=self._party,
                    content_type="application/json", delivery_mode=2,
                ),
                mandatory=True,
            )  # fmt: skip
            tag = self._tags.pop(delivery, None)
            if tag is not None:
                channel.basic_ack(tag)

        self._do("receipt", send)

    def _do(self, what: str, act: Any) -> Any:
        """On a fresh channel if the last one broke."""
        end = time.monotonic() + 60
        while True:
            try:
                if self._channel is None or not self._channel.is_open:
                    self._tags.clear()
                    connection = pika.BlockingConnection(self._parameters)
                    self._channel = connection.channel()
                    self._channel.confirm_delivery()
                return act(self._channel)
            except (AMQPError, OSError) as e:
                self._channel = None
                if time.monotonic() > end:
                    raise GaveUp(f"the broker: {what}") from e
                time.sleep(0.2)

"""The receivers: each writes down what comes before it says so, and misbehaves when told.

A mood holds for a while: ``slow`` answers late, ``failing`` refuses for now, ``lying`` takes the
message and hangs up without a word, as if it had never come.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Literal

from pika.exceptions import AMQPError

from tests.faults.asking import Broker, Http
from tests.faults.recorder import Recorder
from tests.faults.records import Arrival

Mood = Literal["well", "slow", "failing", "lying"]
SLOW = 3.0
"""Seconds that a slow receiver takes."""


@dataclass
class Receiver:
    """What all have in common."""

    party: str
    recorder: Recorder
    stop: Event
    mood: Mood = "well"

    def note(self, delivery: str, sequence: int, body: bytes, begin: float, fetched: bool) -> None:
        """Written down; only then is anybody told."""
        digest = hashlib.sha256(body).hexdigest()
        arrival = Arrival(self.party, delivery, sequence, digest, begin, time.time(), fetched)
        self.recorder.arrival(arrival, body)


@dataclass
class AmqpReceiver(Receiver):
    """Reads its queue, one message at a time; the receipt first, the acknowledgement after."""

    broker: Broker | None = None

    def run(self) -> None:
        assert self.broker is not None
        while not self.stop.is_set():
            try:
                if not self._one(self.broker):
                    self.stop.wait(0.1)
            except (AMQPError, OSError):
                self.broker.drop()
                self.stop.wait(0.3)
        self.broker.drop()

    def _one(self, broker: Broker) -> bool:
        begin = time.time()
        method, properties, body = broker.channel.basic_get(f"party.{self.party}.deliveries")
        if method is None:
            return False
        headers = properties.headers
        self.note(headers["ki-delivery"], int(headers["ki-sequence"]), body, begin, fetched=False)
        if self.mood == "lying":
            broker.channel.basic_ack(method.delivery_tag)
            broker.drop()
            return True
        if self.mood == "slow":
            self.stop.wait(SLOW)
        outcome = "transient" if self.mood == "failing" else "ok"
        receipt = {"delivery": headers["ki-delivery"], "outcome": outcome}
        broker.publish(
            "ki.receipts", "receipt", json.dumps(receipt).encode(), str(uuid.uuid4()),
            "application/json",
        )  # fmt: skip
        broker.channel.basic_ack(method.delivery_tag)
        return True


@dataclass
class MailboxReceiver(Receiver):
    """Asks its mailbox every now and then."""

    http: Http | None = None

    def run(self) -> None:
        assert self.http is not None
        while not self.stop.is_set():
            listed = self.http.once("GET", "/mailbox")
            for entry in listed.json() if listed is not None and listed.is_success else ():
                self._one(self.http, entry)
            self.stop.wait(0.7)
        self.http.close()

    def _one(self, http: Http, entry: dict[str, Any]) -> None:
        begin = time.time()
        found = http.once("GET", entry["href"])
        if found is None or found.status_code != 200:
            return
        self.note(entry["delivery"], entry["sequence"], found.content, begin, fetched=True)
        if self.mood == "slow":
            self.stop.wait(SLOW)
        if self.mood != "lying":
            outcome = "transient" if self.mood == "failing" else "ok"
            http.once("POST", f"{entry['href']}/receipt", json={"outcome": outcome})


@dataclass
class HookReceiver(Receiver):
    """Its own HTTP server; 200 is all the receipt it gives."""

    port: int = 0
    server: ThreadingHTTPServer = field(init=False)

    def run(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                begin = time.time()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery, number = self.headers["ki-delivery"], int(self.headers["ki-sequence"])
                receiver.note(delivery, number, body, begin, fetched=False)
                if receiver.mood == "lying":
                    self.close_connection = True
                    return
                if receiver.mood == "slow":
                    receiver.stop.wait(SLOW)
                try:
                    self.send_response(503 if receiver.mood == "failing" else 200)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except ConnectionError:
                    # Who asked was killed meanwhile; that is what the run is about.
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Nothing to stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.stop.wait()
        self.server.shutdown()
        self.server.server_close()


def started(receiver: Receiver) -> threading.Thread:
    """In a thread of its own."""
    thread = Thread(target=receiver.run, name=receiver.party, daemon=True)  # type: ignore[attr-defined]
    thread.start()
    return thread

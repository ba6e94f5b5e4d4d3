"""The bare loop: the same bytes, as durably, by the same driver and broker, with nothing decided.

It tells what the machine can do at that moment, which is what a figure of the hub's is to be
compared with.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from tests.bench.counting import Counted
from tests.bench.places import Place

_QUEUE = "bench.bare"
_TABLES = (
    "CREATE TABLE bare_document (id VARCHAR(36) PRIMARY KEY, body {blob} NOT NULL)",
    "CREATE TABLE bare_delivery (id VARCHAR(36) PRIMARY KEY, state VARCHAR(8), body {blob})",
    "CREATE TABLE bare_queue (id VARCHAR(36) PRIMARY KEY, body {blob} NOT NULL)",
)
Execute = Callable[[str, Sequence[Any]], None]
Publish = Callable[[str, bytes], None]


class Bare:
    """Loops on tables and a queue of their own, beside the hub's."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._embedded = place.hub.store.database.embedded
        blob = "BLOB" if self._embedded else "BYTEA"
        with self._connected() as execute:
            for table in _TABLES:
                execute(table.format(blob=blob), ())

    def documents(self, bodies: Sequence[bytes]) -> Counted:
        """Keep each in a transaction of its own."""
        with self._connected() as execute:
            return _timed(lambda b: execute(_insert("document"), (_id(), b)), bodies)

    def deliveries(self, bodies: Sequence[bytes]) -> Counted:
        """Freeze each, hand it over and write that down: two transactions with the publishing
        between."""
        with self._connected() as execute, self._publishing(execute) as publish:

            def deliver(body: bytes) -> None:
                own = _id()
                execute(_insert("delivery", "'sending'"), (own, body))
                publish(own, body)
                execute("UPDATE bare_delivery SET state = 'sent' WHERE id = ?", (own,))

            return _timed(deliver, bodies)

    @contextmanager
    def _connected(self) -> Iterator[Execute]:
        connection = self._place.hub.store.database.engine.raw_connection()
        cursor = connection.cursor()

        def execute(text: str, values: Sequence[Any]) -> None:
            if self._embedded:
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(text if self._embedded else text.replace("?", "%s"), values)
            connection.commit()

        try:
            yield execute
        finally:
            connection.close()

    @contextmanager
    def _publishing(self, execute: Execute) -> Iterator[Publish]:
        """Embedded, a queue is a table."""
        if self._embedded:
            yield lambda own, body: execute(_insert("queue"), (own, body))
            return
        connection = pika.BlockingConnection(pika.URLParameters(self._place.bus_url))
        try:
            channel: BlockingChannel = connection.channel()
            channel.queue_declare(_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
            channel.confirm_delivery()

            def publish(own: str, body: bytes) -> None:
                kept = pika.BasicProperties(message_id=own, delivery_mode=2)
                channel.basic_publish("", _QUEUE, body, kept, mandatory=True)

            yield publish
        finally:
            connection.close()


def _insert(table: str, state: str = "") -> str:
    columns, values = ("id, state, body", f"?, {state}, ?") if state else ("id, body", "?, ?")
    return f"INSERT INTO bare_{table} ({columns}) VALUES ({values})"


def _id() -> str:
    return str(uuid.uuid4())


def _timed(step: Callable[[bytes], None], bodies: Sequence[bytes]) -> Counted:
    begun, cpu = time.perf_counter(), time.process_time()
    for body in bodies:
        step(body)
    return Counted(len(bodies), time.perf_counter() - begun, time.process_time() - cpu)

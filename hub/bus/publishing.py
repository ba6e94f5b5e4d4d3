"""One publishing connection to RabbitMQ with pipelined confirms.

pika's BlockingChannel waits for each confirm before the next publish. Here a SelectConnection in
a thread of its own takes whole batches, and the confirms come back while the rest is being sent.
A session is used until its connection ends and then thrown away; see
https://www.rabbitmq.com/docs/confirms for what the broker promises.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.channel import Channel
from pika.connection import Connection
from pika.frame import Method
from pika.spec import Basic, BasicProperties
from pika.spec import Connection as Spec

from hub.bus.connection import translate
from hub.bus.topology import OUTBOUND
from hub.errors import BusAlarm, BusUnavailable
from hub.sending import Confirm

_CLOSE_TIMEOUT = 5.0
"""Seconds for an orderly end of the connection."""


MEMORY: Final = (
    "The broker is short of memory (its memory alarm is on); send it again later as it is"
)
DISK: Final = "The broker is short of disk (its disk alarm is on); send it again later as it is"


class Unroutable(Confirm):
    """Not accepted, because there is no queue of that name."""


@dataclass(frozen=True)
class Parcel:
    """One message in AMQP's terms."""

    queue: str
    body: bytes
    properties: BasicProperties


@dataclass(eq=False)
class _Batch:
    """Parcels on their way, and what became of each."""

    parcels: Sequence[Parcel]
    confirms: list[Confirm | None]
    left: int
    done: threading.Event = field(default_factory=threading.Event)
    error: BusUnavailable | None = None

    def settle(self, index: int, confirm: Confirm) -> bool:
        """Record one answer; true when it was the last."""
        self.confirms[index] = confirm
        self.left -= 1
        return self.left == 0


@dataclass(frozen=True, eq=False)
class _Sent:
    batch: _Batch
    index: int
    name: tuple[str, str]
    """Queue and message id, by which a returned message is recognised."""


class PublishingSession:
    """A connection, its channel in confirm mode, and its thread. Thread-safe; single use."""

    def __init__(self, params: pika.URLParameters) -> None:
        self._params = params
        self._loop = IOLoop()
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self._ended = False
        self._error: BusUnavailable | None = None
        self._alarm = ""
        """Why the broker takes nothing now."""
        self._waiting: set[_Batch] = set()
        # Only the loop's thread touches what follows.
        self._connection: SelectConnection | None = None
        self._channel: Channel | None = None
        self._tag = 0
        self._pending: dict[int, _Sent] = {}
        self._by_name: dict[tuple[str, str], deque[int]] = {}
        self._returned: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="ki-hub-publisher", daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """The connection has not ended."""
        return not self._ended

    def wait_open(self, timeout: float) -> None:
        """Return when publishing can begin; raises BusUnavailable."""
        if not self._opened.wait(timeout):
            self.close()
            raise BusUnavailable(f"The broker did not answer within {timeout:.0f} s")
        if self._ended:
            raise self._error or BusUnavailable("The connection to the broker was closed")

    def send(self, parcels: Sequence[Parcel], timeout: float) -> list[Confirm]:
        """Publish in order and wait for every confirm; raises BusUnavailable when one is missing.

        After a missing confirm the session is closed, because only a new connection can tell
        later answers from earlier ones.
        """
        batch = _Batch(parcels, [None] * len(parcels), len(parcels))
        with self._lock:
            if self._ended:
                raise self._error or BusUnavailable("The connection to the broker was closed")
            if self._alarm:
                raise BusAlarm(self._alarm)
            self._waiting.add(batch)
            self._loop.add_callback_threadsafe(lambda: self._publish(batch))
        if not batch.done.wait(timeout):
            self.close()
            raise BusUnavailable(f"The broker did not confirm within {timeout:.0f} s")
        if batch.error is not None:
            raise batch.error
        return [confirm for confirm in batch.confirms if confirm is not None]

    def close(self) -> None:
        """End the connection; what is not confirmed by then fails."""
        with self._lock:
            if not self._ended:
                self._loop.add_callback_threadsafe(self._hang_up)
        self._thread.join(2 * _CLOSE_TIMEOUT)

    # Everything below runs in the loop's thread.

    def _run(self) -> None:
        try:
            self._connection = SelectConnection(
                self._params,
                on_open_callback=self._on_connection_open,
                on_open_error_callback=self._on_end,
                on_close_callback=self._on_end,
                custom_ioloop=self._loop,
            )
            self._loop.start()
        except Exception as error:  # whatever it was, nobody may wait for this thread any more
            self._error = self._error or translate(error)
        finally:
            self._finish()

    def _finish(self) -> None:
        error = self._error or BusUnavailable("The connection to the broker was closed")
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, set()
        self._opened.set()
        for batch in waiting:
            batch.error = error
            batch.done.set()
        self._loop.close()

    def _hang_up(self) -> None:
        # The broker may be gone without a word; then its answer to our goodbye never comes.
        self._loop.call_later(_CLOSE_TIMEOUT, self._loop.stop)
        connection = self._connection
        # While it has an alarm the broker does not even read a goodbye.
        if self._alarm or connection is None or not (connection.is_open or connection.is_closing):
            self._loop.stop()
        elif connection.is_open:
            connection.close()

    def _on_connection_open(self, connection: Connection) -> None:
        connection.add_on_connection_blocked_callback(self._on_blocked)
        connection.add_on_connection_unblocked_callback(self._on_unblocked)
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_blocked(self, _connection: Connection, frame: Method[Spec.Blocked]) -> None:
        """An alarm: nobody waits for it to pass, and nothing more is sent meanwhile.

        The connection is kept, so that its end is told; what was sent is confirmed then to nobody,
        and sent again under the same key.
        """
        alarm = DISK if "disk" in (frame.method.reason or "") else MEMORY
        with self._lock:
            self._alarm = alarm
            waiting, self._waiting = self._waiting, set()
        for batch in waiting:
            batch.error = BusAlarm(alarm)
            batch.done.set()

    def _on_unblocked(self, _connection: Connection, _frame: Method[Spec.Unblocked]) -> None:
        self._alarm = ""

    def _on_channel_open(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_close)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._opened.set())

    def _on_channel_close(self, _channel: Channel, reason: Exception) -> None:
        if self._error is None:
            self._error = translate(reason)
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _on_end(self, _connection: Connection, reason: BaseException) -> None:
        if self._error is None:
            self._error = translate(reason)
        self._loop.stop()

    def _publish(self, batch: _Batch) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            return  # the session is ending, and _finish fails the batch
        if batch.error is not None:
            return  # the alarm came first
        for index, parcel in enumerate(batch.parcels):
            self._tag += 1
            sent = _Sent(batch, index, (parcel.queue, parcel.properties.message_id or ""))
            self._pending[self._tag] = sent
            self._by_name.setdefault(sent.name, deque()).append(self._tag)
            # `mandatory` makes a missing queue visible; without confirms it would mean nothing.
            channel.basic_publish(
                OUTBOUND, parcel.queue, parcel.body, parcel.properties, mandatory=True
            )

    def _on_return(
        self, _channel: Channel, method: Basic.Return, properties: BasicProperties, _body: bytes
    ) -> None:
        # The broker returns a message before it confirms it, and says no delivery tag. Messages
        # with the same queue and id share their fate, so the oldest unreturned one is the one.
        name = (method.routing_key or "", properties.message_id or "")
        for tag in self._by_name.get(name, ()):
            if tag not in self._returned:
                self._returned.add(tag)
                return

    def _on_confirm(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._pending if tag <= method.delivery_tag]
        for tag in tags:
            sent = self._pending.pop(tag)
            self._forget_name(sent.name, tag)
            if isinstance(method, Basic.Nack):
                confirm = Confirm(False, "refused by the broker: the queue is full or not ready")
            elif tag in self._returned:
                self._returned.discard(tag)
                reason = f"unroutable: there is no queue {sent.name[0]}"
                confirm = Unroutable(False, reason, permanent=True)
            else:
                confirm = Confirm(True)
            if sent.batch.settle(sent.index, confirm):
                with self._lock:
                    self._waiting.discard(sent.batch)
                sent.batch.done.set()

    def _forget_name(self, name: tuple[str, str], tag: int) -> None:
        tags = self._by_name[name]
        tags.remove(tag)
        if not tags:
            del self._by_name[name]

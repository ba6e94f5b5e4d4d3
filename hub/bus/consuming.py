"""One connection's worth of consuming.

One thread (the caller's) belongs to the connection and answers its heartbeats; one other runs the
handler, so that a slow handler costs no connection. pika allows only the connection's own thread
to acknowledge, hence ``add_callback_threadsafe``.

=====================  =====================================================================
The handler            What happens to the message
=====================  =====================================================================
returns                acknowledged
raises Temporary       kept unacknowledged and handled again after a pause, which the broker
                       does not count; after ``hold`` seconds everything is given back, which
                       it counts once. The broker's own ``consumer_timeout`` (30 minutes) is
                       longer than ``hold``
raises anything else   given back after a pause and counted; dead at the delivery limit
=====================  =====================================================================
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import Basic

from hub.bus.inbound import deliveries_before, has_sender, inbound_message
from hub.errors import BusUnavailable, Temporary
from hub.ports import InboundHandler, InboundMessage

_log = structlog.get_logger(__name__)

_TICK = 0.2
"""Seconds between looks at ``stop``."""


@dataclass(frozen=True)
class ListenerSettings:
    """How messages are taken; times in seconds, sizes in bytes."""

    prefetch: int = 16
    """Unacknowledged messages per queue. Those not begun at a crash count one delivery each."""
    max_body: int = 32 * 1024 * 1024
    """A larger message is recorded as dead and its body let go."""
    hold: float = 900.0
    """How long one message is kept over Temporary errors before it is given back."""
    first_pause: float = 0.05
    longest_pause: float = 5.0
    dead_pause: float = 30.0
    """Before a dead letter that could not be handled is tried again; it has no limit."""
    drain: float = 5.0
    """How long ``stop`` lets messages already taken be finished."""


@dataclass(frozen=True)
class _Taken:
    tag: int
    message: InboundMessage
    deliveries: int


def pauses(first: float, longest: float) -> Iterator[float]:
    """Doubling from ``first`` up to ``longest``, then that for ever; seconds."""
    pause = first
    while True:
        yield min(pause, longest)
        pause = min(pause * 2, longest)


class ConsumingSession:
    """Consumes some queues over one connection; single use."""

    def __init__(
        self,
        queues: tuple[str, ...],
        handler: InboundHandler,
        stop: Event,
        settings: ListenerSettings,
    ) -> None:
        self._queues = queues
        self._handler = handler
        self._stop = stop
        self._settings = settings
        self._inbox: queue.SimpleQueue[_Taken | None] = queue.SimpleQueue()
        self._over = Event()
        """No more handling: the connection is gone, or the messages are to be given back."""
        self._unfinished = 0
        self._worker: threading.Thread | None = None
        self.settled = False
        """At least one message was taken and settled, so the connection was a good one."""

    def run(self, connection: pika.BlockingConnection) -> None:
        """Consume until ``stop``; raises BusUnavailable or pika's errors."""
        channel = connection.channel()
        channel.basic_qos(prefetch_count=self._settings.prefetch)
        # A deleted queue or a lost leader cancels the consumer without closing anything.
        channel.add_on_cancel_callback(lambda _: self._over.set())
        for name in self._queues:
            channel.basic_consume(name, self._receiver(name))
        self._worker = threading.Thread(
            target=self._work, args=(connection, channel), name="ki-hub-handler", daemon=True
        )
        self._worker.start()
        _log.info("bus.listening", queues=self._queues)
        while not self._stop.is_set():
            connection.process_data_events(time_limit=_TICK)
            if (self._over.is_set() or channel.is_closed) and not self._stop.is_set():
                # Closing the connection gives everything unacknowledged back.
                raise BusUnavailable("The consumer was cancelled, or held messages for too long")
        self._drain(connection, channel)

    def end(self) -> None:
        """Wait for the handler, which may be in the middle of a message, and stop its thread."""
        self._over.set()
        self._inbox.put(None)
        if self._worker is not None:
            self._worker.join()

    def _drain(self, connection: pika.BlockingConnection, channel: BlockingChannel) -> None:
        """Finish what was taken: given back unfinished, each would count one delivery."""
        for tag in list(channel.consumer_tags):
            channel.basic_cancel(tag)
        end = time.monotonic() + self._settings.drain
        while self._unfinished > 0 and not self._over.is_set() and time.monotonic() < end:
            connection.process_data_events(time_limit=_TICK)

    def _receiver(
        self, name: str
    ) -> Callable[[BlockingChannel, Basic.Deliver, pika.BasicProperties, bytes], None]:
        def receive(
            channel: BlockingChannel,
            method: Basic.Deliver,
            properties: pika.BasicProperties,
            body: bytes,
        ) -> None:
            tag = method.delivery_tag or 0
            if not has_sender(name, properties):
                _log.warning("bus.refused_without_user_id", queue=name)
                channel.basic_reject(tag, requeue=False)
                return
            message = inbound_message(name, method, properties, body, self._settings.max_body)
            self._unfinished += 1
            self._inbox.put(_Taken(tag, message, deliveries_before(properties)))

        return receive

    # In the handler's thread.

    def _work(self, connection: pika.BlockingConnection, channel: BlockingChannel) -> None:
        while (taken := self._inbox.get()) is not None and not self._over.is_set():
            settle = self._handle(connection, channel, taken)
            if settle is None:
                # The message stays unacknowledged, and the broker hands it out again later.
                self._over.set()
                return
            try:
                connection.add_callback_threadsafe(settle)
            except AMQPError:
                # The connection is gone; the broker hands the message out again.
                _log.warning("bus.settlement_lost", **_named(taken))
                return

    def _handle(
        self, connection: pika.BlockingConnection, channel: BlockingChannel, taken: _Taken
    ) -> Callable[[], None] | None:
        """Call the handler; what the connection's thread is to do then, or None to give up."""
        began = time.monotonic()
        for pause in pauses(self._settings.first_pause, self._settings.longest_pause):
            try:
                self._handler(taken.message)
            except Temporary as error:
                _log.warning("bus.handler_temporary", number=error.number, **_named(taken))
            except Exception as error:  # whatever the handler's bug is: the limit counts it
                # Only the class: a library's message could quote the document.
                _log.error("bus.handler_failed", error=type(error).__name__, **_named(taken))
                return lambda: self._give_back(connection, channel, taken)
            else:
                return lambda: self._acknowledge(channel, taken)
            if time.monotonic() - began > self._settings.hold or self._interrupted(pause):
                break
        return None

    def _interrupted(self, seconds: float) -> bool:
        """Wait; true when there is no use in going on."""
        end = time.monotonic() + seconds
        while not self._over.is_set() and not self._stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._stop.wait(min(left, _TICK))
        return True

    # In the connection's thread.

    def _acknowledge(self, channel: BlockingChannel, taken: _Taken) -> None:
        channel.basic_ack(taken.tag)
        self._unfinished -= 1
        self.settled = True

    def _give_back(
        self, connection: pika.BlockingConnection, channel: BlockingChannel, taken: _Taken
    ) -> None:
        """Put it back after a pause that grows with its count, without holding up the others."""
        self._unfinished -= 1
        self.settled = True
        pause = self._settings.dead_pause
        if taken.message.kind != "dead":
            growing = self._settings.first_pause * 2 ** min(taken.deliveries, 10)
            pause = min(growing, self._settings.longest_pause / 5)
        connection.call_later(pause, lambda: channel.basic_nack(taken.tag, requeue=True))


def _named(taken: _Taken) -> dict[str, object]:
    message = taken.message
    return {"kind": message.kind, "party": message.user, "deliveries": taken.deliveries}

"""Publishing to the parties' queues: from the hub's words to AMQP's, over one shared session."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pika
import structlog
from pika.delivery_mode import DeliveryMode
from pika.exceptions import AMQPError

from hub.bus.connection import CONNECT_TIMEOUT
from hub.bus.publishing import Parcel, PublishingSession
from hub.errors import BusUnavailable
from hub.sending import Confirm, Outgoing

CONFIRM_TIMEOUT = 60.0
"""Seconds for the confirms of one window."""
MAX_BODY = 128 * 1024 * 1024
"""Bytes; RabbitMQ's own ``max_message_size`` in its default setting. A larger body would make the
broker close the channel, and with it everybody else's unconfirmed messages."""
WINDOW_COUNT = 500
WINDOW_BYTES = 16 * 1024 * 1024
"""How much is sent before its confirms are awaited: bounds the memory, not the speed."""

_log = structlog.get_logger(__name__)


class Publisher:
    """Publishes with confirms. Thread-safe; connects when first used and again when needed."""

    def __init__(self, params: pika.URLParameters) -> None:
        self._params = params
        self._lock = threading.Lock()
        self._session: PublishingSession | None = None

    def publish_many(self, batch: Sequence[tuple[str, Outgoing]]) -> list[Confirm]:
        """One Confirm each, in order; raises BusUnavailable when any answer is missing."""
        confirms: list[Confirm | None] = [None] * len(batch)
        parcels: list[tuple[int, Parcel]] = []
        for index, (queue, message) in enumerate(batch):
            parcel = _parcel(queue, message)
            if isinstance(parcel, Confirm):
                confirms[index] = parcel
            else:
                parcels.append((index, parcel))
        for window in _windows(parcels):
            answers = self._send([parcel for _, parcel in window])
            for (index, _), answer in zip(window, answers, strict=True):
                confirms[index] = answer
        return [confirm for confirm in confirms if confirm is not None]

    def close(self) -> None:
        """End the connection; a later publish opens a new one."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _send(self, parcels: Sequence[Parcel]) -> list[Confirm]:
        session = self._open_session()
        try:
            return session.send(parcels, CONFIRM_TIMEOUT)
        except BusUnavailable as error:
            _log.warning(
                "bus.publish_unconfirmed",
                messages=len(parcels), number=error.number, why=error.text,
            )  # fmt: skip
            raise

    def _open_session(self) -> PublishingSession:
        with self._lock:
            if self._session is None or not self._session.usable:
                session = PublishingSession(self._params)
                session.wait_open(2 * CONNECT_TIMEOUT)
                self._session = session
                _log.info("bus.publisher_connected")
            return self._session


def _parcel(queue: str, message: Outgoing) -> Parcel | Confirm:
    """The message in AMQP's terms, or why it can never be one."""
    if len(message.body) > MAX_BODY:
        return Confirm(False, f"larger than the broker takes ({MAX_BODY} bytes)", permanent=True)
    properties = pika.BasicProperties(
        message_id=message.key,
        content_type=message.media_type,
        delivery_mode=DeliveryMode.Persistent.value,
        headers=dict(message.headers),
        app_id="ki-hub",
    )
    try:
        # Encoding fails for text over 255 bytes or a header of a strange type. Here that costs one
        # message; in the session's thread it would end the connection.
        properties.encode()
        pika.spec.Basic.Publish(exchange="", routing_key=queue).encode()
    except (AMQPError, ValueError, TypeError) as error:
        return Confirm(False, f"not expressible in AMQP ({type(error).__name__})", permanent=True)
    return Parcel(queue, message.body, properties)


def _windows(parcels: Sequence[tuple[int, Parcel]]) -> Iterator[list[tuple[int, Parcel]]]:
    """Consecutive pieces of at most WINDOW_COUNT messages and, but for a lone large one,
    WINDOW_BYTES."""
    window: list[tuple[int, Parcel]] = []
    size = 0
    for item in parcels:
        length = len(item[1].body)
        if window and (len(window) == WINDOW_COUNT or size + length > WINDOW_BYTES):
            yield window
            window, size = [], 0
        window.append(item)
        size += length
    if window:
        yield window

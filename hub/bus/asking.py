"""Really asks the broker whether it is there, on a connection that is kept for that.

It asks with a message that no queue takes: the broker returns it, confirms it and keeps nothing.
"""

from __future__ import annotations

import threading
from typing import Final

import pika

from hub.bus.connection import CONNECT_TIMEOUT
from hub.bus.publishing import Parcel, PublishingSession
from hub.errors import BusAlarm, BusUnavailable

ANSWER: Final = 10.0
"""Seconds for the broker's answer."""
_ASKS: Final = Parcel("ki.asking", b"", pika.BasicProperties(message_id="asking"))


class Asking:
    """One connection, made when it is first needed and again when it has ended. Thread-safe."""

    def __init__(self, params: pika.URLParameters) -> None:
        self._params = params
        self._lock = threading.Lock()
        self._session: PublishingSession | None = None

    def ask(self) -> None:
        """Return when the broker has answered; raises BusAlarm while it takes nothing, and
        BusUnavailable."""
        with self._lock:
            kept = self._session is not None
            try:
                self._asked()
            except BusAlarm:
                raise
            except BusUnavailable:
                # That a connection of before was cut says nothing of the broker now.
                if not kept:
                    raise
                self._asked()

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._dropped()

    def _asked(self) -> None:
        try:
            if self._session is None or not self._session.usable:
                self._dropped()
                self._session = PublishingSession(self._params)
                self._session.wait_open(2 * CONNECT_TIMEOUT)
            self._session.send([_ASKS], ANSWER)
        except BusAlarm:
            # Kept, so that the end of the alarm is told.
            raise
        except BusUnavailable:
            self._dropped()
            raise

    def _dropped(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

"""Whether the broker holds publishers back: its memory or disk alarm.

The broker tells so to who publishes, and to nobody else (``connection.blocked``,
https://www.rabbitmq.com/docs/connection-blocked). A process that takes documents and publishes
nothing asks (:mod:`hub.bus.asking`).
"""

from __future__ import annotations

import threading
from typing import Final

import pika

from hub.bus.asking import ANSWER, Asking
from hub.errors import BusAlarm, BusUnavailable

LOOK: Final = 1.0
"""Seconds between two looks."""
_FIRST: Final = 1.0
"""Seconds that whoever asks first waits for an answer."""


class AlarmWatch:
    """A connection that asks the broker again and again, once somebody asks it. Thread-safe."""

    def __init__(self, params: pika.URLParameters) -> None:
        self._asking = Asking(params)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._looked = threading.Event()
        self._alarm: BusAlarm | None = None

    def expect_none(self) -> None:
        """Raises BusAlarm while there is one; a broker that is away has none."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(
                    target=self._watch, name="ki-hub-alarms", daemon=True
                )
                self._thread.start()
        self._looked.wait(_FIRST)
        if self._alarm is not None:
            raise BusAlarm(self._alarm.text)

    def close(self) -> None:
        """Ask no more."""
        with self._lock:
            self._stop.set()
        if self._thread is not None:
            self._thread.join(ANSWER)

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._asking.ask()
                self._alarm = None
            except BusAlarm as alarm:
                self._alarm = alarm
            except BusUnavailable:
                # Who publishes logs that, and readiness asks the broker itself.
                self._alarm = None
            self._looked.set()
            self._stop.wait(LOOK)
        self._asking.close()

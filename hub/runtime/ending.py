"""How a process ends: in order, within a time, or at once when it is asked twice."""

from __future__ import annotations

import os
import signal
import time
from threading import Event, Thread
from types import FrameType
from typing import Final

import structlog

from hub.services.hub import Hub
from hub.services.let_go import let_go

LOG = structlog.get_logger()
_LETTING_GO: Final = 3.0
"""Seconds for the database to take the claims back; then they lapse by themselves."""


class Ending:
    """SIGTERM and SIGINT: what is in hand is finished, or let go of when the time is up."""

    def __init__(self, hub: Hub, seconds: float) -> None:
        self.asked = Event()
        """The process was asked to end."""
        self._hub = hub
        self._seconds = seconds

    def install(self) -> None:
        """From the main thread, once."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            # As if killed; every claim lapses, as after a crash.
            os._exit(128 + number)
        self.asked.set()
        self._hub.hand.ending.set()
        self._hub.wake.set()
        Thread(target=self._bound, name="ending", daemon=True).start()

    def _bound(self) -> None:
        """Ends the process if it still runs by then, whatever its threads wait for."""
        time.sleep(self._seconds)
        LOG.warning("process.ends_anyway", seconds=self._seconds)
        letting = Thread(target=let_go, args=(self._hub,), name="let go", daemon=True)
        letting.start()
        letting.join(_LETTING_GO)
        os._exit(0)

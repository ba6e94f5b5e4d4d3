"""How many refused strangers are written down: who guesses must not fill the disk."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import Final

MOST: Final = 20
"""Rows a minute, in one process."""
MINUTE: Final = timedelta(minutes=1)


class Refusals:
    """Counts them. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._since: datetime | None = None
        self._told = 0
        self._unwritten = 0

    def admit(self, now: datetime) -> int | None:
        """How many were not written down since the last that was; None if this one is not."""
        with self._lock:
            if self._since is None or now - self._since >= MINUTE:
                self._since, self._told = now, 0
            if self._told >= MOST:
                self._unwritten += 1
                return None
            self._told += 1
            before, self._unwritten = self._unwritten, 0
            return before

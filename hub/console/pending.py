"""Logins that have gone to the OpenID provider and not come back yet: in memory, ten minutes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from hub.console.session import Area
from hub.ports import Begun

KEPT: Final = timedelta(minutes=10)
_MOST: Final = 1000
"""Anyone may begin a login; the oldest give way."""


@dataclass(frozen=True)
class Waiting:
    """One of them."""

    begun: Begun
    area: Area
    path: str
    """The page to see afterwards."""
    at: datetime


class Pending:
    """Safe to share between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._waiting: dict[str, Waiting] = {}

    def keep(self, begun: Begun, area: Area, path: str) -> str:
        """The id for the browser's cookie."""
        made, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            fresh = [(k, w) for k, w in self._waiting.items() if now - w.at < KEPT]
            self._waiting = dict(fresh[-_MOST + 1 :])
            self._waiting[made] = Waiting(begun, area, path, now)
        return made

    def take(self, known: str | None, state: str) -> Waiting | None:
        """The login with that cookie and state; once."""
        with self._lock:
            found = self._waiting.pop(known or "", None)
        if found is None or self._clock() - found.at >= KEPT:
            return None
        return found if secrets.compare_digest(found.begun.state, state) else None

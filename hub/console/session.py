"""Who is logged in: kept in this process's memory, by the hash of a random id.

A restart logs everybody out, and several processes behind one address need a balancer that keeps
a browser with its process; both are accepted so that no session is ever stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Literal

Area = Literal["operator", "party"]
"""The operator's pages, or the pages where a party's person records a citizen's decision."""

LIFETIME: Final = timedelta(hours=8)
"""A working day; then one logs in again."""
IDLE: Final = timedelta(minutes=15)
"""Without a request of a person's; a page that refreshes itself is nobody's."""


@dataclass(frozen=True)
class Session:
    """One login."""

    area: Area
    name: str
    """The operator's name, or the party's id."""
    began: datetime
    used: datetime
    roles: frozenset[str] = frozenset()
    person: str = ""
    """The name of a person who logged in for a party; empty where the party's credential did."""


class Sessions:
    """The logins of this process. Safe to share between threads."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        idle: timedelta = IDLE,
        longest: timedelta = LIFETIME,
    ) -> None:
        self._clock = clock
        self._idle = idle
        self._longest = longest
        self._lock = Lock()
        self._open: dict[str, Session] = {}
        self._key = secrets.token_bytes(32)

    def open(
        self, area: Area, name: str, roles: frozenset[str] = frozenset(), person: str = ""
    ) -> str:
        """A new login; returns the id for the cookie, of which only a hash is kept."""
        made, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._open = {k: s for k, s in self._open.items() if self._holds(s, now)}
            self._open[_hashed(made)] = Session(area, name, now, now, roles, person)
        return made

    def find(self, area: Area, session_id: str | None, *, used: bool = True) -> Session | None:
        """The login of that area with that id, if it still holds; ``used``: by a person."""
        if not session_id:
            return None
        key, now = _hashed(session_id), self._clock()
        with self._lock:
            found = self._open.get(key)
            if found is None or found.area != area or not self._holds(found, now):
                return None
            if used:
                self._open[key] = found = replace(found, used=now)
        return found

    def close(self, session_id: str | None) -> None:
        """Log out; closing twice is closing."""
        if session_id:
            with self._lock:
                self._open.pop(_hashed(session_id), None)

    def form_token(self, visitor: str, session_id: str | None) -> str:
        """What a form of this visitor in this session must send back."""
        bound = f"{visitor}\x1f{session_id or ''}".encode()
        return hmac.new(self._key, bound, hashlib.sha256).hexdigest()

    def form_token_holds(self, token: str, visitor: str, session_id: str | None) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(token.encode(), self.form_token(visitor, session_id).encode())

    def _holds(self, session: Session, now: datetime) -> bool:
        return now - session.began < self._longest and now - session.used < self._idle


def _hashed(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()

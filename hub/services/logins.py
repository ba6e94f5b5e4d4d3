"""Who is logged in to the console: kept in the database, by the hash of a random id, so that it
holds in every process and after a restart, and ends everywhere at once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.errors import StoreUnavailable
from hub.model.session import Area, Session
from hub.ports import Begun
from hub.services.hub import Hub
from hub.store.logins import Waiting

LOG = structlog.get_logger()
KEPT: Final = timedelta(minutes=10)
"""So long may a login at the provider take."""
MOST: Final = 1000
"""Anyone may begin a login; the oldest give way."""
_NOTED: Final = timedelta(minutes=1)
_SHARE: Final = 10
"""That a session is used is written once a minute, or ten times in the time it may be idle: a page
writes nothing else. It ends that much sooner, and never later."""


class Sessions:
    """The logins of all processes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def open(
        self,
        area: Area,
        name: str,
        roles: frozenset[str] = frozenset(),
        person: str = "",
        *,
        instead_of: str | None = None,
    ) -> str:
        """A new login; returns the id for the cookie, of which only a hash is kept.

        ``instead_of``: the id of one that ends with it.
        """
        made, now = secrets.token_urlsafe(32), self._hub.clock()
        with self._hub.store.writing() as work:
            if instead_of:
                work.logins.close(_hashed(instead_of))
            work.logins.open(_hashed(made), Session(area, name, now, now, roles, person))
            work.commit()
        return made

    def find(self, area: Area, session_id: str | None, *, used: bool = True) -> Session | None:
        """The login of that area with that id, if it still holds; ``used``: by a person."""
        if not session_id:
            return None
        key, now, door = _hashed(session_id), self._hub.clock(), self._hub.door
        with self._hub.store.reading() as work:
            found = work.logins.find(key)
        if found is None or found.area != area or not found.holds(now, door.idle, door.longest):
            return None
        if used and now - found.used >= min(_NOTED, door.idle / _SHARE):
            self._note(key, now)
        return found

    def _note(self, key: str, now: datetime) -> None:
        """Whoever is in stays in while the database takes no changes, until it was idle too long:
        that is when an operator needs the console."""
        try:
            with self._hub.store.writing() as work:
                work.logins.use(key, now)
                work.commit()
        except StoreUnavailable as e:
            LOG.warning("console.use_not_noted", number=e.number)

    def close(self, session_id: str | None) -> None:
        """Log out, everywhere; closing twice is closing."""
        if session_id:
            with self._hub.store.writing() as work:
                work.logins.close(_hashed(session_id))
                work.commit()


class Pending:
    """Logins that have gone to the OpenID provider and not come back yet."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def keep(self, begun: Begun, area: Area, path: str) -> str:
        """The id for the browser's cookie; ``path``: the page to see afterwards."""
        made, now = secrets.token_urlsafe(32), self._hub.clock()
        with self._hub.store.writing() as work:
            work.logins.drop(now - KEPT, MOST - 1)
            work.logins.keep(_hashed(made), Waiting(begun, area, path, now))
            work.commit()
        return made

    def take(self, known: str | None, state: str) -> Waiting | None:
        """The login with that cookie and state; once."""
        if not known:
            return None
        with self._hub.store.writing() as work:
            found = work.logins.take(_hashed(known))
            work.commit()
        if found is None or self._hub.clock() - found.at >= KEPT:
            return None
        same = secrets.compare_digest(found.begun.state.encode(), state.encode())
        return found if same else None


def forget_logins(hub: Hub) -> int:
    """Delete what has ended by itself; returns how many."""
    now, door = hub.clock(), hub.door
    with hub.store.writing() as work:
        ended = work.logins.close_old(now - door.idle, now - door.longest)
        gone = ended + work.logins.drop(now - KEPT, MOST)
        work.commit()
    return gone


def _hashed(own: str) -> str:
    return hashlib.sha256(own.encode()).hexdigest()

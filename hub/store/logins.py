"""Logins of the console: the same for every process on the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select, update

from hub.model.session import Area, Session
from hub.ports import Begun
from hub.store.login_tables import CONSOLE_LOGIN, CONSOLE_SESSION


@dataclass(frozen=True)
class Waiting:
    """A login that has gone to the OpenID provider and not come back yet."""

    begun: Begun
    area: Area
    path: str
    """The page to see afterwards."""
    at: datetime


class Logins:
    """Rows are found by a hash of what the browser has; whether one still holds is not decided
    here."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # Sessions

    def open(self, key: str, session: Session) -> None:
        """A new one."""
        self._db.execute(
            CONSOLE_SESSION.insert().values(
                id=key,
                area=session.area,
                name=session.name,
                person=session.person,
                roles=sorted(session.roles),
                began=session.began,
                used=session.used,
            )
        )

    def find(self, key: str) -> Session | None:
        """The one with that key."""
        found = select(CONSOLE_SESSION).where(CONSOLE_SESSION.c.id == key)
        row = self._db.execute(found).first()
        if row is None:
            return None
        return Session(row.area, row.name, row.began, row.used, frozenset(row.roles), row.person)

    def use(self, key: str, now: datetime) -> None:
        """A person has used it; one that was closed meanwhile stays closed."""
        found = update(CONSOLE_SESSION).where(CONSOLE_SESSION.c.id == key)
        self._db.execute(found.values(used=now))

    def close(self, key: str) -> None:
        """It is over; closing twice is closing."""
        self._db.execute(delete(CONSOLE_SESSION).where(CONSOLE_SESSION.c.id == key))

    def close_of(self, area: Area, name: str) -> None:
        """Those that a credential of that operator, or party, opened."""
        by = (CONSOLE_SESSION.c.area == area, CONSOLE_SESSION.c.name == name)
        self._db.execute(delete(CONSOLE_SESSION).where(*by, CONSOLE_SESSION.c.person == ""))

    def close_all(self) -> int:
        """Everybody logs in anew; how many were in."""
        return self._db.execute(delete(CONSOLE_SESSION)).rowcount

    def close_old(self, used_before: datetime, began_before: datetime) -> int:
        """Those that were not used since, or began before."""
        old = or_(CONSOLE_SESSION.c.used <= used_before, CONSOLE_SESSION.c.began <= began_before)
        return self._db.execute(delete(CONSOLE_SESSION).where(old)).rowcount

    # On their way to the provider

    def keep(self, key: str, waiting: Waiting) -> None:
        """A new one."""
        begun = waiting.begun
        self._db.execute(
            CONSOLE_LOGIN.insert().values(
                id=key,
                area=waiting.area,
                path=waiting.path,
                url=begun.url,
                state=begun.state,
                nonce=begun.nonce,
                verifier=begun.verifier,
                at=waiting.at,
            )
        )

    def take(self, key: str) -> Waiting | None:
        """The one with that key; once, whoever asks at the same time."""
        taken = delete(CONSOLE_LOGIN).where(CONSOLE_LOGIN.c.id == key).returning(CONSOLE_LOGIN)
        row = self._db.execute(taken).first()
        if row is None:
            return None
        begun = Begun(row.url, row.state, row.nonce, row.verifier)
        return Waiting(begun, row.area, row.path, row.at)

    def drop(self, before: datetime, most: int) -> int:
        """Those from before then, and the oldest of what is more than ``most``."""
        newest_first = CONSOLE_LOGIN.c.at.desc(), CONSOLE_LOGIN.c.id
        beyond = select(CONSOLE_LOGIN.c.id).order_by(*newest_first).offset(most)
        old = or_(CONSOLE_LOGIN.c.at <= before, CONSOLE_LOGIN.c.id.in_(beyond))
        return self._db.execute(delete(CONSOLE_LOGIN).where(old)).rowcount

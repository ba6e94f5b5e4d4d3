"""Durable queues in the hub's own database: the embedded bus, and every mailbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, select, update

from hub.sending import Outgoing
from hub.store.tables import QUEUE_MESSAGE


@dataclass(frozen=True)
class Waiting:
    """A message in a queue, not yet receipted."""

    key: str
    body: bytes
    media_type: str
    headers: Mapping[str, str]
    at: datetime


class Queues:
    """Messages stay until receipted; a key already there is not added again, but a message sent
    once more takes the place of what still waits under its key."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, queue: str, message: Outgoing, now: datetime) -> None:
        """Keep it durably, once per key."""
        place = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == message.key)
        waits = update(QUEUE_MESSAGE).where(place, QUEUE_MESSAGE.c.settled_at.is_(None))
        self._db.execute(waits.values(body=message.body, headers=dict(message.headers)))
        if self._db.execute(select(QUEUE_MESSAGE.c.id).where(place)).first() is None:
            self._db.execute(
                QUEUE_MESSAGE.insert().values(
                    queue=queue,
                    key=message.key,
                    body=message.body,
                    media_type=message.media_type,
                    headers=dict(message.headers),
                    at=now,
                )
            )

    def waiting(self, queue: str, limit: int | None = 100) -> list[Waiting]:
        """What has not been receipted, oldest first; at most ``limit``, None for all."""
        open_ = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.settled_at.is_(None))
        found = select(QUEUE_MESSAGE).where(open_).order_by(QUEUE_MESSAGE.c.id).limit(limit)
        return [_waiting(r) for r in self._db.execute(found)]

    def get(self, queue: str, key: str) -> Waiting | None:
        """One message, receipted or not."""
        place = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == key)
        row = self._db.execute(select(QUEUE_MESSAGE).where(place)).first()
        return _waiting(row) if row else None

    def holds(self, queue: str, key: str) -> bool:
        """The message is there and not receipted."""
        place = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == key)
        open_ = and_(place, QUEUE_MESSAGE.c.settled_at.is_(None))
        return self._db.execute(select(QUEUE_MESSAGE.c.id).where(open_)).first() is not None

    def settle(self, queue: str, key: str, now: datetime) -> bool:
        """Take it out of the queue; False if it is not there. Settling twice is settling."""
        place = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == key)
        changed = self._db.execute(
            update(QUEUE_MESSAGE)
            .where(place)
            .values(settled_at=func.coalesce(QUEUE_MESSAGE.c.settled_at, now))
        )
        return changed.rowcount == 1

    def reopen(self, queue: str, key: str) -> None:
        """What was receipted may be added again under its key."""
        place = (QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == key)
        self._db.execute(
            delete(QUEUE_MESSAGE).where(*place, QUEUE_MESSAGE.c.settled_at.is_not(None))
        )

    def forget(self, queue: str, keys: Sequence[str]) -> None:
        """They were never there, if nobody receipted them meanwhile; they may be added again."""
        unsettled = (QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.settled_at.is_(None))
        self._db.execute(delete(QUEUE_MESSAGE).where(*unsettled, QUEUE_MESSAGE.c.key.in_(keys)))

    def old(self, queue: str, before: datetime) -> list[Waiting]:
        """What came before then and still has its bytes, receipted or not."""
        found = select(QUEUE_MESSAGE).where(
            QUEUE_MESSAGE.c.queue == queue,
            QUEUE_MESSAGE.c.at < before,
            func.length(QUEUE_MESSAGE.c.body) > 0,
        )
        return [_waiting(r) for r in self._db.execute(found.order_by(QUEUE_MESSAGE.c.id))]

    def empty(self, queue: str, key: str, now: datetime) -> None:
        """Take it out of the queue, and its bytes with it."""
        self.settle(queue, key, now)
        place = and_(QUEUE_MESSAGE.c.queue == queue, QUEUE_MESSAGE.c.key == key)
        self._db.execute(update(QUEUE_MESSAGE).where(place).values(body=b""))

    def depths(self) -> dict[str, int]:
        """Queue to number waiting, queues that were ever used."""
        found = select(QUEUE_MESSAGE.c.queue, func.count(), func.count(QUEUE_MESSAGE.c.settled_at))
        rows = self._db.execute(found.group_by(QUEUE_MESSAGE.c.queue))
        return {queue: total - settled for queue, total, settled in rows}


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(row.key, row.body, row.media_type, row.headers, row.at)

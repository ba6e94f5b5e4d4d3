"""Received documents: committed before they are understood, kept with their answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from hub.model.party import Viewer
from hub.model.records import InboxItem, InboxState
from hub.store.dialect import inserted
from hub.store.tables import INBOX
from hub.store.turns import next_turn, turn_at


class Inbox:
    """One row a message, unique on (sender, message id)."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, item: InboxItem) -> bool:
        """Keep the raw bytes; False if the sender's message id is taken (by another writer)."""
        return inserted(
            self._db,
            INBOX,
            {
                "id": item.id,
                "sender": item.sender,
                "message_id": item.message_id,
                "format": item.format,
                "media_type": item.media_type,
                "channel": item.channel,
                "request": dict(item.request) if item.request is not None else None,
                "body": item.body,
                "body_hash": item.body_hash,
                "state": item.state,
                "received_at": item.received_at,
                "turn": next_turn(item.sender, item.received_at),
                "answered": item.channel != "amqp",
                "attempts": 0,
            },
        )

    def find(self, sender: str, message_id: str) -> InboxItem | None:
        """The message the sender gave that id."""
        found = and_(INBOX.c.sender == sender, INBOX.c.message_id == message_id)
        row = self._db.execute(select(INBOX).where(found)).first()
        return _item(row) if row else None

    def get(self, item_id: str, viewer: Viewer) -> InboxItem | None:
        """One message. A sealed one has no body for anyone but the services."""
        row = self._db.execute(select(INBOX).where(INBOX.c.id == item_id)).first()
        if row is None or (viewer.kind == "party" and row.sender != viewer.id):
            return None
        hidden = row.state == "sealed" and viewer.kind != "system"
        return _item(row, with_body=not hidden)

    def formats(self, item_ids: Collection[str]) -> set[str]:
        """The formats these messages came in."""
        found = select(INBOX.c.format).where(INBOX.c.id.in_(item_ids)).distinct()
        return set(self._db.execute(found).scalars()) if item_ids else set()

    def counts(self) -> dict[str, dict[str, int]]:
        """Sender to state to number."""
        found = select(INBOX.c.sender, INBOX.c.state, func.count())
        counted: dict[str, dict[str, int]] = {}
        for sender, state, number in self._db.execute(
            found.group_by(INBOX.c.sender, INBOX.c.state)
        ):
            counted.setdefault(sender, {})[state] = number
        return counted

    def claim(self, item_id: str, now: datetime, lease: timedelta) -> bool:
        """Take one message to work on it, for a while; False if someone else has it."""
        free = or_(INBOX.c.lease_until.is_(None), INBOX.c.lease_until < now)
        claimed = self._db.execute(
            update(INBOX)
            .where(INBOX.c.id == item_id, INBOX.c.state == "received", free)
            .values(lease_until=now + lease, attempts=INBOX.c.attempts + 1)
        )
        return claimed.rowcount == 1

    def waiting(self, now: datetime, limit: int) -> list[str]:
        """Messages nobody works on, oldest first."""
        free = or_(INBOX.c.lease_until.is_(None), INBOX.c.lease_until < now)
        found = (
            select(INBOX.c.id)
            .where(INBOX.c.state == "received", free)
            .order_by(INBOX.c.received_at)
            .limit(limit)
        )
        return list(self._db.execute(found).scalars())

    def release(self, item_id: str, until: datetime | None, *, counted: bool = True) -> None:
        """Give it back, to be tried again at that time; not ``counted``: as if not taken up."""
        values: dict[str, Any] = {"lease_until": until}
        if not counted:
            values["attempts"] = INBOX.c.attempts - 1
        waiting = and_(INBOX.c.id == item_id, INBOX.c.state == "received")
        self._db.execute(update(INBOX).where(waiting).values(**values))

    def settle(
        self,
        item_id: str,
        state: InboxState,
        status: int,
        answer: str,
        *,
        plan: tuple[str, int] | None = None,
        citizen: str | None = None,
        delete_after: datetime | None = None,
    ) -> bool:
        """Write the answer; False if there is one: whoever was slow has been overtaken.

        ``citizen``: the hub's id of whom the document is about, of a plan or of none.
        """
        settled = self._db.execute(
            update(INBOX)
            .where(INBOX.c.id == item_id, INBOX.c.state == "received")
            .values(
                state=state,
                status=status,
                answer=answer,
                plan_id=plan[0] if plan else None,
                plan_version=plan[1] if plan else None,
                citizen_id=citizen,
                lease_until=None,
                delete_after=delete_after,
            )
        )
        return settled.rowcount == 1

    def join(self, item_id: str, plan: tuple[str, int]) -> None:
        """What was kept unattached is in a plan now; the answer its sender got stands."""
        self._db.execute(
            update(INBOX)
            .where(INBOX.c.id == item_id, INBOX.c.state == "unattached")
            .values(state="applied", plan_id=plan[0], plan_version=plan[1])
        )

    def unanswered(self, limit: int) -> list[InboxItem]:
        """Settled messages from the broker whose answer was not yet published."""
        found = (
            select(INBOX)
            .where(INBOX.c.answered.is_(False), INBOX.c.answer.is_not(None))
            .order_by(INBOX.c.received_at)
            .limit(limit)
        )
        return [_item(r, with_body=False) for r in self._db.execute(found)]

    def mark_answered(self, item_id: str, *, answered: bool = True) -> None:
        """The answer is on the sender's queue, or (a resend came) shall be put there again."""
        self._db.execute(update(INBOX).where(INBOX.c.id == item_id).values(answered=answered))

    def reopen(
        self, known: InboxItem, body: bytes, now: datetime, *, body_hash: str | None = None
    ) -> bool:
        """Take up a message that was sealed, or set aside, and came again; False for any other.

        ``body_hash`` where the bytes differ from those it had.
        """
        hashed = {"body_hash": body_hash} if body_hash else {}
        reopened = self._db.execute(
            update(INBOX)
            .where(INBOX.c.id == known.id, INBOX.c.state.in_(("sealed", "set-aside")))
            .values(
                state="received",
                **hashed,
                body=body,
                received_at=now,
                turn=next_turn(known.sender, now),
                attempts=0,
                status=None,
                answer=None,
                answered=INBOX.c.channel != "amqp",
                delete_after=None,
            )
        )
        return reopened.rowcount == 1

    def release_set_aside(self, item_id: str) -> bool:
        """Take up what was set aside, as it came; False if it is not, or has no bytes any more."""
        aside = and_(INBOX.c.id == item_id, INBOX.c.state == "set-aside", INBOX.c.body.is_not(None))
        fresh = {"state": "received", "attempts": 0, "status": None, "answer": None}
        answered = INBOX.c.channel != "amqp"
        released = self._db.execute(
            update(INBOX).where(aside).values(**fresh, lease_until=None, answered=answered)
        )
        return released.rowcount == 1

    def delete_expired_seals(self, now: datetime) -> int:
        """Remove sealed bytes whose time is up; the message id stays."""
        expired = and_(INBOX.c.state == "sealed", INBOX.c.delete_after < now)
        return self._db.execute(
            update(INBOX).where(expired, INBOX.c.body.is_not(None)).values(body=None)
        ).rowcount

    def delete_unreadable(self, before: datetime) -> list[str]:
        """Remove the bytes of what was not understood and came before then; the answers stay.

        Returns the ids of those messages.
        """
        done = INBOX.c.state.in_(("refused", "set-aside"))
        old = and_(done, INBOX.c.received_at < before, INBOX.c.body.is_not(None))
        found = list(self._db.execute(select(INBOX.c.id).where(old)).scalars())
        self._db.execute(update(INBOX).where(old).values(body=None))
        return found

    def beginning(self, text: str) -> list[str]:
        """The ids that begin so, two at most."""
        found = select(INBOX.c.id).where(INBOX.c.id.startswith(text, autoescape=True)).limit(2)
        return list(self._db.execute(found).scalars())

    def listing(self, viewer: Viewer, states: tuple[InboxState, ...]) -> list[InboxItem]:
        """Messages in these states, newest first, without bodies."""
        found = select(INBOX).where(INBOX.c.state.in_(states))
        if viewer.kind == "party":
            found = found.where(INBOX.c.sender == viewer.id)
        ordered = found.order_by(INBOX.c.received_at.desc()).limit(500)
        return [_item(r, with_body=False) for r in self._db.execute(ordered)]


def _item(row: Row[Any], *, with_body: bool = True) -> InboxItem:
    return InboxItem(
        id=row.id,
        sender=row.sender,
        message_id=row.message_id,
        format=row.format,
        media_type=row.media_type,
        channel=row.channel,
        body=row.body if with_body else None,
        body_hash=row.body_hash,
        state=row.state,
        received_at=row.received_at,
        turn=turn_at(row.received_at) if row.turn is None else row.turn,
        status=row.status,
        answer=row.answer,
        plan_id=row.plan_id,
        plan_version=row.plan_version,
        attempts=row.attempts,
        request=row.request,
    )

"""Threads with receivers, what came back in them, and the ids by which a resend is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update

from hub.capabilities import MessageNames
from hub.model.records import Letter, Thread
from hub.store.conversation_tables import ENVELOPE, LETTER, THREAD, THREAD_KEY


class Conversations:
    """Reads are for the services: they decide who may see a letter."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # Threads

    def thread(self, plan_id: str, party: str, format_: str) -> Thread | None:
        """The thread that the next document may continue."""
        found = select(THREAD).where(*_place(plan_id, party, format_))
        row = self._db.execute(found).first()
        if row is None:
            return None
        return Thread(
            row.state, row.key, row.delivery_id, tuple(row.versions), frozenset(row.sections),
            frozenset(row.shown),
        )  # fmt: skip

    def save_thread(self, plan_id: str, party: str, format_: str, thread: Thread) -> None:
        """Keep the thread as it now is; its key leads to the plan for ever."""
        values: dict[str, Any] = {
            "state": dict(thread.state),
            "key": thread.key,
            "delivery_id": thread.delivery_id,
            "versions": list(thread.versions),
            "sections": sorted(thread.sections),
            "shown": sorted(thread.shown),
        }
        changed = update(THREAD).where(*_place(plan_id, party, format_)).values(**values)
        if self._db.execute(changed).rowcount == 0:
            place = {"plan_id": plan_id, "party": party, "format": format_}
            self._db.execute(THREAD.insert().values(**place, **values))
        if thread.key and self.plan_of(party, thread.key) is None:
            self._db.execute(
                THREAD_KEY.insert().values(party=party, key=thread.key, plan_id=plan_id)
            )

    def plan_of(self, party: str, key: str) -> str | None:
        """The plan that a thread with this party is, or was, about."""
        found = and_(THREAD_KEY.c.party == party, THREAD_KEY.c.key == key)
        return self._db.execute(select(THREAD_KEY.c.plan_id).where(found)).scalar()

    # Letters

    def add_letter(self, letter: Letter) -> None:
        """What a receiver's person wrote; its id is that of the received message."""
        self._db.execute(
            LETTER.insert().values(
                id=letter.id,
                plan_id=letter.plan_id,
                sender=letter.sender,
                addressee=letter.addressee,
                kind=letter.kind,
                text=letter.text,
                at=letter.at,
            )
        )

    def letters(self, plan_id: str) -> list[Letter]:
        """All of one plan, oldest first."""
        found = select(LETTER).where(LETTER.c.plan_id == plan_id).order_by(LETTER.c.at, LETTER.c.id)
        return [Letter(**r._mapping) for r in self._db.execute(found)]

    # Messages' own ids

    def envelope(self, sender: str, envelope: str) -> tuple[str, str] | None:
        """The message that came in this envelope, and the row it was kept in."""
        found = and_(ENVELOPE.c.sender == sender, ENVELOPE.c.envelope == envelope)
        row = self._db.execute(select(ENVELOPE).where(found)).first()
        return (row.message, row.inbox_id) if row else None

    def message(self, sender: str, message: str) -> str | None:
        """The row that this message was first kept in."""
        found = and_(ENVELOPE.c.sender == sender, ENVELOPE.c.message == message)
        rows = select(ENVELOPE.c.inbox_id).where(found).order_by(ENVELOPE.c.at).limit(1)
        return self._db.execute(rows).scalar()

    def add_envelope(self, sender: str, names: MessageNames, inbox_id: str, at: datetime) -> None:
        """Remember what the message calls itself; once."""
        if self.envelope(sender, names.envelope) is None:
            self._db.execute(
                ENVELOPE.insert().values(
                    sender=sender,
                    envelope=names.envelope,
                    message=names.message,
                    inbox_id=inbox_id,
                    at=at,
                )
            )

    def take_over(self, sender: str, message: str, inbox_id: str) -> None:
        """The message is processed anew from another row."""
        found = and_(ENVELOPE.c.sender == sender, ENVELOPE.c.message == message)
        self._db.execute(update(ENVELOPE).where(found).values(inbox_id=inbox_id))


def _place(plan_id: str, party: str, format_: str) -> tuple[Any, ...]:
    return (THREAD.c.plan_id == plan_id, THREAD.c.party == party, THREAD.c.format == format_)

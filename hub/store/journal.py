"""What is written down for people: tasks, audit, losses, hops, threads, and the meta table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from hub.model.party import Viewer
from hub.model.records import Hop, LossRow, Task
from hub.store.tables import AUDIT, DELIVERY, HOP, INBOX, LOSS, META, TASK, THREAD

OPERATOR = "operator"
"""The party of a task that the hub's own operator must do."""


class Journal:
    """Rows people read."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # Tasks

    def open_task(self, task: Task) -> None:
        """Ask a person to act; asking again changes nothing, or opens what was done before.

        Who is asked may have changed: the task is the new unit's then.
        """
        again = {"party": task.party, "done_at": None, "done_by": None}
        asked = update(TASK).where(TASK.c.id == task.id).values(**again)
        if self._db.execute(asked).rowcount == 0:
            self._db.execute(
                TASK.insert().values(
                    id=task.id,
                    kind=task.kind,
                    party=task.party,
                    plan_id=task.plan_id,
                    delivery_id=task.delivery_id,
                    inbox_id=task.inbox_id,
                    text=task.text,
                    created_at=task.created_at,
                )
            )

    def close_tasks(
        self,
        by: str,
        now: datetime,
        *,
        delivery_id: str | None = None,
        plan_id: str | None = None,
        kind: str | None = None,
        task_id: str | None = None,
    ) -> None:
        """Done, by whom; of one delivery, of one kind in a plan, or the one with that id."""
        found = update(TASK).where(TASK.c.done_at.is_(None))
        for column, wanted in (
            (TASK.c.delivery_id, delivery_id),
            (TASK.c.plan_id, plan_id),
            (TASK.c.kind, kind),
            (TASK.c.id, task_id),
        ):
            if wanted is not None:
                found = found.where(column == wanted)
        self._db.execute(found.values(done_at=now, done_by=by))

    def tasks(self, viewer: Viewer, *, done: bool = False) -> list[Task]:
        """Open tasks (or all), oldest first; a party sees its own."""
        found = select(TASK).order_by(TASK.c.created_at, TASK.c.id)
        if not done:
            found = found.where(TASK.c.done_at.is_(None))
        if viewer.kind == "party":
            found = found.where(TASK.c.party == viewer.id)
        return [
            Task(
                r.id, r.kind, r.party, r.text, r.plan_id, r.delivery_id, r.inbox_id,
                r.created_at, r.done_at, r.done_by,
            )
            for r in self._db.execute(found)
        ]  # fmt: skip

    # Audit

    def audit(
        self,
        at: datetime,
        actor: str,
        action: str,
        object_: str,
        *,
        party: str | None = None,
        basis: str = "",
        outcome: str = "success",
        detail: str = "",
    ) -> None:
        """One act, in the transaction that does it; never with plan content."""
        self._db.execute(
            AUDIT.insert().values(
                at=at,
                actor=actor,
                action=action,
                object=object_,
                party=party,
                basis=basis,
                outcome=outcome,
                detail=detail,
            )
        )

    def audit_of(self, object_prefix: str, limit: int = 500) -> list[Mapping[str, Any]]:
        """Audit rows about one object, oldest first."""
        found = select(AUDIT).where(AUDIT.c.object.startswith(object_prefix, autoescape=True))
        rows = self._db.execute(found.order_by(AUDIT.c.id).limit(limit))
        return [dict(r._mapping) for r in rows]

    # Losses

    def loss_counts(self) -> dict[tuple[str, ...], int]:
        """(``in`` or ``out``, format, kind) to number."""
        counted: dict[tuple[str, ...], int] = {}
        for way, table, key in (
            ("in", INBOX, LOSS.c.inbox_id), ("out", DELIVERY, LOSS.c.delivery_id),
        ):  # fmt: skip
            found = (
                select(table.c.format, LOSS.c.kind, func.count())
                .join(LOSS, key == table.c.id)
                .group_by(table.c.format, LOSS.c.kind)
            )
            counted |= {(way, format, kind): n for format, kind, n in self._db.execute(found)}
        return counted

    def losses(
        self, *, plan_id: str | None = None, delivery_id: str | None = None
    ) -> list[LossRow]:
        """What translations could not carry, of one plan or one delivery."""
        found = (
            select(LOSS)
            .outerjoin(DELIVERY, DELIVERY.c.id == LOSS.c.delivery_id)
            .outerjoin(INBOX, INBOX.c.id == LOSS.c.inbox_id)
            .order_by(LOSS.c.id)
        )
        if plan_id is not None:
            found = found.where(or_(DELIVERY.c.plan_id == plan_id, INBOX.c.plan_id == plan_id))
        if delivery_id is not None:
            found = found.where(LOSS.c.delivery_id == delivery_id)
        return [
            LossRow(r.delivery_id, r.inbox_id, r.path, r.kind, r.reason)
            for r in self._db.execute(found)
        ]

    # Hops

    def add_hop(self, hop_id: str, hop: Hop) -> None:
        """A person handed the plan on; once."""
        if self._db.execute(select(HOP.c.id).where(HOP.c.id == hop_id)).first() is None:
            self._db.execute(
                HOP.insert().values(
                    id=hop_id,
                    plan_id=hop.plan_id,
                    from_party=hop.from_party,
                    to_party=hop.to_party,
                    person=hop.person,
                    at=hop.at,
                )
            )

    def hops(self, plan_id: str) -> list[Hop]:
        """Who handed the plan on to whom, oldest first."""
        rows = self._db.execute(
            select(HOP).where(HOP.c.plan_id == plan_id).order_by(HOP.c.at, HOP.c.id)
        )
        return [Hop(r.plan_id, r.from_party, r.to_party, r.person, r.at) for r in rows]

    # Threads

    def thread(self, plan_id: str, party: str, format_: str) -> Mapping[str, Any] | None:
        """The adapter's own state for this (plan, receiver)."""
        found = select(THREAD.c.state).where(*_thread_key(plan_id, party, format_))
        state: Mapping[str, Any] | None = self._db.execute(found).scalar()
        return state

    def save_thread(self, plan_id: str, party: str, format_: str, state: Mapping[str, Any]) -> None:
        """Keep the adapter's new state."""
        key = _thread_key(plan_id, party, format_)
        changed = update(THREAD).where(*key).values(state=dict(state))
        if self._db.execute(changed).rowcount == 0:
            self._db.execute(
                THREAD.insert().values(
                    plan_id=plan_id, party=party, format=format_, state=dict(state)
                )
            )

    # Meta

    def meta(self, key: str) -> str | None:
        """A fact about this database, such as ``kind``."""
        return self._db.execute(select(META.c.value).where(META.c.key == key)).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Write it."""
        changed = self._db.execute(update(META).where(META.c.key == key).values(value=value))
        if changed.rowcount == 0:
            self._db.execute(META.insert().values(key=key, value=value))


def _thread_key(plan_id: str, party: str, format_: str) -> tuple[Any, ...]:
    return (THREAD.c.plan_id == plan_id, THREAD.c.party == party, THREAD.c.format == format_)

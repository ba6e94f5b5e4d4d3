"""What is written down for people: tasks, audit, hops, and the meta table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from hub.model.party import Viewer
from hub.model.records import Hop, Task
from hub.store.audit_rows import Act, AuditRows
from hub.store.audit_tables import AUDIT
from hub.store.parties import Parties
from hub.store.tables import DELIVERY, HOP, META, TASK

OPERATOR = "operator"
"""The party of a task that the hub's own operator must do."""


class Journal:
    """Rows people read."""

    def __init__(self, connection: Connection, parties: Parties) -> None:
        self._db = connection
        self._trail = AuditRows(connection, parties)

    # Tasks

    def open_task(self, task: Task) -> None:
        """Ask a person to act; asking again changes nothing, or opens what was done before.

        Who is asked, and what for, may have changed: the task is the new unit's then.
        """
        again = {"party": task.party, "text": task.text, "done_at": None, "done_by": None}
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
                    document=task.document,
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
        task_ids: Collection[str] | None = None,
        inbox_id: str | None = None,
    ) -> None:
        """Done, by whom; of one delivery or message, of one kind in a plan, or with those ids."""
        if task_ids is not None and not task_ids:
            return
        found = update(TASK).where(TASK.c.done_at.is_(None))
        if task_ids is not None:
            found = found.where(TASK.c.id.in_(task_ids))
        for column, wanted in (
            (TASK.c.delivery_id, delivery_id),
            (TASK.c.plan_id, plan_id),
            (TASK.c.kind, kind),
            (TASK.c.id, task_id),
            (TASK.c.inbox_id, inbox_id),
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
        return [_task(r) for r in self._db.execute(found)]

    def open_of(
        self, *, plan_id: str | None = None, kind: str | None = None, document: str | None = None
    ) -> list[Task]:
        """Open tasks about one plan, or of one kind, whosever they are; of a document that stands
        alone those about a delivery of it too."""
        found = select(TASK).where(TASK.c.done_at.is_(None))
        if document is not None:
            sent = select(DELIVERY.c.id).where(DELIVERY.c.document == document)
            found = found.where(or_(TASK.c.document == document, TASK.c.delivery_id.in_(sent)))
        for column, wanted in ((TASK.c.plan_id, plan_id), (TASK.c.kind, kind)):
            if wanted is not None:
                found = found.where(column == wanted)
        return [_task(r) for r in self._db.execute(found.order_by(TASK.c.created_at, TASK.c.id))]

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
        plan_id: str | None = None,
        version: int | None = None,
        citizen: str | None = None,
        role: str | None = None,
        sections: Iterable[str] = (),
        purpose: str | None = None,
        reason: str | None = None,
    ) -> int:
        """One act, in the transaction that does it; never with plan content. Returns the row's id.

        ``party``: the unit that acts or receives. ``citizen``: the hub's id; kept as a pseudonym.
        ``plan_id``, ``version``, ``citizen`` and ``role`` are found by the object where they are
        not given. ``reason``: the rule a denial follows from, or the reason a person gave.
        """
        return self._trail.write(
            Act(
                at, actor, action, object_, party, basis, outcome, detail, plan_id, version,
                citizen, role, tuple(sorted(sections)), purpose, reason,
            )
        )  # fmt: skip

    def audit_of(self, object_prefix: str, limit: int = 500) -> list[Mapping[str, Any]]:
        """Audit rows about one object, oldest first."""
        found = select(AUDIT).where(AUDIT.c.object.startswith(object_prefix, autoescape=True))
        rows = self._db.execute(found.order_by(AUDIT.c.id).limit(limit))
        return [dict(r._mapping) for r in rows]

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

    # Meta

    def meta(self, key: str) -> str | None:
        """A fact about this database, such as ``kind``."""
        return self._db.execute(select(META.c.value).where(META.c.key == key)).scalar()

    def metas(self, *keys: str) -> dict[str, str]:
        """Several such facts, of those that are there."""
        found = select(META.c.key, META.c.value).where(META.c.key.in_(keys))
        return {row.key: row.value for row in self._db.execute(found)}

    def set_meta(self, key: str, value: str) -> None:
        """Write it."""
        changed = self._db.execute(update(META).where(META.c.key == key).values(value=value))
        if changed.rowcount == 0:
            self._db.execute(META.insert().values(key=key, value=value))


def _task(row: Row[Any]) -> Task:
    return Task(
        row.id, row.kind, row.party, row.text, row.plan_id, row.delivery_id, row.inbox_id,
        row.created_at, row.done_at, row.done_by, row.document,
    )  # fmt: skip

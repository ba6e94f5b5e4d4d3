"""Which deliveries an operator means, and what became of an action on many of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from hub.model.delivery import UNDER_WAY, State
from hub.model.operate import Act
from hub.model.records import Delivery
from hub.store.claims import is_notice
from hub.store.operating_tables import ACTION, ACTION_ITEM
from hub.store.tables import DELIVERY

Outcome = Literal["waits", "done", "refused", "failed"]


@dataclass(frozen=True)
class Wanted:
    """Which deliveries; what is None does not matter."""

    ids: tuple[str, ...] = ()
    receiver: str | None = None
    format: str | None = None
    state: str | None = None
    plan: str | None = None
    since: datetime | None = None
    """Last changed at that time or later."""
    until: datetime | None = None
    """Last changed before that time."""
    because: str | None = None
    """Words in the delivery's reason, in English as the hub keeps it."""

    def said(self) -> dict[str, Any]:
        """What was asked for, as JSON."""
        plain = {k: v for k, v in vars(self).items() if v}
        moments = {k: v.isoformat() for k, v in plain.items() if isinstance(v, datetime)}
        return plain | moments | ({"ids": list(self.ids)} if self.ids else {})


@dataclass(frozen=True)
class Action:
    """What an operator had done to many deliveries."""

    id: str
    kind: Act
    wanted: Mapping[str, Any]
    actor: str
    reason: str
    created_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True)
class ActionItem:
    """What became of one delivery in it."""

    number: int
    delivery_id: str
    outcome: Outcome
    told: str
    """Why not; or what was made."""


class Operating:
    """For the services; who may ask is theirs to know."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def chosen(self, wanted: Wanted) -> list[str]:
        """Ids, oldest first."""
        found = select(DELIVERY.c.id)
        if wanted.ids:
            found = found.where(DELIVERY.c.id.in_(wanted.ids))
        for column, value in (
            (DELIVERY.c.receiver, wanted.receiver),
            (DELIVERY.c.format, wanted.format),
            (DELIVERY.c.state, wanted.state),
            (DELIVERY.c.plan_id, wanted.plan),
        ):
            if value is not None:
                found = found.where(column == value)
        if wanted.since is not None:
            found = found.where(DELIVERY.c.updated_at >= wanted.since)
        if wanted.until is not None:
            found = found.where(DELIVERY.c.updated_at < wanted.until)
        if wanted.because is not None:
            lower = func.lower(DELIVERY.c.reason)
            found = found.where(lower.contains(wanted.because.lower(), autoescape=True))
        ordered = found.order_by(DELIVERY.c.created_at, DELIVERY.c.id)
        return list(self._db.execute(ordered).scalars())

    def busy_beside(self, delivery: Delivery) -> bool:
        """Another message of the plan, or of the document, to its receiver is due or under way."""
        states = [s.value for s in UNDER_WAY | {State.DUE}]
        same = DELIVERY.c.plan_id == delivery.plan_id
        if delivery.document:
            same = DELIVERY.c.document == delivery.document
        found = select(DELIVERY.c.id).where(
            same,
            DELIVERY.c.receiver == delivery.receiver,
            DELIVERY.c.subscription == "",
            ~is_notice(DELIVERY),
            DELIVERY.c.id != delivery.id,
            DELIVERY.c.state.in_(states),
        )
        return self._db.execute(found.limit(1)).first() is not None

    def has_bytes(self, delivery_id: str) -> bool:
        """Its frozen bytes are there."""
        found = select(DELIVERY.c.id).where(
            DELIVERY.c.id == delivery_id, DELIVERY.c.body.is_not(None)
        )
        return self._db.execute(found).first() is not None

    def rule(self, delivery_id: str, ruling: Literal["stop", "anew"]) -> None:
        """What an operator said of it."""
        changed = update(DELIVERY).where(DELIVERY.c.id == delivery_id)
        self._db.execute(changed.values(ruling=ruling))

    # Actions

    def begin(self, action: Action, items: Iterable[ActionItem]) -> None:
        """Everything it is to do, in the order in which it does it."""
        self._db.execute(ACTION.insert().values(**vars(action)))
        rows = [vars(i) | {"action_id": action.id} for i in items]
        if rows:
            self._db.execute(ACTION_ITEM.insert(), rows)

    def action(self, action_id: str) -> Action | None:
        """One."""
        row = self._db.execute(select(ACTION).where(ACTION.c.id == action_id)).first()
        return _action(row) if row else None

    def actions(self, limit: int = 100) -> list[Action]:
        """The newest first."""
        found = select(ACTION).order_by(ACTION.c.created_at.desc(), ACTION.c.id).limit(limit)
        return [_action(r) for r in self._db.execute(found)]

    def beginning(self, text: str) -> list[str]:
        """The ids that begin so, two at most."""
        found = select(ACTION.c.id).where(ACTION.c.id.startswith(text, autoescape=True))
        return list(self._db.execute(found.limit(2)).scalars())

    def unfinished(self) -> list[str]:
        """What is not done yet, oldest first."""
        found = select(ACTION.c.id).where(ACTION.c.done_at.is_(None))
        return list(self._db.execute(found.order_by(ACTION.c.created_at, ACTION.c.id)).scalars())

    def waiting(self, action_id: str, limit: int) -> list[ActionItem]:
        """What is still to be done of it, in order."""
        found = select(ACTION_ITEM).where(
            ACTION_ITEM.c.action_id == action_id, ACTION_ITEM.c.outcome == "waits"
        )
        rows = self._db.execute(found.order_by(ACTION_ITEM.c.number).limit(limit))
        return [_item(r) for r in rows]

    def take(self, action_id: str, number: int) -> bool:
        """Nobody else has done it, or does until this transaction ends."""
        mine = and_(ACTION_ITEM.c.action_id == action_id, ACTION_ITEM.c.number == number)
        found = select(ACTION_ITEM.c.outcome).where(mine).with_for_update()
        return self._db.execute(found).scalar() == "waits"

    def settle(self, action_id: str, number: int, outcome: Outcome, told: str) -> None:
        """What became of one."""
        mine = and_(ACTION_ITEM.c.action_id == action_id, ACTION_ITEM.c.number == number)
        self._db.execute(update(ACTION_ITEM).where(mine).values(outcome=outcome, told=told))

    def finish(self, action_id: str, now: datetime) -> None:
        """Nothing waits any more."""
        open_ = and_(ACTION.c.id == action_id, ACTION.c.done_at.is_(None))
        self._db.execute(update(ACTION).where(open_).values(done_at=now))

    def counts(self, action_id: str) -> dict[Outcome, int]:
        """Outcome to number."""
        found = (
            select(ACTION_ITEM.c.outcome, func.count())
            .where(ACTION_ITEM.c.action_id == action_id)
            .group_by(ACTION_ITEM.c.outcome)
        )
        return {row[0]: row[1] for row in self._db.execute(found)}

    def items(self, action_id: str, limit: int) -> list[ActionItem]:
        """The first of them; those that were not done before the others."""
        mine = select(ACTION_ITEM).where(ACTION_ITEM.c.action_id == action_id)
        last = or_(ACTION_ITEM.c.outcome == "done", ACTION_ITEM.c.outcome == "waits")
        rows = self._db.execute(mine.order_by(last, ACTION_ITEM.c.number).limit(limit))
        return [_item(r) for r in rows]


def _action(row: Row[Any]) -> Action:
    return Action(**row._mapping)


def _item(row: Row[Any]) -> ActionItem:
    return ActionItem(row.number, row.delivery_id, row.outcome, row.told)

"""Withdrawals of consent, and the broker's queues that are taken back for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from hub.model.withdrawal import Left, Recall, Retraction, Withdrawal
from hub.store.audit_tables import AUDIT
from hub.store.dialect import inserted
from hub.store.withdrawal_tables import RECALL, RETRACTION, WITHDRAWAL


class Withdrawals:
    """Reads are for the services: they decide who may see a withdrawal."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._asked: dict[str, datetime] = {}

    def add(self, withdrawal: Withdrawal) -> None:
        """Once; said again, it is the same."""
        if self.get(withdrawal.id) is None:
            self._db.execute(WITHDRAWAL.insert().values(id=withdrawal.id, **_values(withdrawal)))

    def save(self, withdrawal: Withdrawal) -> None:
        """What is known of it by now."""
        changed = update(WITHDRAWAL).where(WITHDRAWAL.c.id == withdrawal.id)
        self._db.execute(changed.values(**_values(withdrawal)))

    def get(self, withdrawal_id: str) -> Withdrawal | None:
        """One of them."""
        found = select(WITHDRAWAL).where(WITHDRAWAL.c.id == withdrawal_id)
        row = self._db.execute(found).first()
        return _withdrawal(row) if row else None

    def of_plan(self, plan_id: str) -> tuple[Withdrawal, ...]:
        """Every one of the plan, oldest first."""
        found = select(WITHDRAWAL).where(WITHDRAWAL.c.plan_id == plan_id)
        rows = self._db.execute(found.order_by(WITHDRAWAL.c.at, WITHDRAWAL.c.id))
        return tuple(_withdrawal(r) for r in rows)

    def unsettled(self) -> list[str]:
        """Those where a send may still be running, oldest first."""
        found = select(WITHDRAWAL.c.id).where(WITHDRAWAL.c.settled_at.is_(None))
        return list(self._db.execute(found.order_by(WITHDRAWAL.c.at)).scalars())

    # The broker's queues

    def recall(self, party: str, now: datetime) -> None:
        """Take the party's queue back, again if it is being done: one more round. Written when
        the transaction ends."""
        self._asked[party] = now

    def write_recalls(self) -> None:
        """All that were asked for: after every other lock of the transaction, and by party, so
        that nobody waits in a circle for one who takes back others' queues."""
        for party, now in sorted(self._asked.items()):
            fresh = {"party": party, "round": 1, "open": True, "taken": [], "opened_at": now}
            if inserted(self._db, RECALL, fresh):
                continue
            changed = update(RECALL).where(RECALL.c.party == party)
            again = {"round": RECALL.c.round + 1, "open": True, "opened_at": now}
            self._db.execute(changed.values(**again, looks=0, look_at=None))
        self._asked.clear()

    def recalled(self, party: str) -> Recall | None:
        """The party's recall, open or done."""
        row = self._db.execute(select(RECALL).where(RECALL.c.party == party)).first()
        return _recall(row) if row else None

    def claim_recalls(self, now: datetime, lease: timedelta) -> list[Recall]:
        """Those that are not done, or to be done once more, and in nobody's hands; a crash gives
        them back after the lease. It waits for none, so that nobody waits for it in a circle."""
        wanted = or_(RECALL.c.open, RECALL.c.look_at <= now)
        free = or_(RECALL.c.lease_until.is_(None), RECALL.c.lease_until < now)
        found = select(RECALL).where(wanted, free).order_by(RECALL.c.opened_at)
        taken = [_recall(r) for r in self._db.execute(found.with_for_update(skip_locked=True))]
        mine = update(RECALL).where(RECALL.c.party.in_([r.party for r in taken]))
        if taken:
            again = {"open": True, "look_at": None, "lease_until": now + lease}
            self._db.execute(mine.values(**again))
        return [replace(r, open=True, lease_until=now + lease) for r in taken]

    def renew_recall(self, recall: Recall, until: datetime) -> Recall | None:
        """Still in the same hands; None if it has passed on. Nobody else changes the row until
        the transaction ends."""
        renewed = update(RECALL).where(*_same_hands(recall)).values(lease_until=until)
        if self._db.execute(renewed).rowcount == 0:
            return None
        return replace(recall, lease_until=until)

    def release_recall(self, recall: Recall) -> None:
        """Not done yet; anybody may go on with it, if nobody does already."""
        mine = _same_hands(recall)
        self._db.execute(update(RECALL).where(*mine).values(lease_until=None))

    def fetched(self, plan_id: str, delivery_id: str) -> bool:
        """Its receiver has read it from the mailbox."""
        found = select(AUDIT.c.id).where(
            AUDIT.c.plan_id == plan_id,
            AUDIT.c.action == "fetch",
            AUDIT.c.detail == f"delivery/{delivery_id}",
        )
        return self._db.execute(found.limit(1)).first() is not None

    def is_recalled(self, party: str) -> bool:
        """Nothing new goes on the party's queue now."""
        found = self.recalled(party)
        return party in self._asked or (found is not None and found.open)

    def taken(self, party: str, keys: Iterable[tuple[str, bool]]) -> None:
        """What was taken out of the queue; committed before it is gone from there."""
        recall = self.recalled(party)
        assert recall is not None
        known = dict(recall.taken)
        for key, seen in keys:
            known[key] = seen or known.get(key, False)
        changed = update(RECALL).where(RECALL.c.party == party)
        self._db.execute(changed.values(taken=[[k, s] for k, s in known.items()]))

    def close_recall(self, recall: Recall, look_at: datetime | None) -> bool:
        """Done, unless one more round was asked for meanwhile or it has passed into other hands;
        at ``look_at`` it is done again."""
        same = (*_same_hands(recall), RECALL.c.round == recall.round)
        done = (
            update(RECALL)
            .where(*same)
            .values(open=False, taken=[], lease_until=None, looks=recall.looks + 1, look_at=look_at)
        )
        return self._db.execute(done).rowcount == 1

    # What was published in error

    def retract(self, retraction: Retraction) -> None:
        """Versions below are shown without the part from now on."""
        self._db.execute(RETRACTION.insert().values(**asdict(retraction)))

    def retracted_below(self, plan_id: str) -> int:
        """Copies of versions below this hold something that was published in error; or 0."""
        found = select(func.max(RETRACTION.c.below)).where(RETRACTION.c.plan_id == plan_id)
        return int(self._db.execute(found).scalar() or 0)


def _same_hands(recall: Recall) -> tuple[ColumnElement[bool], ...]:
    return RECALL.c.party == recall.party, RECALL.c.lease_until == recall.lease_until


def _values(withdrawal: Withdrawal) -> dict[str, Any]:
    return {
        "plan_id": withdrawal.plan_id,
        "cause": withdrawal.cause,
        "by": withdrawal.by,
        "at": withdrawal.at,
        "units": dict(withdrawal.units),
        "may_have_left": _rows(withdrawal.may_have_left),
        "wait_until": withdrawal.wait_until,
        "settled_at": withdrawal.settled_at,
    }


def _rows(left: Sequence[Left]) -> list[list[Any]]:
    return [[x.delivery, x.receiver, x.version, x.how] for x in left]


def _withdrawal(row: Row[Any]) -> Withdrawal:
    return Withdrawal(
        id=row.id,
        plan_id=row.plan_id,
        cause=row.cause,
        by=row.by,
        at=row.at,
        units=row.units,
        may_have_left=tuple(Left(*x) for x in row.may_have_left),
        wait_until=row.wait_until,
        settled_at=row.settled_at,
    )


def _recall(row: Row[Any]) -> Recall:
    taken = tuple((str(key), bool(seen)) for key, seen in row.taken)
    return Recall(row.party, row.round, row.open, taken, row.opened_at, row.looks, row.lease_until)

"""What is deleted when its time is up, and what a legal hold keeps from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from hub.model.delivery import ACKNOWLEDGES, FINAL
from hub.model.records import ENDED
from hub.store.audit_rows import AuditRows
from hub.store.audit_tables import AUDIT, AUDIT_SEAL, AUDIT_SEGMENT, CITIZEN_HOLD, LEGAL_HOLD
from hub.store.conversation_tables import ENVELOPE, THREAD
from hub.store.dialect import wait_turn
from hub.store.parties import Parties
from hub.store.tables import DELIVERY, INBOX, PART, PLAN, QUEUE_MESSAGE, TASK


@dataclass(frozen=True)
class Hold:
    """Nothing of this plan, or about this citizen, may be deleted; the other is empty."""

    plan_id: str
    citizen_id: str
    reason: str
    set_by: str
    set_at: datetime


class Retention:
    """Each kind of record by itself; nothing under a legal hold."""

    def __init__(self, connection: Connection, parties: Parties) -> None:
        self._db = connection
        self._rows = AuditRows(connection, parties)

    # Holds

    def take_turn(self) -> None:
        """Nothing is deleted while a hold is being set, nor the other way round."""
        wait_turn(self._db, "retention")

    def hold(self, hold: Hold) -> bool:
        """Set it; False if there is one."""
        table, key = _PLANS if hold.plan_id else _CITIZENS
        held = hold.plan_id or hold.citizen_id
        if self._db.execute(select(key).where(key == held)).first() is not None:
            return False
        values = {key.name: held, "reason": hold.reason, "set_by": hold.set_by}
        self._db.execute(table.insert().values(**values, set_at=hold.set_at))
        return True

    def release(self, plan_id: str = "", citizen_id: str = "") -> bool:
        """Lift that of a plan, or of a citizen; False if there is none."""
        table, key = _PLANS if plan_id else _CITIZENS
        return self._db.execute(delete(table).where(key == (plan_id or citizen_id))).rowcount > 0

    def holds(self) -> list[Hold]:
        """Every hold in force, oldest first."""
        plans = [Hold(r.plan_id, "", r.reason, r.set_by, r.set_at)
                 for r in self._db.execute(select(LEGAL_HOLD))]  # fmt: skip
        citizens = [Hold("", r.citizen_id, r.reason, r.set_by, r.set_at)
                    for r in self._db.execute(select(CITIZEN_HOLD))]  # fmt: skip
        return sorted((*plans, *citizens), key=lambda h: (h.set_at, h.plan_id, h.citizen_id))

    def held_citizen(self, citizen: str) -> bool:
        """The citizen, or a plan of the citizen's, is under a hold."""
        found = (
            select(LEGAL_HOLD.c.plan_id).join(PLAN, PLAN.c.id == LEGAL_HOLD.c.plan_id)
            .where(PLAN.c.citizen_id == citizen)
            .union(select(CITIZEN_HOLD.c.citizen_id).where(CITIZEN_HOLD.c.citizen_id == citizen))
        )  # fmt: skip
        return self._db.execute(found).first() is not None

    def held_delivery(self, delivery_id: str) -> bool:
        """It is of a plan, or of a citizen, under a hold."""
        found = select(DELIVERY.c.id).where(DELIVERY.c.id == delivery_id, not_(_FREE_DELIVERY))
        return self._db.execute(found).first() is not None

    # Segments of the audit trail

    def expired_segment(self, before: datetime) -> int | None:
        """The oldest segment whose rows were all written before then and none is held; never the
        newest one: ids that were used are not given again."""
        newest = select(func.max(AUDIT_SEGMENT.c.number)).scalar_subquery()
        rows = select(AUDIT.c.id).join(AUDIT_SEAL, AUDIT_SEAL.c.audit_id == AUDIT.c.id)
        own = rows.where(AUDIT_SEAL.c.segment == AUDIT_SEGMENT.c.number)
        found = (
            select(AUDIT_SEGMENT.c.number)
            .where(
                AUDIT_SEGMENT.c.expired_by.is_(None),
                AUDIT_SEGMENT.c.number < newest,
                not_(exists(own.where(or_(AUDIT.c.at >= before, self._held_rows())))),
            )
            .order_by(AUDIT_SEGMENT.c.number)
            .limit(1)
        )
        return self._db.execute(found).scalar()

    def expire_segment(self, number: int, by: int, now: datetime) -> int:
        """Delete its rows, whose seals stay; ``by``: the audit row that says so."""
        ids = select(AUDIT_SEAL.c.audit_id).where(AUDIT_SEAL.c.segment == number)
        gone = self._db.execute(delete(AUDIT).where(AUDIT.c.id.in_(ids))).rowcount
        self._db.execute(
            update(AUDIT_SEGMENT).where(AUDIT_SEGMENT.c.number == number)
            .values(expired_by=by, expired_at=now)
        )  # fmt: skip
        return gone

    def _held_rows(self) -> ColumnElement[bool]:
        """Rows of a held plan, and all about its citizen or another who is held."""
        of_plans = select(PLAN.c.citizen_id).join(LEGAL_HOLD, LEGAL_HOLD.c.plan_id == PLAN.c.id)
        held = of_plans.union(select(CITIZEN_HOLD.c.citizen_id))
        citizens = self._db.execute(held).scalars().all()
        names = [n for c in citizens if (n := self._rows.known_pseudonym(c)) is not None]
        return or_(AUDIT.c.plan_id.in_(select(LEGAL_HOLD.c.plan_id)), AUDIT.c.citizen.in_(names))

    # Bytes and tasks

    def delete_documents(self, before: datetime) -> int:
        """The bytes of understood documents that came before then; not of the newest one of a
        part, from which its owner's document is made again.

        One about nobody that is known here, as those are that came before it was written down, may
        be about anybody: while anything is held, it stays.
        """
        kept = or_(PART.c.source_inbox == INBOX.c.id, PART.c.document_inbox == INBOX.c.id)
        old = and_(
            INBOX.c.state == "applied",
            INBOX.c.received_at < before,
            INBOX.c.body.is_not(None),
            not_(exists().where(kept)),
            not_(_HELD_MESSAGE),
        )
        gone = self._db.execute(update(INBOX).where(old).values(body=None)).rowcount
        return gone + self._delete_envelopes(before)

    def _delete_envelopes(self, before: datetime) -> int:
        """What messages called themselves that came before then and whose bytes are gone: a resend
        is not to be expected any more."""
        there = exists().where(
            INBOX.c.id == ENVELOPE.c.inbox_id, or_(INBOX.c.body.is_not(None), _HELD_MESSAGE)
        )
        old = and_(ENVELOPE.c.at < before, not_(there))
        return self._db.execute(delete(ENVELOPE).where(old)).rowcount

    def delete_threads(self, before: datetime) -> int:
        """What was said in threads about plans that have ended, and in which nothing was sent since
        then. Which plan a thread was about stays known: a late reply still finds it."""
        going_on = exists().where(PLAN.c.id == THREAD.c.plan_id, PLAN.c.status.not_in(ENDED))
        lately = exists().where(
            DELIVERY.c.plan_id == THREAD.c.plan_id,
            DELIVERY.c.receiver == THREAD.c.party,
            DELIVERY.c.updated_at >= before,
        )
        old = and_(not_(going_on), not_(lately), _free(THREAD.c.plan_id))
        return self._db.execute(delete(THREAD).where(old)).rowcount

    def drop_threads(self, citizen: str) -> None:
        """The same of all of one citizen's plans, at once."""
        plans = select(PLAN.c.id).where(PLAN.c.citizen_id == citizen)
        self._db.execute(delete(THREAD).where(THREAD.c.plan_id.in_(plans)))

    def delete_sent(self, before: datetime) -> int:
        """The bytes of deliveries that ended before then; not of the newest one of a receiver in
        a format, by which a document that comes back is understood. What is of no plan or document
        (acknowledgements, notifications of decisions) is nobody's newest."""
        later = DELIVERY.alias()
        newest = not_(
            exists().where(
                or_(later.c.plan_id == DELIVERY.c.plan_id, later.c.document == DELIVERY.c.document),
                later.c.receiver == DELIVERY.c.receiver,
                later.c.format == DELIVERY.c.format,
                later.c.sequence > DELIVERY.c.sequence,
            )
        )
        old = and_(
            DELIVERY.c.state.in_([s.value for s in FINAL]),
            DELIVERY.c.updated_at < before,
            DELIVERY.c.body.is_not(None),
            or_(_LOOSE, not_(newest)),
            _FREE_DELIVERY,
        )
        sent = self._db.execute(update(DELIVERY).where(old).values(body=None)).rowcount
        return sent + self._delete_settled(before)

    def delete_unfetched(self, before: datetime, now: datetime) -> int:
        """Acknowledgements that ended before then and lie in a mailbox still: nobody answers one,
        so not to have taken it out is no sign that it is waited for."""
        ended = select(DELIVERY.c.id).where(
            _ANSWER,
            DELIVERY.c.state.in_([s.value for s in FINAL]),
            DELIVERY.c.updated_at < before,
            _FREE_DELIVERY,
        )
        lies = and_(QUEUE_MESSAGE.c.settled_at.is_(None), QUEUE_MESSAGE.c.key.in_(ended))
        gone: Any = self._db.execute(
            update(QUEUE_MESSAGE).where(lies).values(body=b"", settled_at=now)
        )
        return int(gone.rowcount)

    def _delete_settled(self, before: datetime) -> int:
        """The mailbox's copies of what was receipted before then."""
        held = select(DELIVERY.c.id).where(not_(_FREE_DELIVERY))
        old = and_(
            QUEUE_MESSAGE.c.settled_at < before,
            func.length(QUEUE_MESSAGE.c.body) > 0,
            QUEUE_MESSAGE.c.key.not_in(held),
        )
        gone: Any = self._db.execute(update(QUEUE_MESSAGE).where(old).values(body=b""))
        return int(gone.rowcount)

    def delete_tasks(self, before: datetime) -> int:
        """Tasks that were done before then."""
        held = exists().where(DELIVERY.c.id == TASK.c.delivery_id, not_(_FREE_DELIVERY))
        alone = _held_document(TASK.c.document)
        old = and_(TASK.c.done_at < before, _free(TASK.c.plan_id), not_(held), not_(alone))
        return self._db.execute(delete(TASK).where(old)).rowcount


def _free(plan: ColumnElement[Any]) -> ColumnElement[bool]:
    """It is of no plan that is under a legal hold, or whose citizen is."""
    of_held = exists().where(PLAN.c.id == plan, PLAN.c.citizen_id == CITIZEN_HOLD.c.citizen_id)
    return not_(or_(exists().where(LEGAL_HOLD.c.plan_id == plan), of_held))


def _held_document(document: ColumnElement[Any]) -> ColumnElement[bool]:
    """It is a document that stands alone of a citizen who is under a legal hold."""
    return exists().where(PART.c.id == document, PART.c.citizen_id == CITIZEN_HOLD.c.citizen_id)


def _held_person(citizen: ColumnElement[Any]) -> ColumnElement[bool]:
    """The citizen, or a plan of theirs, is under a legal hold."""
    of_plan = exists().where(PLAN.c.citizen_id == citizen, LEGAL_HOLD.c.plan_id == PLAN.c.id)
    return or_(exists().where(CITIZEN_HOLD.c.citizen_id == citizen), of_plan)


_PLANS: Final = (LEGAL_HOLD, LEGAL_HOLD.c.plan_id)
_CITIZENS: Final = (CITIZEN_HOLD, CITIZEN_HOLD.c.citizen_id)
_HOLDS: Final = (_PLANS, _CITIZENS)
_HELD: Final = or_(*(exists(select(key)) for _, key in _HOLDS))
"""Anybody, or anything, is under a hold."""
_HELD_MESSAGE: Final = or_(
    not_(_free(INBOX.c.plan_id)),
    _held_person(INBOX.c.citizen_id),
    and_(INBOX.c.plan_id.is_(None), INBOX.c.citizen_id.is_(None), _HELD),
)
"""It is of a held plan, about a held citizen, or, as far as is known, about anybody."""
_LOOSE: Final = and_(DELIVERY.c.plan_id.is_(None), DELIVERY.c.document.is_(None))
_ANSWER: Final = and_(_LOOSE, DELIVERY.c.about.startswith(ACKNOWLEDGES))
_HELD_ANSWER: Final = exists().where(
    INBOX.c.id == func.substr(DELIVERY.c.about, len(ACKNOWLEDGES) + 1), _HELD_MESSAGE
)
"""An acknowledgement is held with the message that it answers."""
_FREE_DELIVERY: Final = and_(
    _free(DELIVERY.c.plan_id),
    not_(_held_document(DELIVERY.c.document)),
    not_(and_(_ANSWER, _HELD_ANSWER)),
    not_(and_(_LOOSE, not_(_ANSWER), _HELD)),
)
"""It is of no plan, document or citizen that is held, as far as is known."""

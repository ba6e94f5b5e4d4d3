"""How each receiver stands: what was frozen for it, since when it is waited for, and when it was
last heard of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from hub.model.delivery import FINAL, State
from hub.model.party import CITIZEN
from hub.model.subscription import KEEPALIVE
from hub.store.dialect import inserted
from hub.store.subscription_tables import SUBSCRIPTION
from hub.store.tables import DELIVERY, DELIVERY_EVENT, METADATA, PART, PARTY, Moment

HEARD: Final = Table(
    "heard",
    METADATA,
    Column("party", ForeignKey("party.id"), primary_key=True),
    Column("at", Moment, nullable=False),
)
"""When a party last fetched, or answered, what was sent to it."""
_OFTEN: Final = timedelta(minutes=1)
"""It is written no more often: every receipt would otherwise wait for the last one's."""


class Standing:
    """For the services; of the hub's own rows, without what stands in them."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def frozen(
        self, of: str, receiver: str, format: str | None = None, after: int = 0
    ) -> list[str]:
        """Ids of what was made of the plan, or document that stands alone, for the receiver and is
        kept, by format and number: copies and notices, no notifications of a FHIR Subscription."""
        found = select(DELIVERY.c.id).where(
            or_(DELIVERY.c.plan_id == of, DELIVERY.c.document == of),
            DELIVERY.c.receiver == receiver,
            DELIVERY.c.subscription == "",
            DELIVERY.c.sequence > after,
            DELIVERY.c.body.is_not(None),
        )
        if format is not None:
            found = found.where(DELIVERY.c.format == format)
        ordered = found.order_by(DELIVERY.c.format, DELIVERY.c.sequence)
        return list(self._db.execute(ordered).scalars())

    def size(self, delivery_id: str) -> int:
        """Bytes of the frozen document; 0 where they are not kept any more."""
        found = select(func.length(DELIVERY.c.body)).where(DELIVERY.c.id == delivery_id)
        return int(self._db.execute(found).scalar() or 0)

    def plans(self, after: str, limit: int) -> list[str]:
        """Ids of plans that anything was ever made or due of, in their order."""
        found = select(DELIVERY.c.plan_id).where(DELIVERY.c.plan_id > after).distinct()
        return list(self._db.execute(found.order_by(DELIVERY.c.plan_id).limit(limit)).scalars())

    def documents(self, kinds: Collection[str], after: str, limit: int) -> list[str]:
        """Ids of documents of those kinds, in their order."""
        found = select(PART.c.id).where(PART.c.kind.in_(kinds), PART.c.id > after)
        return list(self._db.execute(found.order_by(PART.c.id).limit(limit)).scalars())

    def made(self, of: str) -> dict[str, int]:
        """The deliveries of the plan, or of the document that stands alone, its notices among them,
        to the order in which they were made, whatever the clocks said."""
        first = func.min(DELIVERY_EVENT.c.id)
        found = select(DELIVERY.c.id, first).join(DELIVERY_EVENT).group_by(DELIVERY.c.id)
        rows = self._db.execute(
            found.where(or_(DELIVERY.c.plan_id == of, DELIVERY.c.document == of))
        )
        return {row[0]: row[1] for row in rows}

    # Heard of

    def hear(self, party: str, now: datetime) -> bool:
        """It has just fetched or answered something; False if that is known to the minute."""
        last = self._db.execute(select(HEARD.c.at).where(HEARD.c.party == party)).scalar()
        if last is not None:
            changed = update(HEARD).where(HEARD.c.party == party, HEARD.c.at < now - _OFTEN)
            return now - last > _OFTEN and bool(self._db.execute(changed.values(at=now)).rowcount)
        # False too if another answer of its came at this moment.
        return inserted(self._db, HEARD, {"party": party, "at": now})

    def heard(self) -> dict[str, datetime]:
        """Party to when it was last heard of."""
        return {r.party: r.at for r in self._db.execute(select(HEARD))}

    def waited_for(self) -> dict[str, datetime]:
        """Party to since when the oldest waits that it has neither receipted nor taken: sent to
        its queue, or kept for a FHIR Subscription of its that is not switched off. Not of paused
        parties: there it is the hub that waits."""
        told = and_(
            DELIVERY.c.subscription != "",
            DELIVERY.c.state.not_in([s.value for s in FINAL]),
            DELIVERY.c.about.not_in(KEEPALIVE),
            exists().where(
                SUBSCRIPTION.c.id == DELIVERY.c.subscription,
                SUBSCRIPTION.c.status != "off",
                SUBSCRIPTION.c.suspended_by.is_(None),
                SUBSCRIPTION.c.deleted_at.is_(None),
            ),
        )
        sent = and_(DELIVERY.c.subscription == "", DELIVERY.c.state == State.SENT.value)
        since = func.min(case((sent, DELIVERY.c.updated_at), else_=DELIVERY.c.created_at))
        found = (
            select(DELIVERY.c.receiver, since.label("since"))
            .join(PARTY, PARTY.c.id == DELIVERY.c.receiver)
            .where(~PARTY.c.paused, DELIVERY.c.receiver != CITIZEN, or_(sent, told))
            .group_by(DELIVERY.c.receiver)
        )
        return {r.receiver: r.since for r in self._db.execute(found)}

"""Deliveries: rows before effects. The history is written with every change of state."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, and_, func, or_, select, update

from hub.model.delivery import UNDER_WAY, State, may_move, may_reopen
from hub.model.lanes import NOT_FULL, Candidate, Full
from hub.model.party import CITIZEN, Viewer
from hub.model.records import Delivery, DeliveryEvent
from hub.model.subscription import KEEPALIVE
from hub.store.claims import claimable, is_notice
from hub.store.tables import DELIVERY, DELIVERY_EVENT

_FILTERS = (DELIVERY.c.state, DELIVERY.c.receiver, DELIVERY.c.plan_id)
LIGHT: Final = [c for c in DELIVERY.c if c.name != "body"]
"""Every column but the frozen bytes."""


class Deliveries:
    """Reads take a viewer: a party sees its own, an operator and the services see all."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, delivery: Delivery, actor: str) -> None:
        """A new delivery with the first line of its history."""
        self._db.execute(
            DELIVERY.insert().values(
                id=delivery.id,
                plan_id=delivery.plan_id or None,
                document=delivery.document or None,
                receiver=delivery.receiver,
                subscription=delivery.subscription,
                about=delivery.about,
                format=delivery.format,
                version=delivery.version,
                digest=delivery.digest,
                state=delivery.state.value,
                reason=delivery.reason,
                basis=delivery.basis,
                attempts=delivery.attempts,
                sequence=delivery.sequence,
                message_id=delivery.message_id,
                media_type=delivery.media_type,
                body=delivery.body,
                created_at=delivery.created_at,
                updated_at=delivery.created_at,
            )
        )
        self.note(delivery.id, delivery.created_at, delivery.state, delivery.reason, actor)

    def get(self, delivery_id: str, viewer: Viewer, *, body: bool = False) -> Delivery | None:
        """One delivery."""
        columns = list(DELIVERY.c) if body else LIGHT
        row = self._db.execute(select(*columns).where(DELIVERY.c.id == delivery_id)).first()
        if row is None or (viewer.kind == "party" and row.receiver != viewer.id):
            return None
        return delivery_of_row(row)

    def lock(self, delivery_id: str, claim: str | None = None) -> Delivery | None:
        """One delivery for writing; with ``claim`` only if nobody else took it meanwhile."""
        found = select(*LIGHT).where(DELIVERY.c.id == delivery_id).with_for_update(key_share=True)
        if claim is not None:
            found = found.where(DELIVERY.c.claim == claim)
        row = self._db.execute(found).first()
        return delivery_of_row(row) if row else None

    def lock_free(self, deliveries: Collection[str]) -> list[Delivery]:
        """Those of them that nobody else holds at this moment, for writing: it waits for none."""
        found = select(*LIGHT).where(DELIVERY.c.id.in_(deliveries))
        rows = self._db.execute(found.with_for_update(skip_locked=True))
        return [delivery_of_row(r) for r in rows]

    def by_message(self, receiver: str, message_id: str) -> Delivery | None:
        """The delivery that a receiver's receipt or acknowledgement names."""
        named = or_(DELIVERY.c.id == message_id, DELIVERY.c.message_id == message_id)
        found = select(*LIGHT).where(DELIVERY.c.receiver == receiver, named)
        row = self._db.execute(found.order_by(DELIVERY.c.created_at.desc())).first()
        return delivery_of_row(row) if row else None

    def of_plan(self, plan_id: str, receiver: str | None = None) -> list[Delivery]:
        """All deliveries of the plan itself, oldest first; for the services."""
        found = select(*LIGHT).where(
            DELIVERY.c.plan_id == plan_id, DELIVERY.c.subscription == "", ~is_notice(DELIVERY)
        )
        if receiver is not None:
            found = found.where(DELIVERY.c.receiver == receiver)
        ordered = found.order_by(DELIVERY.c.created_at, DELIVERY.c.version, DELIVERY.c.id)
        return [delivery_of_row(r) for r in self._db.execute(ordered)]

    def notices_of(self, plan_id: str) -> list[Delivery]:
        """All notices about the plan; for the services."""
        found = select(*LIGHT).where(DELIVERY.c.plan_id == plan_id, is_notice(DELIVERY))
        return [delivery_of_row(r) for r in self._db.execute(found.order_by(DELIVERY.c.created_at))]

    def of_subscription(self, subscription: str, state: State | None = None) -> list[Delivery]:
        """Its notifications, oldest first; for the services."""
        found = select(*LIGHT).where(DELIVERY.c.subscription == subscription)
        if state is not None:
            found = found.where(DELIVERY.c.state == state.value)
        ordered = found.order_by(DELIVERY.c.event, DELIVERY.c.created_at, DELIVERY.c.id)
        return [delivery_of_row(r) for r in self._db.execute(ordered)]

    def frozen_notifications(self, plan_id: str) -> list[Delivery]:
        """Notifications about the plan that may have left and are not settled."""
        found = select(*LIGHT).where(
            DELIVERY.c.plan_id == plan_id,
            DELIVERY.c.subscription != "",
            DELIVERY.c.state.in_([s.value for s in UNDER_WAY]),
        )
        return [delivery_of_row(r) for r in self._db.execute(found)]

    def attempted(self, plan_id: str) -> list[Delivery]:
        """What was sent of the plan, or tried to be, to units; notifications of it too."""
        found = select(*LIGHT).where(
            DELIVERY.c.plan_id == plan_id,
            DELIVERY.c.attempts > 0,
            DELIVERY.c.receiver != CITIZEN,
            ~is_notice(DELIVERY),
        )
        rows = self._db.execute(found.order_by(DELIVERY.c.created_at, DELIVERY.c.id))
        return [delivery_of_row(r) for r in rows]

    def running(self, receiver: str, now: datetime) -> bool:
        """A send to that receiver is in some worker's hands now."""
        found = select(DELIVERY.c.id).where(
            DELIVERY.c.receiver == receiver,
            DELIVERY.c.state == State.SENDING.value,
            DELIVERY.c.lease_until >= now,
        )
        return self._db.execute(found.limit(1)).first() is not None

    def events(self, subscription: str, since: int, until: int, limit: int) -> list[Delivery]:
        """Numbered events of a FHIR Subscription, both ends included, in order."""
        found = select(*LIGHT).where(
            DELIVERY.c.subscription == subscription,
            DELIVERY.c.event >= since,
            DELIVERY.c.event <= until,
        )
        rows = self._db.execute(found.order_by(DELIVERY.c.event).limit(limit))
        return [delivery_of_row(r) for r in rows]

    def unnumbered(self, limit: int) -> list[str]:
        """Events that have no number yet, oldest first."""
        found = select(DELIVERY.c.id).where(
            DELIVERY.c.subscription != "",
            DELIVERY.c.event.is_(None),
            DELIVERY.c.state == State.DUE.value,
            DELIVERY.c.about.not_in(KEEPALIVE),
        )
        ordered = found.order_by(DELIVERY.c.created_at, DELIVERY.c.id).limit(limit)
        return list(self._db.execute(ordered).scalars())

    def number(self, delivery_id: str, event: int) -> None:
        """Give an event its number in the subscription."""
        self._set(delivery_id, event=event)

    def beginning(self, text: str, viewer: Viewer) -> list[str]:
        """The ids that begin so, two at most."""
        found = select(DELIVERY.c.id).where(DELIVERY.c.id.startswith(text, autoescape=True))
        if viewer.kind == "party":
            found = found.where(DELIVERY.c.receiver == viewer.id)
        return list(self._db.execute(found.limit(2)).scalars())

    def listing(
        self,
        viewer: Viewer,
        *,
        state: str | None = None,
        receiver: str | None = None,
        plan_id: str | None = None,
        limit: int = 500,
    ) -> list[Delivery]:
        """Newest first."""
        found = select(*LIGHT)
        if viewer.kind == "party":
            found = found.where(DELIVERY.c.receiver == viewer.id)
        wishes = (state, receiver, plan_id)
        for column, wanted in zip(_FILTERS, wishes, strict=True):
            if wanted:
                found = found.where(column == wanted)
        ordered = found.order_by(DELIVERY.c.updated_at.desc(), DELIVERY.c.id).limit(limit)
        return [delivery_of_row(r) for r in self._db.execute(ordered)]

    def counts(self) -> dict[str, dict[str, int]]:
        """Receiver to state to number."""
        return self._counted(DELIVERY.c.receiver)

    def counts_by_plan(self) -> dict[str, dict[str, int]]:
        """Plan to state to number."""
        return self._counted(DELIVERY.c.plan_id)

    def _counted(self, by: Column[Any]) -> dict[str, dict[str, int]]:
        found = select(by, DELIVERY.c.state, func.count()).group_by(by, DELIVERY.c.state)
        counted: dict[str, dict[str, int]] = {}
        for key, state, number in self._db.execute(found.where(by.is_not(None))):
            counted.setdefault(key, {})[state] = number
        return counted

    def history(self, delivery_id: str) -> list[DeliveryEvent]:
        """Every step, oldest first."""
        found = select(DELIVERY_EVENT).where(DELIVERY_EVENT.c.delivery_id == delivery_id)
        rows = self._db.execute(found.order_by(DELIVERY_EVENT.c.id))
        return [DeliveryEvent(r.at, State(r.state), r.reason, r.actor) for r in rows]

    def was_delivered(self, delivery_id: str) -> bool:
        """Its receiver has had it, whatever became of it since."""
        found = select(DELIVERY_EVENT.c.id).where(
            DELIVERY_EVENT.c.delivery_id == delivery_id,
            DELIVERY_EVENT.c.state == State.DELIVERED.value,
        )
        return self._db.execute(found.limit(1)).first() is not None

    def claimable(self, now: datetime, limit: int, full: Full = NOT_FULL) -> list[Candidate]:
        """What may be worked on; nobody else can take them until this transaction ends. Which
        those are is said in :mod:`hub.store.claims`; nothing for what is ``full``."""
        return [Candidate(*row) for row in self._db.execute(claimable(now, limit, full))]

    def take(self, deliveries: Collection[str], until: datetime, token: str) -> None:
        """They are this worker's until then."""
        self._lease(DELIVERY.c.id.in_(deliveries), until, token)

    def keep(self, deliveries: Mapping[str, str], until: datetime) -> None:
        """What is still in hand, by its token, stays so until then."""
        for delivery_id, token in deliveries.items():
            mine = and_(DELIVERY.c.id == delivery_id, DELIVERY.c.claim == token)
            self._lease(mine, until, token)

    def _lease(self, which: ColumnElement[bool], until: datetime, token: str) -> None:
        self._db.execute(update(DELIVERY).where(which).values(lease_until=until, claim=token))

    def holds_claim(self, delivery_id: str, token: str) -> bool:
        """Nobody else took it meanwhile."""
        found = select(DELIVERY.c.claim).where(DELIVERY.c.id == delivery_id)
        return self._db.execute(found).scalar() == token

    def release(self, delivery_id: str) -> None:
        """Give it back as it is."""
        self._set(delivery_id, lease_until=None, claim=None)

    def let_go(self, process: str) -> int:
        """Give back every claim whose token begins so; returns how many."""
        mine = update(DELIVERY).where(DELIVERY.c.claim.startswith(process, autoescape=True))
        return self._db.execute(mine.values(lease_until=None, claim=None)).rowcount

    def _set(self, delivery_id: str, **values: Any) -> None:
        self._db.execute(update(DELIVERY).where(DELIVERY.c.id == delivery_id).values(**values))

    def move(
        self,
        delivery: Delivery,
        state: State,
        reason: str,
        actor: str,
        now: datetime,
        *,
        by_person: bool = False,
        **values: Any,
    ) -> None:
        """Change the state and write the history; an illegal move is a bug and raises. Whoever had
        it in hand has it no more, unless ``values`` say so.

        ``by_person``: one asks for it, and may open again what is final.
        """
        allowed = may_move(delivery.state, state)
        if not allowed and not (by_person and may_reopen(delivery.state, state)):
            raise ValueError(f"a delivery cannot go from {delivery.state} to {state}")
        self._db.execute(
            update(DELIVERY)
            .where(DELIVERY.c.id == delivery.id)
            .values(
                {"lease_until": None, "claim": None}
                | values
                | {"state": state.value, "reason": reason, "updated_at": now}
            )
        )
        self.note(delivery.id, now, state, reason, actor)

    def restate(
        self, delivery: Delivery, reason: str, actor: str, now: datetime, **values: Any
    ) -> None:
        """Same state, another reason; also a line of the history."""
        self._db.execute(
            update(DELIVERY)
            .where(DELIVERY.c.id == delivery.id)
            .values(reason=reason, updated_at=now, **values)
        )
        self.note(delivery.id, now, delivery.state, reason, actor)

    def missed(self, now: datetime, limit: int) -> list[str]:
        """Sent ones whose receiver should have answered by now, oldest first."""
        sent = and_(DELIVERY.c.state == State.SENT.value, DELIVERY.c.subscription == "")
        found = select(DELIVERY.c.id).where(sent, DELIVERY.c.retry_at <= now).limit(limit)
        return list(self._db.execute(found.order_by(DELIVERY.c.retry_at)).scalars())

    def lease(self, delivery_id: str, until: datetime, token: str) -> None:
        """Keep it to oneself while sending; a crash gives it to the next worker after that."""
        self._lease(DELIVERY.c.id == delivery_id, until, token)

    def set_epoch(self, delivery_id: str, epoch: int) -> None:
        """The frozen bytes are permitted under the consent as it now is."""
        self._set(delivery_id, consent_epoch=epoch)

    def look_again(self, delivery_id: str, at: datetime) -> None:
        """Its receiver has been silent, and may be so until then."""
        self._set(delivery_id, retry_at=at)

    def set_outcome(self, delivery_id: str, outcome: str) -> None:
        """What its receiver said of it."""
        self._set(delivery_id, outcome=outcome)

    def next_sequence(
        self, plan_id: str, receiver: str, format: str, subscription: str = "", document: str = ""
    ) -> int:
        """One more than the last frozen message of this plan, or document that stands alone, in
        this subscription: a receiver's in one format, or a FHIR Subscription."""
        found = select(func.max(DELIVERY.c.sequence)).where(
            DELIVERY.c.plan_id.is_not_distinct_from(plan_id or None),
            DELIVERY.c.document.is_not_distinct_from(document or None),
            DELIVERY.c.receiver == receiver,
            DELIVERY.c.format == format,
            DELIVERY.c.subscription == subscription,
        )
        return int(self._db.execute(found).scalar() or 0) + 1

    def note(self, delivery_id: str, at: datetime, state: State, reason: str, actor: str) -> None:
        """A line of the history, also about what changed nothing."""
        self._db.execute(
            DELIVERY_EVENT.insert().values(
                delivery_id=delivery_id, at=at, state=state.value, reason=reason, actor=actor
            )
        )


def delivery_of_row(row: Row[Any]) -> Delivery:
    """From a row of the table."""
    values = {**row._mapping}
    for unused in ("lease_until", "claim"):
        values.pop(unused, None)
    values["state"] = State(values["state"])
    values["plan_id"] = values["plan_id"] or ""
    values["document"] = values["document"] or ""
    if values["sections"] is not None:
        values["sections"] = frozenset(values["sections"])
    return Delivery(**values)

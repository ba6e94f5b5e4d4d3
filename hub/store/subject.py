"""Everything that is kept about one citizen, table by table: for the citizen's own copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, literal, or_, select

from hub.model.delivery import ACKNOWLEDGES
from hub.store.audit_tables import CITIZEN_HOLD, LEGAL_HOLD
from hub.store.conversation_tables import ENVELOPE, LETTER, THREAD, THREAD_KEY
from hub.store.documents import DOCUMENT_ACCESS
from hub.store.given import READ_WHOLE
from hub.store.operating_tables import ACTION_ITEM
from hub.store.proposal_tables import PROPOSAL
from hub.store.subscription_tables import SEEN
from hub.store.tables import (
    ACCESS,
    APPROVAL,
    CITIZEN_IDENTIFIER,
    CONSENT,
    DELIVERY,
    DELIVERY_EVENT,
    HOP,
    INBOX,
    LOSS,
    PART,
    PLAN,
    PLAN_VERSION,
    QUEUE_MESSAGE,
    RESOURCE,
    TASK,
)
from hub.store.withdrawal_tables import RETRACTION, WITHDRAWAL

BYTES: Final = frozenset({"body"})
"""Columns that are files of their own."""
_OF_PLANS: Final = (
    PLAN_VERSION, APPROVAL, ACCESS, HOP, LETTER, PROPOSAL, THREAD, THREAD_KEY, READ_WHOLE,
    WITHDRAWAL, LEGAL_HOLD,
)  # fmt: skip
"""All of one plan's."""


class Subject:
    """Reads whole rows; who may have them is not decided here."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def tables(self, citizen: str) -> dict[str, list[dict[str, Any]]]:
        """Table to its rows about the citizen, without the bytes of documents."""
        return {
            table.name: [r._asdict() for r in self._db.execute(_light(table).where(of))]
            for table, of in _conditions(citizen)
        }

    def documents(self, citizen: str) -> Iterator[tuple[str, str, bytes]]:
        """Received documents whose bytes are still kept: message id, media type, bytes."""
        yield from self._bytes(INBOX, INBOX.c.received_at, citizen)

    def deliveries(self, citizen: str) -> Iterator[tuple[str, str, bytes]]:
        """Sent documents whose bytes are still kept."""
        yield from self._bytes(DELIVERY, DELIVERY.c.created_at, citizen)

    def _bytes(
        self, table: Table, order: ColumnElement[Any], citizen: str
    ) -> Iterator[tuple[str, str, bytes]]:
        of = dict(_conditions(citizen))[table]
        columns = (table.c.id, table.c.media_type, table.c.body)
        found = select(*columns).where(of, table.c.body.is_not(None)).order_by(order, table.c.id)
        for row in self._db.execute(found):
            yield row.id, row.media_type or "", row.body


def _light(table: Table) -> Select[Any]:
    kept = table.name in {INBOX.name, DELIVERY.name, QUEUE_MESSAGE.name}
    columns = [c for c in table.c if not (kept and c.name in BYTES)]
    return select(*columns).order_by(*table.primary_key.columns)


def _conditions(citizen: str) -> list[tuple[Table, ColumnElement[bool]]]:
    plans = select(PLAN.c.id).where(PLAN.c.citizen_id == citizen)
    parts = select(PART.c.id).where(PART.c.citizen_id == citizen)
    messages = (
        select(PART.c.source_inbox).where(PART.c.citizen_id == citizen),
        select(PART.c.document_inbox).where(PART.c.citizen_id == citizen),
        select(PLAN_VERSION.c.inbox_id).where(PLAN_VERSION.c.plan_id.in_(plans)),
    )
    named = or_(
        INBOX.c.plan_id.in_(plans),
        INBOX.c.citizen_id == citizen,
        *(INBOX.c.id.in_(m) for m in messages),
    )
    answers = select(literal(ACKNOWLEDGES).concat(INBOX.c.id)).where(named)
    consents = select(CONSENT.c.id).where(CONSENT.c.citizen_id == citizen)
    told = [
        select(literal(f"{kind}/").concat(own.selected_columns[0]))
        for kind, own in (("CarePlan", plans), ("CarePlan", parts), ("Consent", consents))
    ]
    sent = or_(
        DELIVERY.c.plan_id.in_(plans),
        DELIVERY.c.document.in_(parts),
        DELIVERY.c.about.in_(answers),
        *(DELIVERY.c.about.in_(t) for t in told),
    )
    received, deliveries = select(INBOX.c.id).where(named), select(DELIVERY.c.id).where(sent)
    return [
        *((table, table.c.plan_id.in_(plans)) for table in _OF_PLANS),
        (CITIZEN_IDENTIFIER, CITIZEN_IDENTIFIER.c.citizen_id == citizen),
        (PLAN, PLAN.c.citizen_id == citizen),
        (PART, PART.c.citizen_id == citizen),
        (RESOURCE, or_(RESOURCE.c.owner.in_(parts), RESOURCE.c.owner == citizen)),
        (CONSENT, CONSENT.c.citizen_id == citizen),
        (DOCUMENT_ACCESS, DOCUMENT_ACCESS.c.part_id.in_(parts)),
        (INBOX, named),
        (DELIVERY, sent),
        (DELIVERY_EVENT, DELIVERY_EVENT.c.delivery_id.in_(deliveries)),
        (
            TASK,
            or_(
                TASK.c.plan_id.in_(plans),
                TASK.c.delivery_id.in_(deliveries),
                TASK.c.inbox_id.in_(received),
                TASK.c.document.in_(parts),
            ),
        ),
        (ENVELOPE, ENVELOPE.c.inbox_id.in_(received)),
        (LOSS, or_(LOSS.c.delivery_id.in_(deliveries), LOSS.c.inbox_id.in_(received))),
        (QUEUE_MESSAGE, QUEUE_MESSAGE.c.key.in_(deliveries)),
        (SEEN, or_(*(SEEN.c.object.in_(t) for t in told))),
        (RETRACTION, RETRACTION.c.part_id.in_(parts)),
        (ACTION_ITEM, ACTION_ITEM.c.delivery_id.in_(deliveries)),
        (CITIZEN_HOLD, CITIZEN_HOLD.c.citizen_id == citizen),
    ]

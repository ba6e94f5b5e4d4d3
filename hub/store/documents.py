"""Who may look up a document that stands alone, from when until when, and what was sent of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Table, Text, and_, select

from hub.model.records import Delivery, Part
from hub.store.deliveries import LIGHT, delivery_of_row
from hub.store.replace import replace_rows
from hub.store.resources import part_of_row
from hub.store.tables import DELIVERY, METADATA, PART, Moment

DOCUMENT_ACCESS = Table(
    "document_access",
    METADATA,
    Column("part_id", ForeignKey("part.id"), primary_key=True),
    Column("party", ForeignKey("party.id"), primary_key=True),
    Column("since", Moment, primary_key=True),
    Column("until", Moment, nullable=False),
    Column("basis", Text, nullable=False),
)
"""What ``decide`` answers at every moment, for each party that a statute lets a document reach."""


class Documents:
    """Single documents: their access rows (those of plans are in the table ``access``) and their
    deliveries."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def set_access(self, part_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace who may look it up; in the transaction that changes document or consent."""
        replace_rows(self._db, DOCUMENT_ACCESS, {"part_id": part_id}, rows)

    def get(self, part_id: str) -> Part | None:
        """One document, or any other part."""
        row = self._db.execute(select(PART).where(PART.c.id == part_id)).first()
        return part_of_row(row) if row else None

    def lock(self, part_id: str) -> Part | None:
        """The same for writing: what is sent of it is decided by one at a time."""
        found = select(PART).where(PART.c.id == part_id).with_for_update(key_share=True)
        row = self._db.execute(found).first()
        return part_of_row(row) if row else None

    def sent(self, part_id: str, receiver: str | None = None) -> list[Delivery]:
        """All deliveries of a document that stands alone, oldest first; for the services."""
        found = select(*LIGHT).where(DELIVERY.c.document == part_id)
        if receiver is not None:
            found = found.where(DELIVERY.c.receiver == receiver)
        ordered = found.order_by(DELIVERY.c.created_at, DELIVERY.c.version, DELIVERY.c.id)
        return [delivery_of_row(r) for r in self._db.execute(ordered)]

    def open_to(self, party: str, at: datetime) -> list[tuple[Part, str]]:
        """Others' documents that the party may look up then, each with its legal basis."""
        open_ = and_(
            DOCUMENT_ACCESS.c.party == party,
            DOCUMENT_ACCESS.c.since <= at,
            DOCUMENT_ACCESS.c.until > at,
        )
        joined = select(PART, DOCUMENT_ACCESS.c.basis).join(
            DOCUMENT_ACCESS, DOCUMENT_ACCESS.c.part_id == PART.c.id
        )
        rows = self._db.execute(joined.where(open_).order_by(PART.c.id))
        return [(part_of_row(r), r.basis) for r in rows]

    def beginning(self, text: str, kinds: Collection[str]) -> list[str]:
        """Ids of documents of those kinds that begin so, two at most."""
        so = PART.c.id.startswith(text, autoescape=True)
        found = select(PART.c.id).where(PART.c.kind.in_(kinds), so).limit(2)
        return list(self._db.execute(found).scalars())

    def of_kinds(self, kinds: Iterable[str], citizen_id: str | None = None) -> list[Part]:
        """The documents of those kinds; of one citizen, or of all."""
        found = select(PART).where(PART.c.kind.in_(sorted(kinds)))
        if citizen_id is not None:
            found = found.where(PART.c.citizen_id == citizen_id)
        return [part_of_row(r) for r in self._db.execute(found.order_by(PART.c.id))]

"""Who may look up a document that stands alone, and from when until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Table, Text, and_, select

from hub.model.records import Part
from hub.store.replace import replace_rows
from hub.store.resources import part_of_row
from hub.store.tables import METADATA, PART, Moment

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
    """Access rows of single documents; those of plans are in the table ``access``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def set_access(self, part_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace who may look it up; in the transaction that changes document or consent."""
        replace_rows(self._db, DOCUMENT_ACCESS, {"part_id": part_id}, rows)

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

    def of_kinds(self, kinds: Iterable[str], citizen_id: str | None = None) -> list[Part]:
        """The documents of those kinds; of one citizen, or of all."""
        found = select(PART).where(PART.c.kind.in_(sorted(kinds)))
        if citizen_id is not None:
            found = found.where(PART.c.citizen_id == citizen_id)
        return [part_of_row(r) for r in self._db.execute(found.order_by(PART.c.id))]

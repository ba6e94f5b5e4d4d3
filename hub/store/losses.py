"""What translations could not carry, in (of a received document) and out (of a delivery)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, or_, select

from hub.contract import Loss
from hub.model.records import LossRow
from hub.store.tables import DELIVERY, INBOX, LOSS


class Losses:
    """Places and kinds; never what was lost. For the services and the operator."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(
        self, losses: Iterable[Loss], *, delivery_id: str | None = None, inbox_id: str | None = None
    ) -> None:
        """Of one delivery or one received document."""
        rows = [
            {
                "delivery_id": delivery_id,
                "inbox_id": inbox_id,
                "path": loss.path,
                "kind": loss.kind,
                "reason": loss.reason,
            }
            for loss in losses
        ]
        if rows:
            self._db.execute(LOSS.insert(), rows)

    def forget(self, *, delivery_id: str | None = None, inbox_id: str | None = None) -> None:
        """Before they are told anew, so that a loss is counted once."""
        own = LOSS.c.delivery_id == delivery_id if delivery_id else LOSS.c.inbox_id == inbox_id
        self._db.execute(delete(LOSS).where(own))

    def of(self, *, plan_id: str | None = None, delivery_id: str | None = None) -> list[LossRow]:
        """Of one plan, of one delivery, or all."""
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

    def counts(self) -> dict[tuple[str, ...], int]:
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

"""A delivery waits for no person any more."""

from __future__ import annotations

from datetime import datetime

from hub.model.delivery import State
from hub.model.records import Delivery
from hub.store.work import UnitOfWork


def move_on(
    work: UnitOfWork, row: Delivery, state: State, reason: str, by: str, now: datetime
) -> None:
    """Into another state; whatever was asked of people about it is done."""
    work.deliveries.move(row, state, reason, by, now)
    work.journal.close_tasks(by, now, delivery_id=row.id)

"""The order in which one sender's messages came, also when a clock was set meanwhile.

A turn is the time of coming in microseconds, or one more than the sender's newest where that is
not later. So it never goes back, whichever process's clock is wrong; and what an older process
has kept, which has none, takes its place by its time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from hub.store.tables import INBOX


def turn_at(moment: datetime) -> int:
    """The turn of what comes then, if nothing else does."""
    return round(moment.timestamp() * 1_000_000)


def next_turn(sender: str, now: datetime) -> ColumnElement[int]:
    """For the message that the sender's row is written of. Two that come at once may have the
    same: neither is before the other."""
    first = turn_at(now)
    later = select(func.max(INBOX.c.turn) + 1).where(
        INBOX.c.sender == sender, INBOX.c.turn >= first
    )
    return func.coalesce(later.scalar_subquery(), first)

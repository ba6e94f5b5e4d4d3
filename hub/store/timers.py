"""Times that were written by a clock that was ahead: after a step back they would hold up work.

Nothing here is what happened, or what the law counts by: only until when something waits. A row
that was changed later than now was written by such a clock; so was a lease that lasts longer than
any lease does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from hub.model.delivery import State
from hub.model.withdrawal import LOOKS
from hub.store.breaker_tables import BREAKER
from hub.store.tables import DELIVERY, INBOX
from hub.store.withdrawal_tables import RECALL, WITHDRAWAL

SLACK: Final = timedelta(minutes=2)
"""The clocks of two machines may differ so much, and it is no step."""
_WAIT: Final = (State.RETRY_AT.value, State.SENT.value)


class Timers:
    """Of every table that has some."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def let_all_go(self) -> int:
        """No process is there that held anything; returns how much was held."""
        changed = 0
        for table in (DELIVERY, INBOX, RECALL):
            held = update(table).where(table.c.lease_until.is_not(None)).values(lease_until=None)
            changed += self._db.execute(held).rowcount
        return changed

    def set_back(self, now: datetime, lease: timedelta) -> int:
        """Let go of what is leased beyond any lease, and begin every wait from the future anew, as
        long as it was; returns how many rows there were."""
        late = now + lease + SLACK
        changed = self._begin_anew(now)
        for table in (DELIVERY, INBOX, RECALL):
            held = update(table).where(table.c.lease_until > late).values(lease_until=None)
            changed += self._db.execute(held).rowcount
        waits = update(WITHDRAWAL).where(
            WITHDRAWAL.c.settled_at.is_(None), WITHDRAWAL.c.wait_until > late
        )
        changed += self._db.execute(waits.values(wait_until=now + lease)).rowcount
        return changed + self._look_again(now) + self._pause_anew(now)

    def _begin_anew(self, now: datetime) -> int:
        found = select(DELIVERY.c.id, DELIVERY.c.retry_at, DELIVERY.c.updated_at).where(
            DELIVERY.c.updated_at > now + SLACK,
            DELIVERY.c.retry_at.is_not(None),
            DELIVERY.c.state.in_(_WAIT),
        )
        waiting = [
            {"row": r.id, "at": now + (r.retry_at - r.updated_at), "now": now}
            for r in self._db.execute(found.with_for_update())
        ]
        if waiting:
            one = update(DELIVERY).where(DELIVERY.c.id == bindparam("row"))
            anew = one.values(retry_at=bindparam("at"), updated_at=bindparam("now"))
            self._db.execute(anew, waiting)
        return len(waiting)

    def _look_again(self, now: datetime) -> int:
        """A queue that was looked through is looked through again in its time."""
        changed = 0
        for looks, wait in enumerate(LOOKS, 1):
            far = update(RECALL).where(
                RECALL.c.looks == looks, RECALL.c.look_at > now + wait + SLACK
            )
            changed += self._db.execute(far.values(look_at=now + wait)).rowcount
        return changed

    def _pause_anew(self, now: datetime) -> int:
        """Of endpoints that are left alone; last, as their locks always are."""
        ahead = select(BREAKER).where(BREAKER.c.since > now + SLACK, BREAKER.c.until.is_not(None))
        found = self._db.execute(ahead.order_by(BREAKER.c.endpoint).with_for_update()).all()
        for row in found:
            one = update(BREAKER).where(BREAKER.c.endpoint == row.endpoint)
            anew = {"since": now, "until": now + (row.until - row.since)}
            self._db.execute(one.values(**anew))
        return len(found)

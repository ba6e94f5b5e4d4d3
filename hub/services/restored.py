"""After a restore from a backup: what the hub does not know any more may have happened.

A citizen may have said no since the backup was made, and the hub would send what is forbidden. So
nothing leaves until a person has seen to that, party by party. What had been sent is looked for at
once instead of after the usual wait, and sent again where the broker has lost it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.records import Task
from hub.services.hub import Hub, repeatable
from hub.services.resend import patience_with
from hub.store.journal import OPERATOR
from hub.store.work import UnitOfWork

REASON: Final = "Restored from a backup"
_ASK: Final = (
    "Restored from a backup: register the decisions that citizens have made since, then resume "
    "each party"
)
_ALL: Final = 1_000_000


@dataclass(frozen=True)
class Restored:
    """What was done."""

    paused: int
    """Parties that were not paused before."""
    looked_for: int
    """Sent messages without a receipt, which are sent again if they lie nowhere any more."""
    let_go: int
    """Claims of processes that are no more."""


def restored(hub: Hub, *, by: str) -> Restored:
    """Make a restored database safe to start on, in one transaction; safe to run twice.

    No other process of the hub runs meanwhile.
    """
    now = hub.clock()
    with hub.store.writing() as work:
        fresh = [p for p in work.parties.all() if not p.paused]
        for registered in fresh:
            work.parties.pause(registered.party.id, by, REASON)
        looked_for = _look_for_all(hub, work, now)
        let_go = work.timers.let_all_go()
        # Who has logged out since the backup is in again in it.
        work.logins.close_all()
        work.journal.audit(now, by, "restored", "database", detail=f"{len(fresh)} parties paused")
        task_id = repeatable("task", "restored")
        work.journal.open_task(Task(task_id, "restored", OPERATOR, _ASK, None, None, None, now))
        work.commit()
    return Restored(len(fresh), looked_for, let_go)


def _look_for_all(hub: Hub, work: UnitOfWork, now: datetime) -> int:
    """A receiver with a timer of its own keeps it: its message may be on its way to a person."""
    found = [
        d
        for d in work.deliveries.listing(SYSTEM, state=State.SENT.value, limit=_ALL)
        if d.retry_at is not None and not d.subscription and patience_with(hub, work, d) is None
    ]
    for delivery in found:
        work.deliveries.look_again(delivery.id, now)
    return len(found)

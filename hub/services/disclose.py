"""Nothing is shown before the audit says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from hub.errors import StoreUnavailable
from hub.model.party import Viewer
from hub.services.entries import Disclosure
from hub.services.hub import Hub
from hub.services.sight import Sight
from hub.store.work import UnitOfWork

Found = TypeVar("Found")

_TRIES = 3


def disclose(
    hub: Hub,
    viewer: Viewer,
    action: str,
    look: Callable[[Sight, UnitOfWork], tuple[Found, Iterable[Disclosure]]],
    *,
    until: datetime | None = None,
) -> Found:
    """What ``look`` finds, with one audit row for each thing it discloses, committed first.

    Looking writes nothing and holds up no writer. If a consent changes between the look and the
    audit, it is looked at again; raises StoreUnavailable if that goes on.
    """
    for _ in range(_TRIES):
        now = hub.clock()
        with hub.store.reading() as work:
            found, shown = look(Sight(work, viewer, now, until), work)
        disclosed = sorted(set(shown), key=lambda d: d.object)
        if not disclosed or _audited(hub, viewer, action, disclosed, now):
            return found
    raise StoreUnavailable("What you may read changed while it was read; ask again")


def _audited(
    hub: Hub, viewer: Viewer, action: str, disclosed: Iterable[Disclosure], now: datetime
) -> bool:
    """False, and nothing written, if a plan's consents or team are no longer those looked at."""
    with hub.store.writing() as work:
        for one in disclosed:
            if not _still(work, viewer, one, now):
                return False
            work.journal.audit(
                now, viewer.id, action, one.object, party=viewer.id, basis=one.basis,
                plan_id=one.plan_id, role=one.role,
            )  # fmt: skip
        work.commit()
    return True


def _still(work: UnitOfWork, viewer: Viewer, one: Disclosure, now: datetime) -> bool:
    if one.plan_id is None:
        return True
    plan = work.plans.get(one.plan_id, viewer, now)
    return plan is not None and plan.consent_epoch == one.epoch

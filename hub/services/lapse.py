"""Consents begin and end by themselves; nobody sends a message when they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hub.law import statutes
from hub.services.document_route import follow_documents
from hub.services.hub import Hub
from hub.services.route import reconcile
from hub.services.state import agreements_of

FOLLOWED: Final = "time-followed"
"""Meta key: the moment up to which plans follow their consents' periods."""
ACTOR: Final = "hub"


def follow_time(hub: Hub) -> int:
    """Decide anew on every plan where a consent began or ended, or soon does; returns how many.

    Each plan in a transaction of its own; after a crash it is done again, which changes nothing.
    """
    now = hub.clock()
    with hub.store.reading() as work:
        last = work.journal.meta(FOLLOWED)
        since = datetime.fromisoformat(last) if last else datetime.min.replace(tzinfo=UTC)
        # A clock that was ahead had decided on what is still to come: that is decided anew.
        since, until = min(since, now), max(since, now)
        plans = set(work.plans.changing(since, until))
        for days in agreements_of(work).reminder_days() if last else ():
            ahead = timedelta(days=days)
            plans.update(work.plans.changing(since + ahead, until + ahead))
    for plan_id in sorted(plans):
        reconcile_one(hub, plan_id, actor=ACTOR)
    with hub.store.writing() as work:
        edges = {edge for statute in statutes() for edge in statute.period() if edge}
        if last and any(since < edge <= until for edge in edges):
            # A statute that carries documents came into force, or ended.
            follow_documents(hub, work, work.parties.directory(), actor=ACTOR)
        work.journal.set_meta(FOLLOWED, now.isoformat())
        work.commit()
    return len(plans)


def reconcile_one(hub: Hub, plan_id: str, *, actor: str) -> None:
    """Decide anew on one plan, in a transaction of its own."""
    with hub.store.writing() as work:
        reconcile(hub, work, plan_id, work.parties.directory(), actor=actor)
        work.commit()

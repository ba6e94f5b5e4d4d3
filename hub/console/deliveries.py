"""Deliveries: what waits, what stopped, and the whole story of each. No plan content."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.model.delivery import State
from hub.model.party import CITIZEN, RegisteredParty, Viewer
from hub.model.records import Delivery
from hub.services import holding, overview, queries
from hub.services.attempts import subscription_of
from hub.services.operate import choose

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
MOST: Final = 500
"""Rows that the query gives at most."""
_FIRST: Final = (State.DEAD, State.BLOCKED, State.HELD, State.RETRY_AT)
"""What someone must look at comes first, then the newest."""


@ROUTER.get("/console/deliveries")
def listing(
    visit: Visitor, viewer: OperatorDep, state: str = "", receiver: str = "", plan: str = ""
) -> Response:
    """The table; each filter may be empty. An unknown state shows nothing."""
    hub = visit.hub
    found = queries.deliveries(
        hub, viewer, state=state or None, receiver=receiver or None, plan_id=plan.strip() or None
    )
    counts = overview.delivery_counts(hub, viewer)
    parties = overview.parties(hub, viewer)
    tasks = queries.tasks(hub, viewer)
    paused = frozenset(p.party.id for p in parties if p.paused)
    return visit.page(
        "deliveries.html",
        at=hub.clock(),
        rows=[(d, overview.whose_turn(d, tasks, paused)) for d in _in_order(found)],
        full=len(found) >= MOST,
        totals={s.value: sum(c.get(s.value, 0) for c in counts.values()) for s in State},
        receivers=[CITIZEN, *(p.party.id for p in parties)],
        state=state,
        receiver=receiver,
        plan=plan.strip(),
        parties=parties,
    )


def _in_order(found: list[Delivery]) -> list[Delivery]:
    """The query's order within each rank."""
    return sorted(found, key=lambda d: _FIRST.index(d.state) if d.state in _FIRST else len(_FIRST))


@ROUTER.get("/console/deliveries/{delivery}")
def detail(delivery: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """One delivery with history, losses and hops; a page of status 404 if there is none."""
    return _detail(delivery, visit, viewer)


@ROUTER.post("/console/deliveries/{delivery}/accept-losses")
def accept_losses(delivery: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Let it go with its losses; without a reason nothing is done and the page says so (422)."""
    reason = form.one("reason")
    if not reason:
        return _detail(delivery, visit, viewer, missing=True)
    holding.accept_losses(visit.hub, delivery, actor=viewer.id, reason=reason)
    return visit.go(f"/console/deliveries/{delivery}")


def _detail(delivery: str, visit: Visit, viewer: Viewer, *, missing: bool = False) -> Response:
    hub = visit.hub
    found = queries.delivery_detail(hub, viewer, delivery)
    parties = overview.parties(hub, viewer)
    paused = frozenset(p.party.id for p in parties if p.paused)
    tasks = [t for t in queries.tasks(hub, viewer) if t.delivery_id == delivery]
    return visit.page(
        "delivery.html",
        422 if missing else 200,
        missing=missing,
        at=hub.clock(),
        found=found,
        acts=choose.possible(hub, viewer, delivery),
        corrected=bool(found.delivery.plan_id and found.delivery.attempts)
        and found.delivery.receiver != CITIZEN,
        d=found.delivery,
        refused=_unaccepted(parties, found.delivery),
        paused=found.delivery.receiver in paused,
        turn=overview.whose_turn(found.delivery, tasks, paused),
        tasks=tasks,
        parties=parties,
    )


def _unaccepted(parties: list[RegisteredParty], delivery: Delivery) -> frozenset[str]:
    """Kinds of loss that the receiver does not accept of this format."""
    receiver = next((p for p in parties if p.party.id == delivery.receiver), None)
    found = subscription_of(receiver, delivery)
    return frozenset(found.unacceptable) if found else frozenset()

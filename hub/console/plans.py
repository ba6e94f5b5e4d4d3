"""Plans by id: versions, decisions, hops and deliveries. Never a citizen, never content."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import OperatorDep, Visitor
from hub.services import overview, queries

ROUTER = APIRouter(route_class=Page, include_in_schema=False)


@ROUTER.get("/console/plans")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """Every plan with its lead, newest version, parts and deliveries by state."""
    hub = visit.hub
    states = overview.delivery_counts_by_plan(hub, viewer)
    return visit.page(
        "plans.html",
        at=hub.clock(),
        rows=overview.plans_with_parts(hub, viewer),
        states=states,
        parties=overview.parties(hub, viewer),
    )


@ROUTER.get("/console/plans/{plan}")
def detail(plan: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """One plan; a page of status 404 if there is none."""
    hub = visit.hub
    return visit.page(
        "plan.html",
        at=hub.clock(),
        found=overview.plan_history(hub, viewer, plan),
        deliveries=queries.deliveries(hub, viewer, plan_id=plan),
        tasks=[t for t in queries.tasks(hub, viewer) if t.plan_id == plan],
        parties=overview.parties(hub, viewer),
    )

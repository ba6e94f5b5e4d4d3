"""Every open task, with whose it is: the operator's own first."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import OperatorDep, Visitor
from hub.services import overview, queries

ROUTER = APIRouter(route_class=Page, include_in_schema=False)


@ROUTER.get("/console/tasks")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """Open tasks, oldest first within each."""
    found = queries.tasks(visit.hub, viewer)
    return visit.page(
        "tasks.html",
        at=visit.hub.clock(),
        mine=[t for t in found if t.party == "operator"],
        theirs=[t for t in found if t.party != "operator"],
        parties=overview.parties(visit.hub, viewer),
    )

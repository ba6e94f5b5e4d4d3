"""The audit trail for operators, and the list of look-ups that a unit gives to the citizen.

Neither page refreshes itself: each look at them is a row of the trail.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import OperatorDep, PersonDep, Visitor
from hub.model.access_record import word
from hub.services import access_record
from hub.store.trail import Wanted

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
COUNT = 100


@ROUTER.get("/console/audit")
def rows(
    visit: Visitor,
    viewer: OperatorDep,
    plan: str = "",
    party: str = "",
    outcome: str = "",
    before: int | None = None,
) -> Response:
    """Rows, newest first; never what a plan says."""
    wanted = Wanted(plan_id=plan or None, party=party or None, outcome=outcome or None)
    found, following = access_record.page(visit.hub, viewer, wanted, before=before, count=COUNT)
    return visit.page(
        "audit.html", rows=found, following=following, plan=plan, party=party, outcome=outcome,
        outcomes=OUTCOMES, word=word,
    )  # fmt: skip


OUTCOMES = ("success", "denied", "refused")


@ROUTER.get("/decisions/access/{plan}")
def record(plan: str, visit: Visitor, person: PersonDep, everything: bool = False) -> Response:
    """Who has seen the plan or tried to, to be printed; 404 for other units."""
    found = access_record.access_record(
        visit.hub, person, plan, visit.language, everything=everything
    )
    return visit.page(
        "access_record.html", person=person, plan=plan, lines=found, everything=everything,
        at=visit.hub.clock(),
    )  # fmt: skip

"""A person of a party reads what receivers wrote about a plan, and says that it is seen to."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party
from hub.model.party import SYSTEM, Viewer
from hub.services import letters, overview, queries

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions/letters")


@ROUTER.get("/{plan}")
def listing(plan: str, visit: Visitor, person: PersonDep) -> Response:
    """What the unit may read, newest first; each look is audited. 404 for no such plan of its."""
    return _page(visit, person, plan)


@ROUTER.post("/{plan}/{message}")
def seen_to(plan: str, message: str, visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """A named person has seen to it; without a name the page says so (422)."""
    name = form.one("person")
    if not name:
        return _page(visit, person, plan, missing=message)
    letters.seen_to(visit.hub, person, plan, message, name)
    return visit.go(f"/decisions/letters/{plan}")


def _page(visit: Visit, person: Party, plan: str, *, missing: str = "") -> Response:
    found = letters.letters(visit.hub, person, plan)
    tasks = queries.tasks(visit.hub, Viewer.of(person))
    return visit.page(
        "letters.html",
        422 if missing else 200,
        person=person,
        plan=plan,
        letters=found[::-1],
        mine={t.inbox_id for t in tasks if t.kind == letters.KIND},
        missing=missing,
        parties=overview.parties(visit.hub, SYSTEM),
    )

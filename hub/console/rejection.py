"""After the citizen's no to a plan version a person of the lead's unit answers two questions."""

from __future__ import annotations

import secrets
from typing import Final

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.filled import Fault, Faults
from hub.console.page import Page
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party
from hub.services import rejection

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions/no")
CONSENT: Final = ("holds", "gone")
MEETING: Final = ("needed", "not-needed")


@ROUTER.get("/{plan}")
def questions(plan: str, visit: Visitor, person: PersonDep) -> Response:
    """Both questions, with no answer chosen; 404 where nothing is asked of this unit."""
    rejection.check_asked(visit.hub, person, plan)
    return _page(visit, person, Fields())


@ROUTER.post("/{plan}")
def answer(plan: str, visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Record it, or show what to mend (422); 404 where nothing is asked of this unit."""
    rejection.check_asked(visit.hub, person, plan)
    faults = Faults()
    consent = faults.choice(form, "consent", CONSENT, "fault.consent")
    meeting = faults.choice(form, "meeting", MEETING, "fault.meeting")
    name = faults.text(form, "person", "fault.person")
    if faults.found:
        return _page(visit, person, form, tuple(faults.found))
    rejection.answer(
        visit.hub, person, plan, name,
        consent_holds=consent == "holds", new_meeting=meeting == "needed",
    )  # fmt: skip
    return visit.go("/decisions")


def _page(visit: Visit, person: Party, form: Fields, faults: tuple[Fault, ...] = ()) -> Response:
    return visit.page(
        "rejection.html",
        422 if faults else 200,
        person=person,
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=(),
        consents=CONSENT,
        meetings=MEETING,
    )

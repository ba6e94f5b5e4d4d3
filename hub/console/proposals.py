"""A person of a party reads what others propose and what two have changed, and decides."""

from __future__ import annotations

import secrets
from typing import Final, cast

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.filled import Fault
from hub.console.page import Page
from hub.console.pieces import apart, told
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party
from hub.errors import InputRefused, Issue
from hub.model.party import SYSTEM, Viewer
from hub.services import overview, proposals

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions/proposals")
CHOICES: Final[tuple[proposals.Choice, ...]] = ("accept", "reject", "reword")
KINDS: Final = ("proposal", "conflict")
STATES: Final = ("open", "accepted", "rejected", "replaced", "superseded")
ABOUT: Final = (
    "challenge", "goal", "intervention", "status-note", "meeting", "next-meeting", "participant",
    "contact", "order", "plan", "plan-extension", "postscript", "team", "document",
)  # fmt: skip
"""What a piece of the plan may be."""


@ROUTER.get("")
def listing(visit: Visitor, person: PersonDep) -> Response:
    """What waits for this unit, and what it has proposed itself."""
    found = proposals.proposals(visit.hub, Viewer.of(person), waiting=False)
    return visit.page(
        "proposals.html",
        person=person,
        waiting=[p for p in found if p.state == "open" and p.decider == person.id],
        others=[p for p in found if p.state != "open" or p.decider != person.id],
        parties=overview.parties(visit.hub, SYSTEM),
    )


@ROUTER.get("/{proposal}")
def one(proposal: str, visit: Visitor, person: PersonDep) -> Response:
    """Its texts side by side, and the form for who decides."""
    return _page(visit, person, proposal, Fields({"choice": ()}))


@ROUTER.post("/{proposal}")
def decide(proposal: str, visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Decide it, or show the form again with what to mend (422)."""
    faults = _faults(form)
    if faults:
        return _page(visit, person, proposal, form, faults)
    version = form.one("version")
    try:
        proposals.decide(
            visit.hub, person, proposal, cast(proposals.Choice, form.one("choice")),
            person=form.one("person"), reason=form.one("reason"), text=form.one("text"),
            version=int(version) if version.isascii() and version.isdigit() else None,
        )  # fmt: skip
    except InputRefused as e:
        return _page(visit, person, proposal, form, issues=e.issues)
    return visit.go(f"/decisions/proposals/{proposal}")


def _faults(form: Fields) -> tuple[Fault, ...]:
    found = []
    if form.one("choice") not in CHOICES:
        found.append(Fault("choice", "fault.choice"))
    if form.one("choice") == "reword" and not form.one("text"):
        found.append(Fault("text", "fault.text"))
    if not form.one("person"):
        found.append(Fault("person", "fault.decider"))
    if not form.one("reason"):
        found.append(Fault("reason", "fault.why"))
    return tuple(found)


def _page(
    visit: Visit,
    person: Party,
    proposal: str,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    shown = proposals.show(visit.hub, person, proposal)
    mine = shown.proposal.decider == person.id and shown.proposal.state == "open"
    (base, theirs, stands), same = apart(
        *(told(visit.language, shown.proposal.piece, x, text=shown.single)
          for x in (shown.base, shown.theirs, shown.stands))
    )  # fmt: skip
    return visit.page(
        "proposal.html",
        422 if faults or issues else 200,
        person=person,
        shown=shown,
        base=base,
        theirs=theirs,
        stands=stands,
        same=same,
        p=shown.proposal,
        about=shown.proposal.piece.partition("/")[0],
        mine=mine,
        choices_=CHOICES if shown.single else CHOICES[:2],
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
        parties=overview.parties(visit.hub, SYSTEM),
    )

"""Dead letters: what they are by their envelope, and what an operator does with one."""

from __future__ import annotations

import secrets
from typing import Final

from fastapi import APIRouter, Response

from hub.api.operations import download
from hub.console.fields import Fields
from hub.console.filled import Fault, Faults
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.errors import InputRefused, Issue
from hub.model.dead_letter import DeadLetter
from hub.model.party import Viewer
from hub.services import overview
from hub.services.operate import dead_letters

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/console/dead-letters")
REPLAY: Final = "replay"
DONE: Final = (REPLAY, "discard", "bytes")
"""What can be done with one that may be put back."""


@ROUTER.get("")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """What nobody has seen to, oldest first."""
    return visit.page(
        "dead_letters.html",
        at=visit.hub.clock(),
        rows=dead_letters.letters(visit.hub, viewer),
        parties=overview.parties(visit.hub, viewer),
    )


@ROUTER.get("/{letter}")
def one(letter: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """One, and what can be done with it; 404 once it is done."""
    return _page(visit, viewer, dead_letters.letter(visit.hub, viewer, letter), Fields())


@ROUTER.post("/{letter}")
def do(letter: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Do it, or show the form again with what to mend, or why it cannot be done (422)."""
    found = dead_letters.letter(visit.hub, viewer, letter)
    faults = Faults()
    wanted = faults.choice(form, "do", _possible(found), "fault.do")
    reason = faults.text(form, "reason", "fault.reason")
    if faults.found:
        return _page(visit, viewer, found, form, tuple(faults.found))
    try:
        return _done(visit, viewer, letter, wanted, reason)
    except InputRefused as e:
        return _page(visit, viewer, found, form, issues=e.issues)


def _done(visit: Visit, viewer: Viewer, letter: str, wanted: str, reason: str) -> Response:
    if wanted == "bytes":
        return download(dead_letters.look(visit.hub, viewer, letter, reason=reason))
    if wanted == "discard":
        dead_letters.discard(visit.hub, viewer, letter, reason=reason)
        return visit.go("/console/dead-letters")
    kind, _, became = dead_letters.replay(visit.hub, viewer, letter, reason=reason).partition("/")
    return visit.go(f"/console/{'messages' if kind == 'message' else 'deliveries'}/{became}")


def _possible(found: DeadLetter) -> tuple[str, ...]:
    gone = {REPLAY} if found.way == "unknown" else set()
    gone |= {REPLAY, "bytes"} if not found.size else set()
    return tuple(one for one in DONE if one not in gone)


def _page(
    visit: Visit,
    viewer: Viewer,
    found: DeadLetter,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    return visit.page(
        "dead_letter.html",
        422 if faults or issues else 200,
        x=found,
        possible=_possible(found),
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
        days=visit.hub.limits.refused_days,
        parties=overview.parties(visit.hub, viewer),
    )

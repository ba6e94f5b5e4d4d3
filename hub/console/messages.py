"""Received documents by state, and the hub's answers; and the audited look at one.

The pages hold nothing of the documents; what could not be understood is a file to save.
"""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from hub.api.operations import download
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.errors import Invalid, NotFound
from hub.model.party import Viewer
from hub.services import kept, overview, queries, received
from hub.services.operate import dead_letters
from hub.services.retract import document_in_error

ROUTER = APIRouter(route_class=Page, include_in_schema=False)


@ROUTER.get("/console/messages")
def listing(visit: Visitor, viewer: OperatorDep, state: str = "") -> Response:
    """Received documents, newest first; an empty or unknown state shows all."""
    hub = visit.hub
    chosen = next((s for s in received.INBOX_STATES if s == state), None)
    totals: Counter[str] = Counter()
    for counted in received.received_counts(hub, viewer).values():
        totals.update(counted)
    return visit.page(
        "messages.html",
        at=hub.clock(),
        rows=received.received(hub, viewer, chosen),
        states=received.INBOX_STATES,
        totals=totals,
        state=chosen,
        dead=len(dead_letters.letters(hub, viewer)),
        parties=overview.parties(hub, viewer),
    )


@ROUTER.get("/console/messages/{message}")
def detail(message: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """One received document's answer; a page of status 404 if there is none."""
    hub = visit.hub
    return visit.page(
        "message.html",
        at=hub.clock(),
        m=received.received_one(hub, viewer, message),
        to_be_seen=kept.TO_BE_SEEN,
        tasks=[t for t in queries.tasks(hub, viewer) if t.inbox_id == message],
        parties=overview.parties(hub, viewer),
    )


@ROUTER.get("/console/messages/{message}/bytes")
def ask(message: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """Why must it be seen? 404 for what is not to be seen, whatever the reason."""
    return _ask(visit, viewer, message)


@ROUTER.post("/console/messages/{message}/bytes")
def look(message: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """The file; without a reason that can be kept nothing is shown, and the page says so (422)."""
    reason = form.one("reason")
    try:
        return download(kept.look(visit.hub, viewer, message, reason=reason))
    except Invalid as e:
        return _ask(visit, viewer, message, fault=e.text, reason=reason)


@ROUTER.get("/console/messages/{message}/in-error")
def ask_why(message: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """Should it never have been published? Why?"""
    return _ask_why(visit, viewer, message)


@ROUTER.post("/console/messages/{message}/in-error")
def in_error(message: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """It is taken back; the page says so, or why not (422)."""
    reason = form.one("reason")
    try:
        document_in_error(visit.hub, message, actor=viewer.id, reason=reason)
    except Invalid as e:
        return _ask_why(visit, viewer, message, fault=e.text, reason=reason)
    return RedirectResponse(f"/console/messages/{message}", 303)


def _ask_why(
    visit: Visit, viewer: Viewer, message: str, *, fault: str = "", reason: str = ""
) -> Response:
    return visit.page(
        "message_in_error.html",
        422 if fault else 200,
        m=received.received_one(visit.hub, viewer, message),
        fault=fault,
        reason=reason,
        longest=kept.LONGEST_REASON,
        parties=overview.parties(visit.hub, viewer),
    )


def _ask(
    visit: Visit, viewer: Viewer, message: str, *, fault: str = "", reason: str = ""
) -> Response:
    found = received.received_one(visit.hub, viewer, message)
    if found.state not in kept.TO_BE_SEEN:
        raise NotFound("No such message has content that may be seen")
    return visit.page(
        "message_bytes.html",
        422 if fault else 200,
        m=found,
        fault=fault,
        reason=reason,
        longest=kept.LONGEST_REASON,
        days=visit.hub.limits.refused_days,
        parties=overview.parties(visit.hub, viewer),
    )

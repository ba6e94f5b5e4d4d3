"""Received documents by state, the hub's answers, and dead letters. Nothing of what they hold."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import OperatorDep, Visitor
from hub.services import overview, queries, received

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
        dead=received.dead_letters(hub, viewer),
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
        tasks=[t for t in queries.tasks(hub, viewer) if t.inbox_id == message],
        parties=overview.parties(hub, viewer),
    )

"""Parties: how each receives, and the operator's pause."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.model.party import Viewer
from hub.services import admin, overview

ROUTER = APIRouter(route_class=Page, include_in_schema=False)


@ROUTER.get("/console/parties")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """Every unit of the register."""
    return _page(visit, viewer)


@ROUTER.post("/console/parties/{party}/pause")
def pause(party: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send nothing to the unit; without a reason nothing is done and the page says so (422)."""
    reason = form.one("reason")
    if not reason:
        return _page(visit, viewer, missing=party)
    admin.pause(visit.hub, party, by=viewer.id, reason=reason)
    return visit.go("/console/parties")


@ROUTER.post("/console/parties/{party}/resume")
def resume(party: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send again."""
    admin.resume(visit.hub, party, by=viewer.id)
    return visit.go("/console/parties")


def _page(visit: Visit, viewer: Viewer, *, missing: str = "") -> Response:
    return visit.page(
        "parties.html",
        422 if missing else 200,
        rows=overview.parties(visit.hub, viewer),
        contacts=overview.party_contacts(visit.hub, viewer),
        counts=overview.delivery_counts(visit.hub, viewer),
        missing=missing,
    )

"""Parties: how each receives, the operator's pause, and endpoints that fail."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.model.party import Viewer
from hub.services import admin, breakers, overview

ROUTER = APIRouter(route_class=Page, include_in_schema=False)


@ROUTER.get("/console/parties")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """Every unit of the register."""
    return _page(visit, viewer)


@ROUTER.post("/console/parties/{party}/pause")
def pause(party: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send nothing to the unit; without a reason nothing is done and the page says so (422)."""
    return _for_a_reason(visit, viewer, party, form, admin.pause)


@ROUTER.post("/console/parties/{party}/resume")
def resume(party: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send again, likewise."""
    return _for_a_reason(visit, viewer, party, form, admin.resume)


def _for_a_reason(
    visit: Visit, viewer: Viewer, party: str, form: Fields, act: Callable[..., None]
) -> Response:
    reason = form.one("reason")
    if not reason:
        return _page(visit, viewer, missing=party)
    act(visit.hub, party, by=viewer.id, reason=reason)
    return visit.go("/console/parties")


@ROUTER.post("/console/endpoints/reset")
def reset(visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send to the endpoint again; without a reason nothing is done and the page says so (422)."""
    endpoint, reason = form.one("endpoint"), form.one("reason")
    if not reason:
        return _page(visit, viewer, unsaid=endpoint)
    breakers.reset(visit.hub, endpoint, by=viewer.id, reason=reason)
    return visit.go("/console/parties")


def _page(visit: Visit, viewer: Viewer, *, missing: str = "", unsaid: str = "") -> Response:
    """``missing``: the party, and ``unsaid``: the endpoint, for whose act no reason was given."""
    return visit.page(
        "parties.html",
        422 if missing or unsaid else 200,
        rows=overview.parties(visit.hub, viewer),
        contacts=overview.party_contacts(visit.hub, viewer),
        counts=overview.delivery_counts(visit.hub, viewer),
        agreements=overview.agreements(visit.hub, viewer),
        endpoints=breakers.failing(visit.hub),
        missing=missing,
        unsaid=unsaid,
    )

"""FHIR Subscriptions: how each stands, and the operator's suspension."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response

from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.model.party import Viewer
from hub.services import overview, subscription_admin

ROUTER = APIRouter(route_class=Page, include_in_schema=False)
STATES: Final = ("requested", "active", "error", "off", "suspended")
"""How one may stand; suspended is the operator's."""


@ROUTER.get("/console/subscriptions")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """Every subscription that is not deleted."""
    return _page(visit, viewer)


@ROUTER.post("/console/subscriptions/{subscription}/suspend")
def suspend(subscription: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Send nothing of it; without a reason nothing is done and the page says so (422)."""
    reason = form.one("reason")
    if not reason:
        return _page(visit, viewer, missing=subscription)
    subscription_admin.suspend(visit.hub, subscription, by=viewer.id, reason=reason)
    return visit.go("/console/subscriptions")


@ROUTER.post("/console/subscriptions/{subscription}/resume")
def resume(subscription: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Its endpoint must answer first."""
    subscription_admin.resume(visit.hub, subscription, by=viewer.id)
    return visit.go("/console/subscriptions")


def _page(visit: Visit, viewer: Viewer, *, missing: str = "") -> Response:
    return visit.page(
        "subscriptions.html",
        422 if missing else 200,
        rows=[r | {"told_at": _moment(r["told_at"])}
              for r in subscription_admin.subscription_rows(visit.hub)],
        parties=overview.parties(visit.hub, viewer),
        missing=missing,
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

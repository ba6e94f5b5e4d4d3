"""Acts that need nothing but a reason: a page that tells what will happen, and asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.filled import Fault
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.errors import InputRefused, Issue, NotFound
from hub.model.party import CITIZEN, Viewer
from hub.services import kept, overview, queries, received
from hub.services.operate.release import release
from hub.services.retract import sent_in_error

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/console")


@dataclass(frozen=True)
class _Ask:
    """One such page."""

    words: str
    """What its words in the catalogs end with, one of ``ASKED``."""
    back: str
    about: str
    """The party that it is about."""


_RELEASE: Final = "release"
_WRONG: Final = "wrong-receiver"
ASKED: Final = (_RELEASE, _WRONG)


@ROUTER.get("/deliveries/{delivery}/in-error")
def ask_wrong_receiver(delivery: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """Was the receiver the wrong one? 404 where nothing was sent that could be corrected."""
    return _page(visit, viewer, _wrong(visit, viewer, delivery), Fields())


@ROUTER.post("/deliveries/{delivery}/in-error")
def wrong_receiver(delivery: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """It is told; or the page says why not (422)."""
    ask = _wrong(visit, viewer, delivery)

    def act(reason: str) -> None:
        sent_in_error(visit.hub, delivery, actor=viewer.id, reason=reason)

    return _act(visit, viewer, ask, form, act)


@ROUTER.get("/messages/{message}/release")
def ask_release(message: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """Shall it be processed again? 404 for what is not set aside."""
    return _page(visit, viewer, _aside(visit, viewer, message), Fields())


@ROUTER.post("/messages/{message}/release")
def released(message: str, visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """It is processed again; or the page says why not (422)."""
    ask = _aside(visit, viewer, message)

    def act(reason: str) -> None:
        release(visit.hub, viewer, message, reason=reason)

    return _act(visit, viewer, ask, form, act)


def _wrong(visit: Visit, viewer: Viewer, delivery: str) -> _Ask:
    found = queries.delivery_detail(visit.hub, viewer, delivery).delivery
    if not found.plan_id or not found.attempts or found.receiver == CITIZEN:
        raise NotFound("No such delivery is known to you")
    return _Ask(_WRONG, f"/console/deliveries/{delivery}", found.receiver)


def _aside(visit: Visit, viewer: Viewer, message: str) -> _Ask:
    found = received.received_one(visit.hub, viewer, message)
    if found.state != "set-aside":
        raise NotFound("No such message is known to you")
    return _Ask(_RELEASE, f"/console/messages/{message}", found.sender)


def _act(
    visit: Visit, viewer: Viewer, ask: _Ask, form: Fields, act: Callable[[str], None]
) -> Response:
    reason = form.one("reason")
    if not reason:
        return _page(visit, viewer, ask, form, (Fault("reason", "fault.reason"),))
    try:
        act(reason)
    except InputRefused as e:
        return _page(visit, viewer, ask, form, issues=e.issues)
    return visit.go(ask.back)


def _page(
    visit: Visit,
    viewer: Viewer,
    ask: _Ask,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    return visit.page(
        "reason.html",
        422 if faults or issues else 200,
        ask=ask,
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
        longest=kept.LONGEST_REASON,
        parties=overview.parties(visit.hub, viewer),
    )

"""An operator's action on deliveries: which, what would happen, a reason, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Response

from hub.console.fields import moment
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.errors import Invalid, PreconditionFailed
from hub.model.delivery import State
from hub.model.operate import ACTS, Act
from hub.model.party import CITIZEN, Viewer
from hub.services import kept, overview, queries
from hub.services.operate import choose, many
from hub.store.operating import Wanted

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/console/actions")
FIELDS: Final = (
    "act", "delivery", "receiver", "state", "format", "plan", "since", "until", "because",
)  # fmt: skip
"""Of the address, and of the form that begins what was seen."""


@ROUTER.get("")
def listing(visit: Visitor, viewer: OperatorDep) -> Response:
    """What was begun, newest first."""
    rows = many.action_rows(visit.hub, viewer)
    return visit.page("actions.html", at=visit.hub.clock(), rows=rows)


@ROUTER.get("/new")
def look(visit: Visitor, viewer: OperatorDep) -> Response:
    """Which deliveries, and what would happen to them; nothing is changed."""
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FIELDS}
    return _look(visit, viewer, asked)


@ROUTER.post("")
def begin(visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Begin what was seen; where that is not so any more, or without a reason, it is shown again
    (422) and nothing is done."""
    asked, reason = {name: form.one(name) for name in FIELDS}, form.one("reason")
    act, wanted = _act(asked), _wanted(asked)
    try:
        if act is None:
            raise Invalid("Nothing would be done; see why in the preview")
        made = many.begin(visit.hub, viewer, act, wanted, reason=reason, token=form.one("seen"))
    except (Invalid, PreconditionFailed) as e:
        return _look(visit, viewer, asked, fault=e.text, reason=reason)
    return visit.go(f"/console/actions/{made}")


@ROUTER.get("/{action}")
def one(action: str, visit: Visitor, viewer: OperatorDep) -> Response:
    """How far it is, and what became of each delivery."""
    row = many.action_row(visit.hub, viewer, action)
    whole = row["waits"] + row["done"] + row["refused"] + row["failed"]
    return visit.page("action.html", at=visit.hub.clock(), a=row, whole=whole)


def _look(
    visit: Visit, viewer: Viewer, asked: Mapping[str, str], *, fault: str = "", reason: str = ""
) -> Response:
    act, wanted = _act(asked), _wanted(asked)
    found = choose.preview(visit.hub, viewer, act, wanted) if act and wanted.said() else None
    parties = overview.parties(visit.hub, viewer)
    return visit.page(
        "action_new.html",
        422 if fault else 200,
        asked=asked,
        acts=ACTS,
        found=found,
        states=[s.value for s in State],
        receivers=[CITIZEN, *(p.party.id for p in parties)],
        reasons=_reasons(visit, viewer, asked),
        fault=fault,
        reason=reason,
        longest=kept.LONGEST_REASON,
        parties=parties,
    )


def _act(asked: Mapping[str, str]) -> Act | None:
    return next((act for act in ACTS if act == asked["act"]), None)


def _wanted(asked: Mapping[str, str]) -> Wanted:
    said = {k: asked[k] or None for k in ("receiver", "state", "format", "plan", "because")}
    ids = (asked["delivery"],) if asked["delivery"] else ()
    return Wanted(
        ids, since=moment(asked["since"], "since"), until=moment(asked["until"], "until"), **said
    )


def _reasons(visit: Visit, viewer: Viewer, asked: Mapping[str, str]) -> list[str]:
    """The reasons that deliveries of this kind have now, to choose among."""
    rows = queries.deliveries(
        visit.hub, viewer, state=asked["state"] or None, receiver=asked["receiver"] or None,
        plan_id=asked["plan"] or None,
    )  # fmt: skip
    return sorted({r.reason for r in rows} | ({asked["because"]} - {""}))

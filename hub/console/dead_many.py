"""Many dead letters: which, what would happen, a reason, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Response

from hub.console.fields import moment
from hub.console.page import Page
from hub.console.visit import FormDep, OperatorDep, Visit, Visitor
from hub.errors import Invalid, PreconditionFailed
from hub.model.dead_letter import WAYS
from hub.model.party import Viewer
from hub.services import kept, overview
from hub.services.operate import dead_letters
from hub.services.operate.dead_many import (
    LETTER_ACTS,
    LetterAct,
    Which,
    act_on_letters,
    counts,
    preview_letters,
)

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/console/dead-letters/many")
FIELDS: Final = ("act", "way", "sender", "queue", "since", "until")
"""Of the address, and of the form that does what was seen."""


@ROUTER.get("")
def look(visit: Visitor, viewer: OperatorDep) -> Response:
    """Which letters, and what would happen to them; nothing is changed."""
    asked = {name: visit.request.query_params.get(name, "").strip() for name in FIELDS}
    return _look(visit, viewer, asked)


@ROUTER.post("")
def do(visit: Visitor, viewer: OperatorDep, form: FormDep) -> Response:
    """Do what was seen, and tell what became of it; where that is not so any more, or without a
    reason, it is shown again (422) and nothing is done."""
    asked, reason = {name: form.one(name) for name in FIELDS}, form.one("reason")
    act = _act(asked)
    try:
        if act is None:
            raise Invalid("Nothing would be done; see why in the preview")
        rows = act_on_letters(
            visit.hub, viewer, act, _which(asked), reason=reason, token=form.one("seen")
        )
    except (Invalid, PreconditionFailed) as e:
        return _look(visit, viewer, asked, fault=e.text, reason=reason)
    return _look(visit, viewer, dict.fromkeys(FIELDS, ""), told=counts(rows) | {"letters": rows})


def _look(
    visit: Visit,
    viewer: Viewer,
    asked: Mapping[str, str],
    *,
    fault: str = "",
    reason: str = "",
    told: Mapping[str, Any] | None = None,
) -> Response:
    act, which = _act(asked), _which(asked)
    found = preview_letters(visit.hub, viewer, act, which) if act and which.said() else None
    return visit.page(
        "dead_letters_many.html",
        422 if fault else 200,
        asked=asked,
        acts=LETTER_ACTS,
        ways=WAYS,
        queues=sorted({x.queue for x in dead_letters.letters(visit.hub, viewer)}),
        found=found,
        told=told,
        fault=fault,
        reason=reason,
        longest=kept.LONGEST_REASON,
        parties=overview.parties(visit.hub, viewer),
    )


def _act(asked: Mapping[str, str]) -> LetterAct | None:
    return next((act for act in LETTER_ACTS if act == asked.get("act")), None)


def _which(asked: Mapping[str, str]) -> Which:
    sender, queue = (asked.get(k) or None for k in ("sender", "queue"))
    way = next((w for w in WAYS if w == asked.get("way")), None)
    since, until = (moment(asked.get(k, ""), k) for k in ("since", "until"))
    return Which(way=way, sender=sender, queue=queue, since=since, until=until)

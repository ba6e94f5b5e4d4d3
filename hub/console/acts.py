"""A person of a unit does what a delivery's task asks: the same services as the API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.filled import Fault
from hub.console.page import Page
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party
from hub.errors import InputRefused, Issue, NotFound
from hub.model.party import SYSTEM, Viewer
from hub.model.records import Task
from hub.services import acts, holding, overview, queries
from hub.services.attempts import subscription_of

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions/deliveries")
ACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "hand-over": ("hand-over",),
    "forward": ("forward", "not-sent"),
    "losses": ("let-go", "not-sent"),
    "too-large": ("not-sent",),
    "approve": ("not-sent",),
}
"""What can be done about a delivery, by the kind of its task; the first is what it asks."""
_LEADS: Final = "not-sent"
_WITH_REASON: Final = frozenset({"let-go", "not-sent"})


@ROUTER.get("/{delivery}")
def one(delivery: str, visit: Visitor, person: PersonDep) -> Response:
    """What is to be done, by whom; 404 for what is not this unit's to do."""
    return _page(visit, person, delivery, Fields())


@ROUTER.post("/{delivery}")
def do(delivery: str, visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Do it, or show the form again with what to mend (422)."""
    _, offered = _asked(visit, person, delivery)
    act = form.one("act")
    faults = _faults(form, offered)
    if faults:
        return _page(visit, person, delivery, form, faults)
    try:
        _do(visit, person, delivery, act, form.one("person"), form.one("reason"))
    except InputRefused as e:
        return _page(visit, person, delivery, form, issues=e.issues)
    return visit.go("/decisions")


def possible(tasks: Sequence[Task], led: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """The acts that a unit's open tasks ask for, by task; ``led``: the plans it leads."""
    found = {
        task.id: tuple(
            act for act in ACTS.get(task.kind, ()) if act != _LEADS or task.plan_id in led
        )
        for task in tasks
        if task.delivery_id
    }
    return {task: offered for task, offered in found.items() if offered}


def led_by(visit: Visit, person: Party) -> frozenset[str]:
    """The plans that the unit leads."""
    found = queries.plans(visit.hub, Viewer.of(person))
    return frozenset(plan.id for plan in found if plan.lead == person.id)


def _asked(visit: Visit, person: Party, delivery: str) -> tuple[Task, tuple[str, ...]]:
    """The open task about it, and what can be done; NotFound if the unit has none."""
    tasks = queries.tasks(visit.hub, Viewer.of(person))
    offered = possible(tasks, led_by(visit, person))
    task = next((t for t in tasks if t.delivery_id == delivery and t.id in offered), None)
    if task is None:
        raise NotFound
    return task, offered[task.id]


def _do(visit: Visit, person: Party, delivery: str, act: str, name: str, reason: str) -> None:
    hub = visit.hub
    if act == "hand-over":
        acts.hand_over(hub, person, delivery, name)
    elif act == "forward":
        acts.forward(hub, person, delivery, name)
    elif act == "not-sent":
        acts.decide_not_to_send(hub, person, delivery, name, reason)
    else:
        actor = f"{person.id}: {name}"
        holding.accept_losses(hub, delivery, actor=actor, reason=reason, lead=person.id)


def _faults(form: Fields, offered: Sequence[str]) -> tuple[Fault, ...]:
    found = []
    if form.one("act") not in offered:
        found.append(Fault("act", "fault.act"))
    if not form.one("person"):
        found.append(Fault("person", "fault.person"))
    if form.one("act") in _WITH_REASON and not form.one("reason"):
        found.append(Fault("reason", "fault.reason"))
    return tuple(found)


def _page(
    visit: Visit,
    person: Party,
    delivery: str,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    task, offered = _asked(visit, person, delivery)
    found = queries.delivery_detail(visit.hub, SYSTEM, delivery)
    parties = overview.parties(visit.hub, SYSTEM)
    receiver = next((p for p in parties if p.party.id == found.delivery.receiver), None)
    wish = subscription_of(receiver, found.delivery)
    refused = wish.unacceptable if wish and task.kind == "losses" else ()
    return visit.page(
        "act.html",
        422 if faults or issues else 200,
        person=person,
        d=found.delivery,
        task=task,
        acts=offered,
        asks_reason=any(act in _WITH_REASON for act in offered),
        # By reason alone: where in others' parts it is, is not for this unit to know.
        lost=sorted({(x.kind, x.reason) for x in found.losses if x.kind in refused}),
        parties=parties,
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
    )

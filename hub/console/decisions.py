"""A person of a party records the citizen's consent or approval; the same door as the API."""

from __future__ import annotations

import secrets
from typing import Final

from fastapi import APIRouter, Response

from hub.console.acts import led_by, possible
from hub.console.approval_form import CONDITIONS, DECISIONS, read_approval_form
from hub.console.consent_form import ANSWERS, CONSENTERS, GROUNDS, PURPOSES, read_consent_form
from hub.console.fields import Fields
from hub.console.filled import GIVERS, MODES, Fault
from hub.console.page import Page
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party, Resource
from hub.errors import InputRefused, Issue, Temporary
from hub.fhir.codec import dump_json
from hub.fhir.names import SECTIONS
from hub.model.party import SYSTEM, Viewer
from hub.services import overview, queries, received, tasks
from hub.services.accept import accept
from hub.services.hub import CANONICAL
from hub.services.process import process

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions")
_MEDIA_TYPE: Final = "application/fhir+json"


@ROUTER.get("")
def home(visit: Visitor, person: PersonDep) -> Response:
    """The unit's open tasks, and the way to both forms."""
    return _home(visit, person)


@ROUTER.post("/tasks/{task}")
def seen_to(task: str, visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """A named person has seen to it; without a name the page says so (422)."""
    name = form.one("person")
    if not name:
        return _home(visit, person, missing=task)
    tasks.seen_to(visit.hub, person, task, name)
    return visit.go("/decisions")


def _home(visit: Visit, person: Party, *, missing: str = "") -> Response:
    asked = queries.tasks(visit.hub, Viewer.of(person))
    plans = queries.plans(visit.hub, Viewer.of(person))
    heads = {p.id: p.head for p in plans}
    led = [p for p in plans if p.lead == person.id]
    return visit.page(
        "decisions.html",
        422 if missing else 200,
        person=person,
        tasks=asked,
        heads=heads,
        led=led,
        acts=possible(asked, led_by(visit, person)),
        said_done=tasks.SAID,
        missing=missing,
    )


@ROUTER.get("/consent")
def consent(visit: Visitor, person: PersonDep) -> Response:
    """An empty consent form."""
    return _consent_page(visit, person, Fields())


@ROUTER.post("/consent")
def record_consent(visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Record it, or show the form again with what to mend (422)."""
    made, faults = read_consent_form(form, _units(visit), visit.hub.clock())
    if made is None:
        return _consent_page(visit, person, form, faults)
    refused = _record(visit, person, form, made)
    if isinstance(refused, Response):
        return refused
    return _consent_page(visit, person, form, issues=refused)


@ROUTER.get("/approval")
def approval(visit: Visitor, person: PersonDep, plan: str = "", version: str = "") -> Response:
    """An empty approval form; a task's link names the plan and its newest version."""
    return _approval_page(visit, person, Fields({"plan": (plan,), "version": (version,)}))


@ROUTER.post("/approval")
def record_approval(visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Record it, or show the form again with what to mend (422)."""
    receivers = {"gp", *(u.id for u in _units(visit))}
    made, faults = read_approval_form(form, receivers, visit.hub.clock())
    if made is None:
        return _approval_page(visit, person, form, faults)
    refused = _record(visit, person, form, made)
    if isinstance(refused, Response):
        return refused
    return _approval_page(visit, person, form, issues=refused)


@ROUTER.get("/done/{message}")
def done(message: str, visit: Visitor, person: PersonDep) -> Response:
    """The hub's answer to a recorded decision of this unit."""
    found = received.received_one(visit.hub, Viewer.of(person), message)
    return visit.page("decision_done.html", person=person, m=found)


def _record(
    visit: Visit, person: Party, form: Fields, made: Resource
) -> Response | tuple[Issue, ...]:
    """Keep and process it; the page to go to, or the issues it was refused for.

    The form's own id is the message id, so that a form sent twice is recorded once.
    """
    hub, sent = visit.hub, form.one("form") or secrets.token_urlsafe(16)
    try:
        kept = accept(
            hub, person, CANONICAL, dump_json(made), _MEDIA_TYPE, message_id=f"console:{sent}"
        )
        item = kept.item
        try:
            item = process(hub, item.id)
        except Temporary:
            # It is kept; the worker processes it, and the page shows how it went.
            hub.wake.set()
    except InputRefused as e:
        return e.issues
    if item.state in {"refused", "sealed"}:
        return received.received_one(hub, Viewer.of(person), item.id).issues
    return visit.go(f"/decisions/done/{item.id}")


def _consent_page(
    visit: Visit,
    person: Party,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    return _form_page(
        visit, "consent.html", person, form, faults, issues,
        units=_units(visit), purposes=PURPOSES, sections=SECTIONS, answers=ANSWERS,
        consenters=CONSENTERS, grounds=GROUNDS,
    )  # fmt: skip


def _approval_page(
    visit: Visit,
    person: Party,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
) -> Response:
    return _form_page(
        visit, "approval.html", person, form, faults, issues,
        units=_units(visit), decisions=DECISIONS, rows=range(1, CONDITIONS + 1),
    )  # fmt: skip


def _form_page(
    visit: Visit,
    template: str,
    person: Party,
    form: Fields,
    faults: tuple[Fault, ...],
    issues: tuple[Issue, ...],
    **values: object,
) -> Response:
    return visit.page(
        template,
        422 if faults or issues else 200,
        person=person,
        form=form,
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
        modes=MODES,
        givers=GIVERS,
        **values,
    )


def _units(visit: Visit) -> list[Party]:
    """Every unit the citizen may name."""
    return [p.party for p in overview.parties(visit.hub, SYSTEM)]

"""A person of a unit that knows a citizen says that the citizen has another number now."""

from __future__ import annotations

import secrets
from dataclasses import replace

from fastapi import APIRouter, Response

from hub.console.fields import Fields
from hub.console.filled import Fault, Faults
from hub.console.page import Page
from hub.console.visit import FormDep, PersonDep, Visit, Visitor
from hub.contract import Party
from hub.errors import InputRefused, Issue, NotFound
from hub.services import numbers

ROUTER = APIRouter(route_class=Page, include_in_schema=False, prefix="/decisions/number")


@ROUTER.get("")
def empty(visit: Visitor, person: PersonDep) -> Response:
    """Both numbers, with nothing chosen but that they are CPR numbers."""
    kinds = {"known-kind": ("cpr",), "new-kind": ("cpr",)}
    return _page(visit, person, Fields(kinds))


@ROUTER.post("")
def link(visit: Visitor, person: PersonDep, form: FormDep) -> Response:
    """Both find the citizen from now on; or what to mend (422). No number is shown again."""
    faults = Faults()
    known_kind = faults.choice(form, "known-kind", numbers.KINDS, "fault.number-kind")
    known = faults.text(form, "known", "fault.number")
    new_kind = faults.choice(form, "new-kind", numbers.KINDS, "fault.number-kind")
    new = faults.text(form, "new", "fault.number")
    name = faults.text(form, "person", "fault.person")
    if faults.found:
        return _page(visit, person, form, tuple(faults.found))
    pair = numbers.number(known_kind, known), numbers.number(new_kind, new)
    try:
        numbers.link(visit.hub, person, *pair, name)
    except (InputRefused, NotFound) as e:
        return _page(visit, person, form, issues=e.issues)
    return _page(visit, person, Fields(), linked=True)


def _page(
    visit: Visit,
    person: Party,
    form: Fields,
    faults: tuple[Fault, ...] = (),
    issues: tuple[Issue, ...] = (),
    *,
    linked: bool = False,
) -> Response:
    shown = {k: v for k, v in form.values.items() if k not in {"known", "new"}}
    return visit.page(
        "number.html",
        422 if faults or issues else 200,
        person=person,
        form=replace(form, values=shown),
        form_id=secrets.token_urlsafe(16),
        faults={f.field: f.word for f in faults},
        issues=issues,
        kinds=tuple(numbers.KINDS),
        linked=linked,
    )

"""What a CareCommunication cannot carry of a plan, by FHIR path.

Every resource of the view is accounted for: it is in the message, or it is named here. The PDF
shows the plan to a person, so what it holds is coarsened, not dropped; what paper does not say
either is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adapters.medcom.text import Lead
from adapters.pdf.losses import losses as losses_of_paper
from hub.contract import Loss, PlanView, Resource
from hub.fhir import names
from hub.fhir.extract import has_code
from hub.fhir.reading import PlanReader

_PDF: Final = "stands in the attached PDF only, not as data"
_TEXT: Final = "stands as plain text and in the attached PDF, not as data"
_REGISTER: Final = "the receiver has it from the CPR register; a copy carries no more than it needs"
_CITIZEN_KEPT: Final = frozenset({"telecom", "address", "contact", "birthDate", "gender"})


def losses(view: PlanView, reader: PlanReader, lead: Lead) -> tuple[Loss, ...]:
    """One loss a path, in the view's order."""
    unprinted = {x.path: x for x in _unprinted(view)}
    found = [
        loss
        for key, resource in view.resources.items()
        for loss in _of(key, resource, reader)
        if loss.path not in unprinted
    ]
    found += unprinted.values()
    if not lead.title:
        reason = "the lead has no title; the message is signed by the function"
        found.append(Loss(f"{lead.reference}.code", "defaulted", reason))
    return tuple(found)


def _unprinted(view: PlanView) -> Iterator[Loss]:
    """What the PDF does not say; of the citizen, what the message does not is told here."""
    for loss in losses_of_paper(view, frozenset()):
        kind, _, rest = loss.path.partition("/")
        if loss.kind == "dropped" and kind != "Patient":
            yield replace(loss, path=f"{kind}/{rest.replace('/', '.')}")


def _of(key: str, resource: Resource, reader: PlanReader) -> Iterator[Loss]:
    kind = resource["resourceType"]
    if kind == "Patient":
        yield from _citizen(key, resource)
    elif kind == "Goal":
        yield Loss(key, "coarsened", _TEXT)
    elif resource is reader.plan:
        yield from _plan(key, resource)
    elif kind in {"PractitionerRole", "Practitioner", "CareTeam"} and key in _lead(reader):
        yield Loss(key, "coarsened", "the lead is named as author; the rest " + _PDF)
    else:
        yield Loss(key, "coarsened", _PDF)


def _plan(key: str, plan: Resource) -> Iterator[Loss]:
    yield Loss(key, "coarsened", _PDF)
    for i, _ in enumerate(plan.get("goal", ())):
        yield Loss(f"{key}.goal[{i}]", "coarsened", _TEXT)
    for i, _ in enumerate(plan.get("activity", ())):
        yield Loss(f"{key}.activity[{i}]", "coarsened", _TEXT)
    for i, extension in enumerate(plan.get("extension", ())):
        reason = _TEXT if extension.get("url") == names.NEXT_MEETING else _PDF
        yield Loss(f"{key}.extension[{i}]", "coarsened", reason)


def _citizen(key: str, citizen: Resource) -> Iterator[Loss]:
    for name in citizen:
        if name in _CITIZEN_KEPT:
            yield Loss(f"{key}.{name}", "dropped", _REGISTER)
    if citizen.get("generalPractitioner"):
        yield Loss(f"{key}.generalPractitioner", "dropped", "has no place in the message")


def _lead(reader: PlanReader) -> set[str]:
    keys = {str(reader.plan.get("author", {}).get("reference", ""))}
    for link in reader.plan.get("careTeam", ()):
        keys.add(str(link.get("reference", "")))
        for participant in reader.at(link.get("reference")).get("participant", ()):
            if has_code(participant.get("role", ()), names.ROLE, "lead"):
                keys.add(str(participant.get("member", {}).get("reference", "")))
    for key in tuple(keys):
        keys.add(str(reader.at(key).get("practitioner", {}).get("reference", "")))
    return keys

"""What of a view the re-issued order does not carry, by source path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.contract import Loss, LossKind, PlanView
from hub.fhir import names
from hub.fhir.reading import PlanReader, references

_BY_TYPE: Final[Mapping[str, str]] = {
    "Observation": "FFB has no place for another party's status note",
    "Appointment": "FFB has no place for the plan's meeting",
    "Consent": "An FFB consent covers a related person only",
    "RelatedPerson": "Relatives are those of the municipality's own order",
    "Patient": "The citizen is named by the municipality's own order",
    "CareTeam": "FFB teams hold units with contact persons; roles and periods are not carried",
    "PractitionerRole": "A contact person is carried only with a unit",
    "Practitioner": "A contact person is carried only with a unit",
    "Organization": "Takes no part in a plan that is carried",
    "DocumentReference": "Attachments are not sent on",
}
_PLAN_EXTENSIONS: Final = {
    names.CONSENT_AS_WRITTEN: "FFB has no place for the plan's consent",
    names.LEVEL: "FFB has no place for the coordination level",
    names.ANCHORING: "FFB has no place for where the plan is anchored",
    names.PROPOSAL: "FFB has no place for the proposal",
    names.POSTSCRIPT: "FFB has no place for postscripts",
    names.LEGAL_BASIS: "FFB has no place for the legal basis",
}


def account(view: PlanView, reader: PlanReader, used: set[str]) -> Iterator[Loss]:
    """A Loss for each resource of the view that is not carried, and for the plan's own extras.

    The receiver's own sector plan and what only it refers to are not losses: the receiver's
    order, which is re-issued, says the same.
    """
    own = _only_below(view, view.own_part)
    for key in view.resources:
        if key not in used and key not in own:
            kind = key.partition("/")[0]
            how: LossKind = "coarsened" if kind == "CareTeam" else "dropped"
            yield Loss(key, how, _BY_TYPE.get(kind, "FFB has no place for it"))
    plans = [("", reader.plan)] + [
        (p.reference, reader.at(p.reference)) for p in reader.sector_plans()
    ]
    for key, plan in plans:
        if plan.get("id") and key not in own:
            yield from _extras(f"CarePlan/{plan['id']}", plan)


def _extras(key: str, plan: Mapping[str, Any]) -> Iterator[Loss]:
    for url in dict.fromkeys(e.get("url", "") for e in plan.get("extension", ())):
        if url in _PLAN_EXTENSIONS:
            yield Loss(
                f"{key}.extension({url.rpartition('/')[2]})", "dropped", _PLAN_EXTENSIONS[url]
            )
    if plan.get("identifier"):
        yield Loss(f"{key}.identifier", "dropped", "A case number stays with the one whose it is")


def _only_below(view: PlanView, top: str | None) -> set[str]:
    """The resource and everything that is reached from it and from no other plan."""
    if top is None or top not in view.resources:
        return set()
    plans = [k for k in view.resources if k.startswith("CarePlan/") and k != top]
    return _reached(view, [top]) - _reached(view, plans, without=top)


def _reached(view: PlanView, start: list[str], without: str | None = None) -> set[str]:
    seen: set[str] = set()
    todo = list(start)
    while todo:
        key = todo.pop()
        if key in seen or key == without or key not in view.resources:
            continue
        seen.add(key)
        todo.extend(references(view.resources[key]))
    return seen

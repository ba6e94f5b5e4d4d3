"""What of a view the re-issued order does not carry, by source path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.contract import Loss, LossKind, PlanView
from hub.fhir import names
from hub.fhir.extract import references
from hub.fhir.reading import PlanReader

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

_READ_EXTENSIONS: Final = {names.NEXT_MEETING, names.COORDINATION, names.SECTION}
"""Told elsewhere, or what decided that this is in the view at all."""
_NAMED: Final = "FFB has no place for a person who is only named"
_NO_PLACE: Final = "FFB has no place for it"
_ELEMENTS: Final = {
    "identifier": "A case number stays with the one whose it is",
    "title": "The related plan's title says what kind of plan it is",
}
_READ_ELEMENTS: Final = frozenset(
    (
        "resourceType",
        "id",
        "meta",
        "extension",
        "status",
        "intent",
        "category",
        "subject",
        "author",
        "careTeam",
        "created",
        "period",
        "description",
        "addresses",
        "goal",
        "activity",
        "supportingInfo",
        "partOf",
    )
)
_READ_UNIT: Final = frozenset(("resourceType", "id", "meta", "identifier", "name"))
_READ_ITEM: Final[Mapping[str, frozenset[str]]] = {
    "Goal": frozenset(("description", "lifecycleStatus")),
    "Condition": frozenset(("category", "code", "note")),
}
"""A goal and a challenge are lines of text; of a challenge the category says that it is one."""
_OF_ITEM: Final = frozenset(("resourceType", "id", "meta", "extension", "subject"))
_STANDING: Final = frozenset(("proposed", "planned", "accepted", "active"))
"""Goal.lifecycleStatus that goes without saying."""
_READ_DETAILS: Final = frozenset(
    (
        "extension",
        "status",
        "description",
        "code",
        "goal",
        "performer",
        "scheduledPeriod",
        "scheduledString",
    )
)


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
            yield Loss(key, how, _BY_TYPE.get(kind, _NO_PLACE))
            for i, participant in enumerate(view.resources[key].get("participant", ())):
                if "display" in participant.get("member", {}):
                    yield Loss(f"{key}.participant[{i}]", "dropped", _NAMED)
        elif key in used and key.startswith("Organization/"):
            yield from _of_unit(key, view.resources[key])
        elif key in used and key.startswith(("Goal/", "Condition/")):
            yield from _of_item(key, view.resources[key])
    plans = [("", reader.plan)] + [
        (p.reference, reader.at(p.reference)) for p in reader.sector_plans()
    ]
    for key, plan in plans:
        if plan.get("id") and key not in own:
            yield from _extras(f"CarePlan/{plan['id']}", plan)


def _of_unit(key: str, unit: Mapping[str, Any]) -> Iterator[Loss]:
    """ParticipatingOrganization has telephones for contact persons, none for the unit."""
    for name in unit:
        if name not in _READ_UNIT:
            reason = "Of a unit its name, identifiers and contact persons are carried"
            yield Loss(f"{key}.{name}", "dropped", reason)


def _of_item(key: str, item: Mapping[str, Any]) -> Iterator[Loss]:
    """What a line of text does not say of a goal or a challenge."""
    for name in item:
        if name not in _OF_ITEM | _READ_ITEM[str(item["resourceType"])]:
            yield Loss(f"{key}.{name}", "dropped", "Only its text is carried")
    if item.get("lifecycleStatus", "active") not in _STANDING:
        yield Loss(f"{key}.lifecycleStatus", "dropped", "Only its text is carried")
    if item.get("code", {}).get("coding"):
        yield Loss(f"{key}.code", "coarsened", "the code is carried as text")


def _extras(key: str, plan: Mapping[str, Any]) -> Iterator[Loss]:
    """Elements and extensions of a carried plan that a related plan has no place for."""
    for url in dict.fromkeys(e.get("url", "") for e in plan.get("extension", ())):
        if url not in _READ_EXTENSIONS:
            name = url.rpartition("/")[2]
            yield Loss(f"{key}.extension({name})", "dropped", _PLAN_EXTENSIONS.get(url, _NO_PLACE))
    for name in plan:
        if name not in _READ_ELEMENTS:
            yield Loss(f"{key}.{name}", "dropped", _ELEMENTS.get(name, _NO_PLACE))
    for i, activity in enumerate(plan.get("activity", ()), 1):
        at = f"{key}#activity.{activity.get('id', i)}"
        detail = activity.get("detail", {})
        if detail.get("code", {}).get("coding"):
            yield Loss(f"{at}.code", "coarsened", "the code is carried as text")
        for name in detail:
            if name not in _READ_DETAILS:
                yield Loss(f"{at}.{name}", "dropped", _NO_PLACE)


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

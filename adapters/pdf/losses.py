"""What paper cannot carry, by the path of the resource it was in."""

from __future__ import annotations

from collections.abc import Iterator

from hub.contract import Loss, PlanView, Resource
from hub.fhir import names
from hub.fhir.extract import extensions, is_protected
from hub.fhir.reading import PlanReader
from hub.mapping.paths import leaves

_NOT_FOR_CITIZEN = "registration data, left out of the citizen's own version"


def losses(view: PlanView, unprintable: frozenset[str]) -> tuple[Loss, ...]:
    """The losses of printing this view, in the view's order.

    ``unprintable``: the characters that were shown as U+FFFD.
    """
    return tuple(_losses(view, unprintable))


def _losses(view: PlanView, unprintable: frozenset[str]) -> Iterator[Loss]:
    patient = PlanReader(view.resources).patient
    for key, resource in view.resources.items():
        yield from _of_paper(key, resource)
        if resource is patient and is_protected(patient):
            for name in ("address", "telecom"):
                if resource.get(name):
                    yield Loss(f"{key}/{name}", "dropped", "the citizen's address is protected")
        elif view.audience == "citizen":
            yield from _of_plain_version(key, resource)
        if unprintable:
            for path, value in leaves(resource):
                if isinstance(value, str) and unprintable & set(value):
                    yield Loss(
                        f"{key}/{path}", "coarsened", "a character that cannot be printed or shown"
                    )


def _of_paper(key: str, resource: Resource) -> Iterator[Loss]:
    """Both versions: units by name only, no attachments, no membership periods."""
    kind = resource["resourceType"]
    if kind == "Organization" and resource.get("identifier"):
        yield Loss(
            f"{key}/identifier", "coarsened", "paper names a unit; its identifier is not printed"
        )
    if kind == "DocumentReference":
        yield Loss(key, "dropped", "an attached original is not printed")
    if kind == "CareTeam":
        for i, participant in enumerate(resource.get("participant", ())):
            if "period" in participant:
                yield Loss(f"{key}/participant[{i}]/period", "dropped", "no place in the template")


def _of_plain_version(key: str, resource: Resource) -> Iterator[Loss]:
    """The citizen's version: no section labels, dates of notes or registration data."""
    kind = resource["resourceType"]
    if extensions(resource, names.SECTION):
        yield Loss(f"{key}/section", "dropped", "section labels are for the sectors")
    for i, activity in enumerate(resource.get("activity", ())):
        if extensions(activity, names.SECTION):
            yield Loss(
                f"{key}/activity[{i}]/section", "dropped", "section labels are for the sectors"
            )
    dropped = {
        "CarePlan": ("identifier", "created"),
        "Observation": ("effectiveDateTime",),
        "Patient": ("address", "telecom"),
    }
    for name in dropped.get(kind, ()):
        if resource.get(name):
            yield Loss(f"{key}/{name}", "dropped", _NOT_FOR_CITIZEN)
    for name, url in (
        ("level", names.LEVEL),
        ("anchoring", names.ANCHORING),
        ("proposal", names.PROPOSAL),
    ):
        if extensions(resource, url):
            yield Loss(f"{key}/{name}", "dropped", _NOT_FOR_CITIZEN)

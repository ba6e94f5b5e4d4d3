"""What of a view the element OtherPlans does not carry, found by walking the view's leaves.

A leaf is carried only if this module lists its place and its value stands in the element; every
other leaf is a loss, so content of a new kind is reported before anyone thinks of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from hub.contract import Loss, PlanView
from hub.fhir import names
from hub.fhir.extract import references
from hub.fhir.reading import PlanReader

_CITIZEN = "the owner knows its own citizen; others' contact data is not added"
_EARLIER = "of several meetings the latest is told"
_NO_PLACE = "OtherPlans has no place for it"

_TECHNICAL: Final = {
    "resourceType", "id", "meta", "implicitRules", "language", "text", "active", "intent",
    "subject", "patient", "author", "careTeam", "partOf", "organization",
}  # fmt: skip
"""Top-level elements that identify, link or classify; what they point at is told for itself."""

_IMPLIED: Final = {
    ("CarePlan", "status"): {"active"},
    ("CarePlan", "title"): {"Koordinerende indsatsplan"},
    ("Goal", "lifecycleStatus"): {"active", "accepted"},
    ("Observation", "status"): {"final"},
    ("CareTeam", "status"): {"active"},
    ("Appointment", "status"): {"fulfilled"},
}
"""Values that go without saying for content that is shown as current."""

_CARRIED: Final[Mapping[str, frozenset[str]]] = {
    "CarePlan": frozenset(
        {
            "identifier.value",
            "created",
            "description",
            "period.start",
            "period.end",
            "activity.detail.description",
            "activity.detail.performer.display",
            "activity.detail.scheduledPeriod.start",
            "activity.detail.scheduledPeriod.end",
            "activity.detail.scheduledString",
            "activity.detail.code.text",
            "activity.detail.code.coding.display",
            "activity.detail.extension(time-as-written).valueString",
            "activity.extension(success-criterion).valueString",
            "activity.extension(fallback).valueString",
            "activity.progress.text",
            "extension(next-meeting).extension(time).valueString",
            "extension(next-meeting).extension(earliest).valueDate",
            "extension(next-meeting).extension(latest).valueDate",
            "extension(next-meeting).extension(place).valueString",
            "extension(next-meeting).extension(convener).extension(who).valueString",
            "extension(next-meeting).extension(convener).extension(from).valueString",
            "extension(next-meeting).extension(convener).extension(until).valueString",
            "extension(postscript).extension(text).valueString",
            "extension(postscript).extension(author).valueString",
            "extension(postscript).extension(date).valueDateTime",
        }
    ),
    "Condition": frozenset({"code.text", "code.coding.display", "note.text"}),
    "Goal": frozenset({"description.text"}),
    "Observation": frozenset(
        {
            "valueString",
            "effectiveDateTime",
            "valueCodeableConcept.text",
            "performer.display",
            "extension(actor-label).valueString",
        }
    ),
    "PractitionerRole": frozenset({"practitioner.display", "code.text", "telecom.value"}),
    "RelatedPerson": frozenset(
        {"name.text", "name.given", "name.family", "relationship.text", "telecom.value"}
    ),
    "Appointment": frozenset(
        {
            "start",
            "extension(meeting-date).valueDate",
            "participant.actor.display",
            "participant.extension(reason).valueString",
        }
    ),
    "Organization": frozenset({"name"}),
    "Patient": frozenset({"identifier.value"}),
    "CareTeam": frozenset({"participant.member.display"}),
}

_TRANSLATED: Final[Mapping[str, frozenset[str]]] = {
    "CarePlan": frozenset(
        {
            "addresses.extension(rank).valuePositiveInt",
            "goal.extension(rank).valuePositiveInt",
            "category.coding.system",
            "category.coding.code",
            "activity.id",
            "activity.extension(rank).valuePositiveInt",
            "activity.detail.status",
            "activity.detail.code.coding.system",
            "activity.detail.code.coding.code",
        }
    ),
    "Condition": frozenset({"category.coding.system", "category.coding.code"}),
    "Observation": frozenset({"code.coding.system", "code.coding.code"}),
    "Patient": frozenset({"name.use", "name.text", "name.family", "name.given"}),
    "CareTeam": frozenset({"participant.role.coding.system", "participant.role.coding.code"}),
    "Appointment": frozenset({"participant.status"}),
}
"""Told in another form: as order, by a code of this format, or by the owner's own content."""

_JOINED: Final = {
    ("Condition", "note.text"),
    ("Condition", "code.coding.display"),
    ("PractitionerRole", "code.text"),
    ("RelatedPerson", "relationship.text"),
    ("RelatedPerson", "name.given"),
    ("RelatedPerson", "name.family"),
    ("CarePlan", "activity.detail.code.coding.display"),
}
"""Places whose values are told in one line with others; every other value is told by itself."""

_ANYWHERE: Final = (
    "extension(section).valueCode",
    "extension(coordination).valueBoolean",
    "extension(data-absent-reason)",
)


def losses_of(view: PlanView, others: etree._Element) -> list[Loss]:
    """A loss for each place whose content is not in ``others``, by FHIR path, in view order."""
    told = {e.text for e in others.iter() if e.text and etree.QName(e).localname != "ContentBinary"}
    citizen = others.getroottree().getroot().iterfind("{*}Citizen/*")
    told |= {view.plan_id, *(e.text for e in citizen if e.text)}
    own = _own_resources(view)
    meeting = PlanReader(view.resources).meeting()
    found: dict[str, Loss] = {}
    for key, resource in view.resources.items():
        if key in own:
            continue
        if key.startswith("Appointment/") and meeting is not None and key != meeting.path:
            found[key] = Loss(key, "dropped", _EARLIER)
            continue
        for path, plain, value in _leaves(resource):
            if not _is_told(resource["resourceType"], plain, value, told):
                # A list of people is one place: who is missing is not worth a line for each.
                named = path if key.startswith("CarePlan/") else plain.partition(".coding.")[0]
                place = f"{key}.{named}"
                found[place] = Loss(place, "dropped", _reason(key))
    return list(found.values())


def _own_resources(view: PlanView) -> set[str]:
    """The receiver's own sector plan, and what nothing outside it refers to."""
    own = {view.own_part or ""} & set(view.resources)
    grows = bool(own)
    while grows:
        elsewhere = {r for k, v in view.resources.items() if k not in own for r in references(v)}
        reached = {r for key in own for r in references(view.resources[key])}
        more = (reached & set(view.resources)) - elsewhere - own
        own |= more
        grows = bool(more)
    return own


def _reason(key: str) -> str:
    return _CITIZEN if key.startswith("Patient/") else _NO_PLACE


def _is_told(kind: str, plain: str, value: Any, told: set[str]) -> bool:
    if _goes_without_saying(kind, plain, value):
        return True
    if plain not in _CARRIED.get(kind, ()):
        return False
    if (kind, plain) in _JOINED:
        return any(str(value) in text for text in told)
    return str(value) in told


def _goes_without_saying(kind: str, plain: str, value: Any) -> bool:
    top = plain.partition(".")[0]
    return (
        top in _TECHNICAL
        or plain in {"url", "telecom.system", "identifier.system", "identifier.use"}
        or plain.endswith(("reference", ".url", "reference.type"))
        or any(part in plain for part in _ANYWHERE)
        or plain in _TRANSLATED.get(kind, ())
        or value in _IMPLIED.get((kind, top), ())
    )


def _leaves(value: Any, path: str = "", plain: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each leaf: its FHIR path with indices, its place without them, its value."""
    if isinstance(value, Mapping):
        for name, child in value.items():
            here = f"{path}.{name}" if path else str(name)
            yield from _leaves(child, here, f"{plain}.{name}" if plain else str(name))
    elif isinstance(value, list):
        for i, child in enumerate(value):
            is_extension = isinstance(child, Mapping) and "url" in child
            name = f"({_short(child['url'])})" if is_extension else ""
            yield from _leaves(child, f"{path}[{i}]", plain + name)
    elif value is not None:
        yield path, plain, value


def _short(url: str) -> str:
    if url == names.DATA_ABSENT:
        return "data-absent-reason"
    return url.removeprefix(names.extension(""))

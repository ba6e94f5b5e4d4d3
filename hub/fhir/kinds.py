"""Which KI profile a resource of the canonical model is held to, whether or not it declares it.

What a resource is follows from its type and its own codes (docs/canonical-model.md), never from
``meta.profile``, which nobody is bound to send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import codes

Kind = Callable[[Mapping[str, Any]], bool]


def declaring(resource: Resource) -> Resource:
    """The resource, and every entry of a Bundle, declaring its KI profile; itself if it has none.

    Tolerant of any JSON: it is what comes before validation. Nothing is written to.
    """
    return _each(resource, _declaring)


def undeclared(resource: Resource) -> Resource:
    """The resource, and every entry of a Bundle, without ``meta.profile``: held to R4 alone."""
    return _each(resource, _undeclared)


def profile_of(resource: Resource) -> str | None:
    """The canonical of the KI profile a resource is of; None if the model has no such kind."""
    kind = resource.get("resourceType")
    try:
        return next((p for t, fits, p in HELD_TO if t == kind and fits(resource)), None)
    except (AttributeError, TypeError):
        # A code that is not where R4 has one says nothing; that is for the validator to report.
        return None


def _each(resource: Resource, change: Callable[[Resource], Resource]) -> Resource:
    made, entries = change(resource), resource.get("entry")
    if resource.get("resourceType") != "Bundle" or not isinstance(entries, list):
        return made
    return made | {"entry": [_entry(e, change) for e in entries]}


def _entry(entry: Any, change: Callable[[Resource], Resource]) -> Any:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return {**entry, "resource": change(resource)} if isinstance(resource, dict) else entry


def _declaring(resource: Resource) -> Resource:
    profile, meta = profile_of(resource), resource.get("meta", {})
    declared = meta.get("profile", []) if isinstance(meta, Mapping) else None
    if profile is None or not isinstance(declared, list) or profile in declared:
        return resource
    return resource | {"meta": {**meta, "profile": [*declared, profile]}}


def _undeclared(resource: Resource) -> Resource:
    meta = resource.get("meta")
    if not isinstance(meta, Mapping) or "profile" not in meta:
        return resource
    kept = {k: v for k, v in meta.items() if k != "profile"}
    others = {k: v for k, v in resource.items() if k != "meta"}
    return others | {"meta": kept} if kept else others


def _categorised(system: str, code: str | None = None) -> Kind:
    """The category has a code of that system, or exactly that code."""

    def fits(resource: Mapping[str, Any]) -> bool:
        found = codes(resource.get("category", ()), system)
        return bool(found) if code is None else code in found

    return fits


def _always(_: Mapping[str, Any]) -> bool:
    """Of this type the model has one kind only."""
    return True


def _noted(observation: Mapping[str, Any]) -> bool:
    return bool(codes([observation.get("code", {})], names.OBSERVATION_CODE))


def _led(team: Mapping[str, Any]) -> bool:
    return any("lead" in codes(p.get("role", ()), names.ROLE) for p in team.get("participant", ()))


def _unit(organization: Mapping[str, Any]) -> bool:
    """Named as a unit; another is what a unit is part of, or is only mentioned."""
    return any(i.get("system") in names.UNIT_SYSTEMS for i in organization.get("identifier", ()))


HELD_TO: Final[tuple[tuple[str, Kind, str], ...]] = (
    ("CarePlan", _categorised(names.CATEGORY, "ki-plan"), names.KI_PLAN),
    ("CarePlan", _categorised(names.SECTOR_KIND), names.KI_SECTOR_PLAN),
    ("Condition", _categorised(names.CATEGORY, "ki-udfordring"), names.KI_CHALLENGE),
    ("Goal", _always, names.KI_GOAL),
    ("Observation", _noted, names.KI_STATUS_NOTE),
    ("Appointment", _always, names.KI_MEETING),
    ("CareTeam", _led, names.KI_CARE_TEAM),
    ("Patient", _always, names.KI_PATIENT),
    ("Organization", _unit, names.KI_ORGANIZATION),
    ("Consent", _categorised(names.CONSENT_PURPOSE, "approval"), names.KI_APPROVAL),
    ("Consent", _always, names.KI_CONSENT),
)
"""Type, what its codes must say, profile; the first that fits."""

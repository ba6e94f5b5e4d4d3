"""What each KI profile asks for beyond R4, for resources that declare it in ``meta.profile``.

A check of presence, fixed codes and cardinality per profile, from docs/canonical-model.md. What
two resources say about each other is not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.contract import Resource
from hub.errors import Issue, Unsupported
from hub.fhir import names
from hub.fhir.bundles import entries
from hub.fhir.extract import codes, extension_value


@dataclass(frozen=True)
class Profile:
    """What a resource of this profile has."""

    type: str
    required: tuple[str, ...] = ()
    """Elements with at least one value."""
    single: tuple[str, ...] = ()
    """Lists with exactly one member."""
    category: tuple[str, str | None] | None = None
    """The code system that ``category`` has a code of, and the code if it is fixed."""
    extensions: tuple[str, ...] = ()
    """Extensions that must be there."""


PROFILES: Final[Mapping[str, Profile]] = {
    names.KI_PLAN: Profile(
        "CarePlan",
        required=("subject", "author"),
        single=("careTeam",),
        category=(names.CATEGORY, "ki-plan"),
    ),
    names.KI_SECTOR_PLAN: Profile(
        "CarePlan", required=("subject", "author"), category=(names.SECTOR_KIND, None)
    ),
    names.KI_CHALLENGE: Profile(
        "Condition", required=("code",), category=(names.CATEGORY, "ki-udfordring")
    ),
    names.KI_GOAL: Profile("Goal", required=("description",)),
    names.KI_CARE_TEAM: Profile("CareTeam", required=("participant",)),
    names.KI_STATUS_NOTE: Profile(
        "Observation", required=("valueString",), extensions=(names.ACTOR_LABEL,)
    ),
    names.KI_MEETING: Profile("Appointment", required=("participant",)),
    names.KI_PATIENT: Profile("Patient", required=("identifier", "name")),
    names.KI_ORGANIZATION: Profile("Organization", required=("identifier", "name")),
    names.KI_CONSENT: Profile(
        "Consent", required=("patient",), category=(names.CONSENT_PURPOSE, None)
    ),
    names.KI_APPROVAL: Profile(
        "Consent",
        required=("patient", "provision"),
        category=(names.CONSENT_PURPOSE, "approval"),
        extensions=(names.extension("decision"), names.extension("mode")),
    ),
}
"""By canonical URL."""


class ProfileValidator:
    """Checks resources against the profiles they declare, or one given for all of them.

    A :class:`hub.ports.Validator`; raises Unsupported for a given profile that is not known.
    """

    def __init__(self, profile: str | None = None) -> None:
        if profile is not None and profile not in PROFILES:
            known = ", ".join(sorted(u.rpartition("/")[2] for u in PROFILES))
            raise Unsupported(f"No such profile here; known under {names.BASE}: {known}")
        self._given = profile

    def check(self, resources: Iterable[Resource]) -> list[Issue]:
        """All issues at once; the resources are legal R4 (see StructureValidator).

        A declared profile of someone else's is a warning: it was not looked at.
        """
        found: list[Issue] = []
        for resource in resources:
            kind = str(resource.get("resourceType"))
            if self._given is not None:
                found += _issues(resource, PROFILES[self._given], kind)
            elif kind == "Bundle":
                for entry in entries(resource):
                    found += _declared(entry.resource, entry.path)
            else:
                found += _declared(resource, kind)
        return found


def _declared(resource: Resource, path: str) -> Iterator[Issue]:
    for i, url in enumerate(resource.get("meta", {}).get("profile", ())):
        if url in PROFILES:
            yield from _issues(resource, PROFILES[url], path)
        else:
            text = "A profile this hub does not know; it was not checked"
            yield Issue("warning", "not-supported", text, f"{path}.meta.profile[{i}]")


def _issues(resource: Resource, profile: Profile, path: str) -> Iterator[Issue]:
    if resource.get("resourceType") != profile.type:
        text = f"The profile is for {profile.type}"
        yield Issue("error", "invalid", text, path)
        return
    for name in profile.required:
        if not _has(resource, name):
            text = "The profile requires this element"
            yield Issue("error", "required", text, f"{path}.{name}")
    for name in profile.single:
        if len(resource.get(name, ())) != 1:
            text = "The profile has exactly one of this element"
            yield Issue("error", "invariant", text, f"{path}.{name}")
    if profile.category is not None:
        system, code = profile.category
        found = codes(resource.get("category", ()), system)
        if not found or (code is not None and code not in found):
            wanted = f"the code {code}" if code else "a code"
            text = f"The profile requires {wanted} of {system}"
            yield Issue("error", "code-invalid", text, f"{path}.category")
    for url in profile.extensions:
        if extension_value(resource, url) is None:
            text = f"The profile requires the extension {url.rpartition('/')[2]}"
            yield Issue("error", "required", text, f"{path}.extension")


def _has(resource: Mapping[str, Any], name: str) -> bool:
    return bool(resource.get(name)) or f"_{name}" in resource

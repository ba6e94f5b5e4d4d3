"""What a plan is made of: parts, manifests, the team, and the shared part's digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.contract import Identifier, Party, Resource
from hub.fhir import names
from hub.fhir.codec import dump_json
from hub.fhir.extract import codes
from hub.model.alone import is_alone

SHARED = "shared"
"""The part that the lead changes and everyone has in common."""

DECISION = "not-sent-"
"""How the id of a postscript begins that the hub wrote for a person's decision."""

Key = tuple[str, str, int]
"""Type, id, version of one resource."""


@dataclass(frozen=True)
class Member:
    """A unit around the citizen, with everything its people do there."""

    party: Party
    roles: frozenset[str]


_CHIEF = ("lead", "deputy", "coordinator", "gp", "professional", "receiver")


def chief_role(roles: frozenset[str]) -> str | None:
    """The one role an auditor needs to know of; None for no role at all."""
    others = sorted(roles)
    return next((r for r in _CHIEF if r in roles), others[0] if others else None)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys: equal content, equal bytes."""
    return dump_json(value, sort_keys=True)


def digest_of(resources: Iterable[Resource]) -> str:
    """The shared part's content as one number.

    The postscript, the versions and the meta elements are not what the citizen approved, so
    they do not count: adding an efterskrift undoes no approval.
    """
    total = hashlib.sha256()
    for resource in sorted(resources, key=lambda r: (r["resourceType"], r["id"])):
        counted = {k: v for k, v in resource.items() if k not in {"meta", "text", "status"}}
        if "extension" in counted:
            kept = [e for e in counted["extension"] if e.get("url") != names.POSTSCRIPT]
            counted["extension"] = kept
        total.update(canonical(counted))
    return total.hexdigest()


def team(
    resources: Mapping[str, Resource],
    find_party: Callable[[tuple[Identifier, ...]], Party | None],
) -> tuple[tuple[Member, ...], tuple[str, ...]]:
    """The units in the care team, and the paths of members whose unit is no party here."""
    roles: dict[str, set[str]] = {}
    parties: dict[str, Party] = {}
    strangers = []
    for key, resource in resources.items():
        if resource["resourceType"] != "CareTeam":
            continue
        for i, participant in enumerate(resource.get("participant", ())):
            unit = unit_of(resources, participant.get("member", {}).get("reference"))
            if unit is None:
                continue
            party = find_party(identifiers(unit))
            if party is None:
                strangers.append(f"{key}#participant[{i}]")
                continue
            parties[party.id] = party
            roles.setdefault(party.id, set()).update(codes(participant.get("role", ()), names.ROLE))
    members = tuple(Member(parties[p], frozenset(r)) for p, r in roles.items())
    return members, tuple(strangers)


def named_parties(
    kind: str,
    resources: Mapping[str, Resource],
    find_party: Callable[[tuple[Identifier, ...]], Party | None],
) -> tuple[Party, ...]:
    """The units that a sector's document names as those it is for, each once.

    Every unit in a koordinationsplan is a party of it (psykiatriloven § 13 b). Any other document
    may name units for other reasons, so it says who receives it: in its team, as ``receiver``.
    """
    if is_alone(kind):
        units = [r for r in resources.values() if r["resourceType"] == "Organization"]
    else:
        units = [
            unit
            for r in resources.values()
            if r["resourceType"] == "CareTeam"
            for p in r.get("participant", ())
            if "receiver" in codes(p.get("role", ()), names.ROLE)
            if (unit := unit_of(resources, p.get("member", {}).get("reference"))) is not None
        ]
    found = (find_party(identifiers(unit)) for unit in units)
    return tuple({p.id: p for p in found if p is not None}.values())


def identifiers(resource: Resource) -> tuple[Identifier, ...]:
    """A resource's identifiers that have both system and value."""
    return tuple(
        Identifier(i["system"], i["value"])
        for i in resource.get("identifier", ())
        if "system" in i and "value" in i
    )


def unit_of(resources: Mapping[str, Resource], reference: str | None) -> Resource | None:
    """The Organization that a reference to it, or to a function in it, leads to."""
    if reference is None:
        return None
    if reference.startswith("Organization/"):
        return resources.get(reference)
    role = resources.get(reference, {})
    return resources.get(role.get("organization", {}).get("reference", ""))


def with_decisions(plan: Resource, before: Resource) -> Resource:
    """The lead's new CarePlan with the decisions that persons recorded in the hub before.

    The lead's system may know nothing of them; what it does not send is not undone by that.
    """
    said = [e.get("extension") for e in plan.get("extension", ())]
    kept = [
        e
        for e in before.get("extension", ())
        if str(e.get("id", "")).startswith(DECISION) and e.get("extension") not in said
    ]
    return plan | {"extension": [*plan.get("extension", ()), *kept]} if kept else plan

"""Where a protected citizen can be found never leaves the hub, in any format. Pure.

A protected name or address (CPR's navne- og adressebeskyttelse) covers address and telephone, and
whatever tells them in another way: the relatives' addresses and telephones, the place of the next
meeting, and the botilbud, herberg or krisecenter where the citizen may live. It is taken out of the
view, before any format is made. What somebody wrote inside a text stays there: the hub does not
understand texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from hub.contract import Party, Resource
from hub.fhir import names
from hub.fhir.extract import codes, is_protected

HOUSING: Final = frozenset({"residential", "shelter", "crisis-centre"})
"""Kinds of party where a citizen lives."""
MASKED: Final = "Beskyttet sted"
_WORDS: Final = re.compile(
    r"botilbud|bosted|bofællesskab|herberg|forsorgshjem|krisecenter|kvindehjem", re.IGNORECASE
)
_PERSON: Final = frozenset({"address", "telecom", "contact"})
_STAY: Final = "opholdsplan"
"""That there is a plan for a stay tells of the stay."""


def reveals(unit: Resource, party: Party | None) -> bool:
    """The unit is a place where a citizen lives: by what it is here, else by what it says."""
    if party is not None:
        return party.kind in HOUSING
    texts = [str(unit.get("name", "")), *(str(t.get("text", "")) for t in unit.get("type", ()))]
    return any(_WORDS.search(t) for t in texts)


def is_hidden(resources: Iterable[Resource]) -> bool:
    """The citizen of these resources is protected."""
    return any(r["resourceType"] == "Patient" and is_protected(r) for r in resources)


def without_whereabouts(
    resources: Mapping[str, Resource],
    housing: Callable[[Resource], bool],
    *,
    own: frozenset[str] = frozenset(),
) -> tuple[dict[str, Resource], frozenset[str]]:
    """The resources without whereabouts, and the paths of what was left out.

    ``own``: keys of what the receiver wrote itself; ``housing`` is asked for each unit.
    """
    places = {k for k, r in resources.items() if r["resourceType"] == "Organization" and housing(r)}
    stays = {k for k, r in resources.items() if k not in own and _is_stay(r)}
    made: dict[str, Resource] = {}
    hidden = set(stays)
    for key, resource in resources.items():
        if key in stays:
            continue
        reduced = resource if key in own else _reduced(key, resource, places)
        made[key] = reduced if key in own else _unnamed(reduced, places)
        hidden |= {f"{key}/{n}" for n in resource if n not in reduced}
    return made, frozenset(hidden)


def _is_stay(resource: Resource) -> bool:
    return resource["resourceType"] == "CarePlan" and _STAY in codes(
        resource.get("category", ()), names.SECTOR_KIND
    )


def _reduced(key: str, resource: Resource, places: set[str]) -> Resource:
    kind = resource["resourceType"]
    if kind == "Patient":
        return {k: v for k, v in resource.items() if k not in _PERSON}
    if kind == "RelatedPerson":
        return {k: v for k, v in resource.items() if k not in {"address", "telecom"}}
    if key in places:
        kept = {k: v for k, v in resource.items() if k in {"resourceType", "id", "meta"}}
        identifier = {"system": names.LOCAL_UNIT, "value": "beskyttet"}
        return kept | {"identifier": [identifier], "name": MASKED}
    if kind == "PractitionerRole" and _leads_to(resource.get("organization", {}), places):
        return {k: v for k, v in resource.items() if k not in {"telecom", "location"}}
    if kind == "CarePlan":
        return _plan(resource)
    return resource


def _plan(plan: Resource) -> Resource:
    """Without the place of the next meeting, and without where an intervention is carried out."""
    made = dict(plan)
    if "extension" in made:
        made["extension"] = [
            e | {"extension": [x for x in e.get("extension", ()) if x.get("url") != "place"]}
            if e.get("url") == names.NEXT_MEETING
            else e
            for e in made["extension"]
        ]
    if "activity" in made:
        made["activity"] = [
            a | {"detail": {k: v for k, v in a["detail"].items() if k != "location"}}
            if "location" in a.get("detail", {})
            else a
            for a in made["activity"]
        ]
    return made


def _unnamed(value: Any, places: set[str]) -> Any:
    """No reference to such a place says its name."""
    if isinstance(value, Mapping):
        kept = {k: _unnamed(v, places) for k, v in value.items()}
        return (
            {k: v for k, v in kept.items() if k != "display"} if _leads_to(kept, places) else kept
        )
    return [_unnamed(v, places) for v in value] if isinstance(value, list) else value


def _leads_to(link: Mapping[str, Any], places: set[str]) -> bool:
    return link.get("reference") in places


RELATIVE: Final = "Pårørende"


def without_relatives(
    resources: Mapping[str, Resource], *, own: frozenset[str] = frozenset()
) -> tuple[dict[str, Resource], frozenset[str]]:
    """The resources with relatives by their relation alone, and the paths of what was left out.

    For a receiver that the citizen has not agreed may have their names and telephones.
    """
    people = {
        k for k, r in resources.items() if r["resourceType"] == "RelatedPerson" and k not in own
    }
    made, hidden = dict(resources), set[str]()
    for key in people:
        relation = resources[key].get("relationship", [{"text": RELATIVE.lower()}])
        kept = {k: v for k, v in resources[key].items() if k in _UNNAMED}
        made[key] = kept | {"relationship": relation}
        hidden |= {f"{key}/{n}" for n in resources[key] if n not in made[key]}
    for key, resource in made.items():
        if key not in own and resource["resourceType"] in _LISTS:
            made[key] = _unnamed(_participants(resource), people)
    return made, frozenset(hidden)


_UNNAMED: Final = frozenset({"resourceType", "id", "meta", "active", "patient", "relationship"})
_LISTS: Final = {"CareTeam": ("role", "member"), "Appointment": ("type", "actor")}
"""Type to where a participant's role is, and who it is."""


def _participants(resource: Resource) -> Resource:
    """A relative who is only named, and has no resource, is named by the relation."""
    role, who = _LISTS[resource["resourceType"]]

    def told(participant: Mapping[str, Any]) -> Mapping[str, Any]:
        person = participant.get(who, {})
        named = "display" in person and "reference" not in person
        if named and "relative" in codes(participant.get(role, ()), names.ROLE):
            return {**participant, who: person | {"display": RELATIVE}}
        return participant

    return resource | {"participant": [told(p) for p in resource.get("participant", ())]}

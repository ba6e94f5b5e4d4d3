"""The messaging profiles whose rules are in code here (entry point group ``ki_hub.profiles``).

The whole order is held to every rule. A part that stands alone, or in a Bundle that does not say
it is an order, is held to the rules that need no more than itself. Each profile is known by its
1.0.0 and its 0.1.0 canonical.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from adapters.vum import codes
from adapters.vum.message import Entry, Message
from adapters.vum.parse import read_order
from adapters.vum.profiles import RULES
from adapters.vum.rules import findings
from adapters.vum.shape import check_shape
from adapters.vum.urls import MESSAGING, PRE_RELEASE, normalise, profile
from hub.capabilities import CodedProfile
from hub.contract import Resource
from hub.errors import InputRefused, Issue

_FIRST: Final = "Bundle.entry[0].resource"
_TYPES: Final = {
    "messagingOrganization": "Organization",
    "orderCarePlan": "CarePlan",
    "intervention": "CarePlan",
    "relatedCarePlan": "CarePlan",
    "servicePerformer": "CareTeam",
    "participatingOrganization": "Organization",
    "interventionPurpose": "Goal",
    "interventionGoal": "Goal",
    "citizenObjective": "Goal",
    "targetGroup": "Condition",
    "condition": "Condition",
    "disgnosis": "Condition",
    "followUp": "Encounter",
    "informationGathering": "ClinicalImpression",
    "evaluation": "Observation",
    "matterOfInterest": "Observation",
    "citizen": "Patient",
    "relatedPerson": "RelatedPerson",
    "guardian": "RelatedPerson",
    "consent": "Consent",
    "account": "Account",
    "accountOwner": "Organization",
    "documentReference": "DocumentReference",
}
"""The profiles of an order's parts but its header, which is nothing without the order."""


def order(bundle: Resource) -> Sequence[Issue]:
    """Every broken rule of an order; one that cannot be read is told as it is refused."""
    try:
        return read_order(bundle)[1]
    except InputRefused as e:
        return [replace(i, expression=_rooted(i.expression)) for i in e.issues]


def _rooted(place: str | None) -> str:
    if place is None or place.startswith("Bundle"):
        return place or "Bundle"
    return f"Bundle.{place}"


def part(role: str, resource: Resource) -> Sequence[Issue]:
    """The broken rules of one part by itself."""
    current = normalise(resource)
    try:
        check_shape({"resourceType": "Bundle", "entry": [{"resource": current}]})
    except InputRefused as e:
        return list(_alone(e.issues, _TYPES[role]))
    message = Message({}, (Entry(0, "", current),), {0: frozenset({role})})
    own = [r for r in RULES if r.role == role and not r.whole]
    found = (*codes.unknown(current, _FIRST), *(f.issue for f in findings(message, own)))
    return list(_alone(found, _TYPES[role]))


def _alone(issues: Iterable[Issue], kind: str) -> Iterator[Issue]:
    for issue in issues:
        place = str(issue.expression).replace(_FIRST, kind, 1)
        yield replace(issue, expression=place)


def _both(name: str) -> tuple[str, str]:
    current = profile(name)
    return current, PRE_RELEASE[0][0] + current.removeprefix(MESSAGING)


_PARTS: Final = frozenset(u for n in (*_TYPES, "orderMessageHeader") for u in _both(n))
PROFILES: Final = (
    *(CodedProfile(u, "Bundle", order, _PARTS) for u in _both("orderMessage")),
    *(
        CodedProfile(u, kind, partial(part, role))
        for role, kind in _TYPES.items()
        for u in _both(role)
    ),
)

"""The elements of the messaging profiles, for checking that the tables account for them.

Source: the profiles of ``http://fhir.kl.dk/ffbmessaging`` 1.0.0 and their parents in KL core 1.2.0:
what they constrain or mark as must-support. Extensions are read in code, one by one, and any other
is a loss; they are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from hub.mapping.source import SourceElement

_PLAN: Final = "identifier status intent created period.start period.end subject author careTeam"
_GOAL: Final = (
    "identifier lifecycleStatus category description.text subject startDate statusDate addresses "
)
_CONDITION: Final = (
    "identifier clinicalStatus verificationStatus severity code subject recordedDate "
    "onsetDateTime note"
)
_NOTED: Final = "identifier status code subject effectiveDateTime valueString valueCodeableConcept"
_ELEMENTS: Final = {
    "orderCarePlan": f"{_PLAN} category title addresses supportingInfo goal activity",
    "intervention": (
        f"{_PLAN} basedOn activity.detail.status activity.detail.code activity.detail.description "
        "activity.detail.performer activity.detail.goal"
    ),
    "orderActivity": (
        "detail.status detail.code detail.description detail.performer detail.goal "
        "detail.scheduledPeriod.start detail.scheduledPeriod.end detail.scheduledString "
        "detail.scheduledTiming.repeat.boundsPeriod.start "
        "detail.scheduledTiming.repeat.boundsPeriod.end"
    ),
    "relatedCarePlan": "status created period.start period.end",
    "servicePerformer": (
        "identifier status category subject period participant.member participant.role"
    ),
    "participatingOrganization": ("identifier active type name telecom address partOf contact"),
    "interventionPurpose": "identifier lifecycleStatus category description.text subject",
    "interventionGoal": f"{_GOAL} target",
    "citizenObjective": f"{_GOAL} target",
    "subGoal": f"{_GOAL} target",
    "targetGroup": _CONDITION,
    "condition": _CONDITION,
    "disgnosis": _CONDITION,
    "informationGathering": (
        "identifier status code date effectiveDateTime effectivePeriod subject assessor finding "
        "investigation"
    ),
    "evaluation": _NOTED,
    "matterOfInterest": _NOTED,
    "citizen": (
        "active identifier name telecom address contact maritalStatus communication birthDate "
        "gender generalPractitioner managingOrganization"
    ),
}
_IN_EACH: Final = "meta text"
_INSIDE: Final = frozenset({"orderActivity"})
"""Records that are inside a resource and have no meta or text."""
_WHOLE: Final = {
    "relatedCarePlan": "CarePlan CareTeam Organization Goal Condition",
    "Account": "Account",
    "AccountOwner": "Organization",
    "Consent": "Consent",
    "DocumentReference": "DocumentReference",
    "FollowUp": "Encounter",
    "Guardian": "RelatedPerson",
    "RelatedPerson": "RelatedPerson",
    "MessageHeader": "MessageHeader",
    "MessagingOrganization": "Organization",
}
"""Entries that are left out whole: their tables name the resource type."""


def elements(record: str) -> Sequence[SourceElement]:
    """The elements of a role's record; KeyError for no role."""
    whole = _WHOLE.get(record, "")
    read = _ELEMENTS[record] if not whole or record in _ELEMENTS else ""
    common = "" if whole or record in _INSIDE else _IN_EACH
    tree: dict[str, Any] = {}
    for path in f"{read} {common} {whole}".split():
        at = tree
        for name in path.split("."):
            at = at.setdefault(name, {})
    return _elements(tree)


def _elements(tree: Mapping[str, Any]) -> tuple[SourceElement, ...]:
    return tuple(
        SourceElement(name, needed=True, children=partial(_elements, inside))
        for name, inside in tree.items()
    )

"""Which resources are served, and by what they can be searched: data that routes, search and the
CapabilityStatement share.

Names, kinds and elements are those of R4 4.0.1's own search parameters (each resource's page,
"Search Parameters"); nothing here is the project's own. Left out on purpose: names, birth dates,
addresses and phone numbers of people, which would stand in URLs and find citizens for those who
do not know them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from hub.fhir import names

Kind = Literal["token", "reference", "date", "string", "uri"]


@dataclass(frozen=True)
class Parameter:
    """One search parameter of one type."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    """Elements by their JSON names, dotted; lists are walked."""
    target: str | None = None
    """A reference that counts only if it leads to this type."""
    system: str | None = None
    """The system of a plain ``code``."""
    whole: bool = False
    """Also matches by the compartment: a Consent names its citizen by number alone."""


@dataclass(frozen=True)
class Served:
    """A stored type."""

    type: str
    profiles: tuple[str, ...]
    parameters: Mapping[str, Parameter]


def _of(line: str) -> Parameter:
    """``name kind path[|path] [>Target] [=system]``."""
    name, kind, paths, *rest = line.split()
    target = next((r[1:] for r in rest if r.startswith(">")), None)
    system = next((r[1:] for r in rest if r.startswith("=")), None)
    kinds: dict[str, Kind] = {
        "token": "token", "reference": "reference", "date": "date", "string": "string",
        "uri": "uri",
    }  # fmt: skip
    return Parameter(
        name=name,
        kind=kinds[kind],
        paths=tuple(paths.split("|")),
        target=target,
        system=f"http://hl7.org/fhir/{system}" if system else None,
        whole="*" in rest,
    )


_COMMON: Final = """
_id token id
_lastUpdated date meta.lastUpdated
_profile uri meta.profile
_security token meta.security
_tag token meta.tag
"""

_TYPES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "CarePlan": (
        (names.KI_PLAN, names.KI_SECTOR_PLAN),
        """
        identifier token identifier
        patient reference subject >Patient
        subject reference subject
        status token status =request-status
        intent token intent =request-intent
        category token category
        care-team reference careTeam
        condition reference addresses
        goal reference goal
        part-of reference partOf
        based-on reference basedOn
        replaces reference replaces
        encounter reference encounter
        date date period
        activity-code token activity.detail.code
        activity-date date activity.detail.scheduledPeriod
        activity-reference reference activity.reference
        performer reference activity.detail.performer
        """,
    ),
    "CareTeam": (
        (names.KI_CARE_TEAM,),
        """
        identifier token identifier
        patient reference subject >Patient
        subject reference subject
        status token status =care-team-status
        category token category
        date date period
        encounter reference encounter
        participant reference participant.member
        """,
    ),
    "Goal": (
        (names.KI_GOAL,),
        """
        identifier token identifier
        patient reference subject >Patient
        subject reference subject
        lifecycle-status token lifecycleStatus =goal-status
        achievement-status token achievementStatus
        category token category
        start-date date startDate
        target-date date target.dueDate
        """,
    ),
    "Condition": (
        (names.KI_CHALLENGE,),
        """
        identifier token identifier
        patient reference subject >Patient
        subject reference subject
        category token category
        code token code
        clinical-status token clinicalStatus
        verification-status token verificationStatus
        severity token severity
        encounter reference encounter
        asserter reference asserter
        recorded-date date recordedDate
        onset-date date onsetDateTime|onsetPeriod
        abatement-date date abatementDateTime|abatementPeriod
        """,
    ),
    "Observation": (
        (names.KI_STATUS_NOTE,),
        """
        identifier token identifier
        patient reference subject >Patient
        subject reference subject
        status token status =observation-status
        category token category
        code token code
        date date effectiveDateTime|effectivePeriod|effectiveInstant
        encounter reference encounter
        focus reference focus
        has-member reference hasMember
        performer reference performer
        """,
    ),
    "Appointment": (
        (names.KI_MEETING,),
        """
        identifier token identifier
        patient reference participant.actor >Patient
        practitioner reference participant.actor >Practitioner
        location reference participant.actor >Location
        actor reference participant.actor
        status token status =appointmentstatus
        part-status token participant.status =participationstatus
        appointment-type token appointmentType
        service-category token serviceCategory
        service-type token serviceType
        specialty token specialty
        reason-code token reasonCode
        date date start
        """,
    ),
    "Patient": (
        (names.KI_PATIENT,),
        """
        identifier token identifier
        active token active
        general-practitioner reference generalPractitioner
        organization reference managingOrganization
        """,
    ),
    "Practitioner": (
        (),
        """
        identifier token identifier
        active token active
        """,
    ),
    "PractitionerRole": (
        (),
        """
        identifier token identifier
        active token active
        practitioner reference practitioner
        organization reference organization
        role token code
        specialty token specialty
        date date period
        """,
    ),
    "RelatedPerson": (
        (),
        """
        identifier token identifier
        active token active
        patient reference patient >Patient
        relationship token relationship
        """,
    ),
    "Organization": (
        (names.KI_ORGANIZATION,),
        """
        identifier token identifier
        active token active
        name string name|alias
        type token type
        partof reference partOf
        endpoint reference endpoint
        """,
    ),
    "DocumentReference": (
        (),
        """
        identifier token identifier|masterIdentifier
        patient reference subject >Patient
        subject reference subject
        status token status =document-reference-status
        type token type
        category token category
        date date date
        period date context.period
        author reference author
        custodian reference custodian
        related reference context.related
        security-label token securityLabel
        """,
    ),
    "Consent": (
        (names.KI_CONSENT, names.KI_APPROVAL),
        """
        identifier token identifier
        patient reference patient >Patient *
        status token status =consent-state-codes
        scope token scope
        category token category
        date date dateTime
        period date provision.period
        actor reference provision.actor.reference
        consentor reference performer
        organization reference organization
        purpose token provision.purpose
        security-label token provision.securityLabel
        data reference provision.data.reference
        """,
    ),
}


def _served(kind: str, profiles: tuple[str, ...], lines: str) -> Served:
    found = [_of(line) for line in (_COMMON + lines).splitlines() if line.strip()]
    return Served(kind, profiles, {p.name: p for p in found})


SERVED: Final[Mapping[str, Served]] = {
    kind: _served(kind, profiles, lines) for kind, (profiles, lines) in _TYPES.items()
}
"""Every stored type, by name."""

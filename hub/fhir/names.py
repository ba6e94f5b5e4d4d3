"""Every URL and code of the canonical model, in one place.

The canonical base is fixed in the published profiles; a server's own address is a setting and
never appears here.
"""

from __future__ import annotations

from typing import Any, Final

BASE: Final = "https://ki-hub.example/fhir"


def profile(name: str) -> str:
    """The canonical URL of a profile, such as ``KiPlan``."""
    return f"{BASE}/StructureDefinition/{name}"


def extension(name: str) -> str:
    """The canonical URL of an extension, such as ``rank``."""
    return f"{BASE}/StructureDefinition/ki-{name}"


def system(name: str) -> str:
    """The canonical URL of a code system, such as ``role``."""
    return f"{BASE}/CodeSystem/ki-{name}"


# Profiles
KI_PLAN: Final = profile("KiPlan")
KI_SECTOR_PLAN: Final = profile("KiSectorPlan")
KI_CARE_TEAM: Final = profile("KiCareTeam")
KI_CONSENT: Final = profile("KiConsent")
KI_APPROVAL: Final = profile("KiApproval")
KI_GOAL: Final = profile("KiGoal")
KI_CHALLENGE: Final = profile("KiChallenge")
KI_MEETING: Final = profile("KiMeeting")
KI_STATUS_NOTE: Final = profile("KiStatusNote")
KI_PATIENT: Final = profile("KiPatient")
KI_ORGANIZATION: Final = profile("KiOrganization")

# Extensions
RANK: Final = extension("rank")
SECTION: Final = extension("section")
LEVEL: Final = extension("level")
ANCHORING: Final = extension("anchoring")
PROPOSAL: Final = extension("proposal")
NEXT_MEETING: Final = extension("next-meeting")
POSTSCRIPT: Final = extension("postscript")
LEGAL_BASIS: Final = extension("legal-basis")
BASE_VERSION: Final = extension("base-version")
COORDINATION: Final = extension("coordination")
ACTOR_LABEL: Final = extension("actor-label")
TIME_AS_WRITTEN: Final = extension("time-as-written")
SUCCESS_CRITERION: Final = extension("success-criterion")
FALLBACK: Final = extension("fallback")
MEETING_DATE: Final = extension("meeting-date")
REASON: Final = extension("reason")
CONSENT_AS_WRITTEN: Final = extension("consent-as-written")
GUARDIAN_GROUND: Final = extension("guardian-ground")
DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

# Code systems
CATEGORY: Final = system("category")
SECTOR_KIND: Final = system("sector-kind")
HORIZON: Final = system("horizon")
ROLE: Final = system("role")
SECTION_CODE: Final = system("section")
CONSENT_PURPOSE: Final = system("consent-purpose")
LEGAL_BASIS_CODE: Final = system("legal-basis")
GUARDIAN_GROUND_CODE: Final = system("guardian-ground")
DECISION_CODE: Final = system("decision")
OBSERVATION_CODE: Final = system("observation")

CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

# Danish identifier systems (dk-core)
CPR: Final = "urn:oid:1.2.208.176.1.2"
X_ECPR: Final = "urn:oid:1.2.208.176.1.6.1.1"
D_ECPR: Final = (
    "urn:oid:1.2.208.176.1.6.1.3",
    "urn:oid:1.2.208.176.1.6.1.3.177",
    "urn:oid:1.2.208.176.1.6.1.3.179",
    "urn:oid:1.2.208.176.1.6.1.3.181",
    "urn:oid:1.2.208.176.1.6.1.3.183",
    "urn:oid:1.2.208.176.1.6.1.3.187",
)
PERSON_SYSTEMS: Final = frozenset({CPR, X_ECPR, *D_ECPR})
"""Systems of numbers that name one citizen."""
SOR: Final = "urn:oid:1.2.208.176.1.1"
CVR: Final = "http://cvr.dk"
GLN: Final = "https://www.gs1.org/gln"
GLN_ALIASES: Final = ("http://www.gs1.org/gln", "urn:oid:1.3.88")
YDERNUMMER: Final = "urn:oid:1.2.208.176.1.4"
KOMMUNEKODE: Final = "http://hl7.dk/fhir/core/CodeSystem/dk-core-municipality-codes"
LOCAL_UNIT: Final = f"{BASE}/NamingSystem/unit"
"""A unit without a SOR code: the hub's own party id."""

UNIT_SYSTEMS: Final = (SOR, LOCAL_UNIT, GLN, YDERNUMMER)
"""Systems that name one unit. CVR and kommunekode name an organisation, never a receiver."""

SECTIONS: Final = ("psychiatry", "substance-use", "social", "crime", "economy", "health")


def coding(code_system: str, code: str, display: str | None = None) -> dict[str, Any]:
    """A Coding."""
    found = {"system": code_system, "code": code}
    return found | {"display": display} if display else found


def concept(code_system: str, code: str, display: str | None = None) -> dict[str, Any]:
    """A CodeableConcept with one coding."""
    return {"coding": [coding(code_system, code, display)]}

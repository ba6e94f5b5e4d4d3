"""The format's URLs, and the older generation of the same.

Emitted is KL FFB messaging 1.0.0 (``http://fhir.kl.dk/ffbmessaging``, 2023-08-27). The 0.1.0
pre-release names the same things by other URLs; they are read too, and so are the known slips of
KL's own material. Only prefixes differ.
"""

from __future__ import annotations

from typing import Any, Final

from adapters.dk_core import KOMBIT

MESSAGING: Final = "http://fhir.kl.dk/ffbmessaging/"
CORE: Final = "http://fhir.kl.dk/core/StructureDefinition/"
FFB: Final = "urn:oid:1.2.208.176.2.22"
CARE_SOCIAL: Final = "http://fhir.kl.dk/term/CodeSystem/CareSocialCodes"

PRE_RELEASE: Final = (
    ("http://ffb/messaging/kl.dk/1.0/", MESSAGING),
    ("http://kl.dk/fhir/common/caresocial/StructureDefinition/", CORE),
    ("http://kl.dk/fhir/common/caresocial/ValueSet/", "http://fhir.kl.dk/term/ValueSet/"),
    ("http://kl.dk/fhir/common/caresocial/CodeSystem/KLCommonCareSocialCodes", CARE_SOCIAL),
    ("http://kl.dk/fhir/common/caresocial/CodeSystem/FFB", FFB),
    ("http://kl.dk/fhir/common/caresocial/CodeSystem/FSIII", "urn:oid:1.2.208.176.2.21"),
)
"""What a 0.1.0 URL starts with, and what it starts with in 1.0.0."""

EVENT_SYSTEM: Final = f"{MESSAGING}CodeSystem/kl-messaging-ffb-messageEventSystem"
EVENT_SYSTEM_PRE_RELEASE: Final = (
    f"{PRE_RELEASE[0][0]}CodeSystem/kl-messaging-ffb-messageEventSystem"
)
ORDER_EVENT: Final = "ffb-order"

TEXT_SYSTEM: Final = f"{MESSAGING}CodeSystem/Text"
"""A coding without a code, before ``code.text``: the guide's example has it, nothing defines it."""
PARTICIPANT_ROLE: Final = f"{MESSAGING}CodeSystem/kl-messaging-ffb-participantRoleCodes"
RELATIONSHIP_TYPE: Final = f"{MESSAGING}CodeSystem/kl-messaging-ffb-relationshipTypeCodes"
GUARDIANSHIP_FORMS: Final = f"{MESSAGING}CodeSystem/kl-messaging-ffb-guardianshipFormCodes"
CONSENT_POLICY: Final = f"{MESSAGING}CodeSystem/kl-messaging-ffb-consentPolicyCodes"
MUNICIPALITY: Final = "http://hl7.dk/fhir/core/CodeSystem/dk-core-municipality-codes"
MUNICIPALITY_GREENLAND: Final = f"{MUNICIPALITY}-greenland"
CONTACT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/v2-0131"
COORDINATING_AUTHORITY: Final = "koordinerende-myndighed"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

CONDITION_RANK: Final = f"{CORE}ConditionRank"
CASE_NUMBER: Final = f"{CORE}MunicipalityCaseNumber"
GUARDIANSHIP_FORM: Final = f"{MESSAGING}StructureDefinition/kl-messaging-ffb-guardianshipForm"
ACTING_MUNICIPALITY: Final = f"{MESSAGING}StructureDefinition/kl-messaging-ffb-actingMunicipality"

RELATED_PLAN_ID: Final = "https://ki-hub.example/fhir/NamingSystem/related-plan"
"""Identifier system of every entry the hub adds, so that the next issue replaces it."""

_ELSEWHERE: Final = (
    ("http://fhir.kl.dk/term/StructureDefinition/ConditionRank", CONDITION_RANK),
    ("https://www.kombit.dk/organisation", KOMBIT),
)
"""What KL's own material calls by another URL than the one that defines it."""
_WRITTEN: Final = (*PRE_RELEASE, *_ELSEWHERE)
_URL_KEYS: Final = {"url", "system", "profile"}
_AS_NUMBER: Final = ("valueString", "valueInteger")


def profile(name: str) -> str:
    """The canonical URL of a messaging profile, such as ``orderCarePlan``."""
    return f"{MESSAGING}StructureDefinition/kl-messaging-ffb-{name}"


def normalise(tree: Any) -> Any:
    """A copy as 1.0.0 has it; texts stay as written.

    URLs of 0.1.0, and those that KL's material has by mistake, get their 1.0.0 form; a rank that
    is a text of digits is that number; an empty ``system`` (as the diagnosis profile has it) says
    nothing, and neither does a Coding of nothing else.
    """
    if isinstance(tree, list):
        return [normalise(member) for member in tree]
    if not isinstance(tree, dict):
        return tree
    made = {
        key: _current(value) if key in _URL_KEYS else normalise(value)
        for key, value in tree.items()
        if not (key == "system" and value == "")
    }
    if isinstance(made.get("coding"), list):
        told = [coding for coding in made.pop("coding") if coding != {}]
        made |= {"coding": told} if told else {}
    return _ranked(made) if made.get("url") == CONDITION_RANK else made


def _ranked(extension: dict[str, Any]) -> dict[str, Any]:
    """ConditionRank with its value as the number it is defined to be, where it is one."""
    for name in _AS_NUMBER:
        rank = {"1": 1, "2": 2}.get(str(extension.get(name)))
        if rank is not None:
            return {k: v for k, v in extension.items() if k != name} | {"valuePositiveInt": rank}
    return extension


def _current(value: Any) -> Any:
    if isinstance(value, list):
        return [_current(member) for member in value]
    if not isinstance(value, str):
        return normalise(value)
    for old, new in _WRITTEN:
        if value.startswith(old):
            return new + value.removeprefix(old)
    return value

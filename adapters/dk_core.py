"""HL7 Denmark's dk-core 3.x, as far as this project sends and receives it: identifiers above all.

Each rule is told under its published id, or, where dk-core states a form in a profile only, under
the profile's id. Forms and systems: dk-core 3.7.0; a CPR number has the shape of a date and no
check digit. No finding holds a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from stdnum import ean
from stdnum.dk import cvr

from hub.capabilities import CodedProfile
from hub.contract import Resource
from hub.errors import Issue
from hub.fhir import names
from hub.fhir.language import said

BASE: Final = "http://hl7.dk/fhir/core/StructureDefinition/dk-core-"
KOMBIT: Final = "https://kombit.dk/sts/organisation"
AUTHORIZATION: Final = "https://autregweb.sst.dk"
GLN_SYSTEMS: Final = (names.GLN, *names.GLN_ALIASES)
MANDATORY: Final = frozenset(
    {names.SOR, KOMBIT, "urn:oid:1.3.198", names.CVR, "urn:oid:2.16.840.1.113883.2.24.1.1"}
)
"""One of these names an organisation; the last is what dk-core 1.1.0 had for CVR."""

_DATE: Final = (
    r"((0[1-9]|[12][0-9]|3[01])(01|03|05|07|08|10|12)|(0[1-9]|[12][0-9]|30)(04|06|09|11)"
    r"|(0[1-9]|[12][0-9])02)[0-9]{2}"
)
_CITIZEN: Final = {
    names.CPR: ("cpr", re.compile(_DATE + r"[0-9]{4}")),
    names.X_ECPR: ("x-ecpr", re.compile(_DATE + r"[17][A-Z]{2}[0-9]")),
} | {system: ("d-ecpr", re.compile(_DATE + r"[056][A-Z]{2}[0-9]")) for system in names.D_ECPR}
CITIZEN_SYSTEMS: Final = frozenset(_CITIZEN)
"""CPR and the two kinds of replacement number."""

Test = tuple[str, Callable[[str], bool], str]


def _matches(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern)
    return lambda value: found.fullmatch(value) is not None


def _check_digit(value: str) -> bool:
    return not re.fullmatch(r"[0-9]{13}", value) or bool(ean.is_valid(value))


_GLN: Final[tuple[Test, ...]] = (
    ("gln-length", _matches(r"[0-9]{13}"), "a GLN has 13 digits"),
    ("gln-modulus-10", _check_digit, "the GLN's check digit does not fit"),
)
_UUID: Final = r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ORGANISATION: Final[Mapping[str, tuple[Test, ...]]] = {
    names.SOR: (("min-digits-sor", _matches(r"[0-9]{11,}"), "a SOR code has at least 11 digits"),),
    names.CVR: (
        ("dk-core-cvr-identifier", lambda v: bool(cvr.is_valid(v)) and len(v) == 8,
         "a CVR number has 8 digits of which the last is a check digit"),
    ),
    KOMBIT: (
        ("dk-core-kombit-org-identifier", _matches(_UUID), "it is urn:uuid: in lower case"),
    ),
} | dict.fromkeys(GLN_SYSTEMS, _GLN)  # fmt: skip


def is_citizen_number(system: str, value: str) -> bool:
    """A number of one of :data:`CITIZEN_SYSTEMS` has the form of its system."""
    return _CITIZEN[system][1].fullmatch(value) is not None


def is_organisation_number(system: str, value: str) -> bool:
    """A SOR, GLN, CVR or KOMBIT number has the form of its system; other systems have none."""
    return all(fits(value) for _, fits, _ in _ORGANISATION.get(system, ()))


def finding(rule: str, what: str, at: str, *, code: str = "invariant") -> Issue:
    """An error of one rule; ``what`` says what must be so, never what was found."""
    danish = said("da", what)
    return Issue("error", code, f"{rule}: {what}", at, f"{rule}: {danish}" if danish else None)


def citizen_numbers(person: Resource, at: str) -> Iterator[Issue]:
    """cpr, x-ecpr, d-ecpr: each number has the form of its system."""
    for i, (system, value) in enumerate(_identifiers(person)):
        if system in _CITIZEN and not is_citizen_number(system, value):
            what = "the number does not have the form of its system"
            yield finding(_CITIZEN[system][0], what, f"{at}.identifier[{i}].value", code="value")


def has_citizen_number(person: Resource) -> bool:
    """There is a CPR or replacement number."""
    return any(system in _CITIZEN and value for system, value in _identifiers(person))


def organisation_numbers(organization: Resource, at: str) -> Iterator[Issue]:
    """min-digits-sor, gln-length, gln-modulus-10 and the like: the first that each breaks."""
    for i, (system, value) in enumerate(_identifiers(organization)):
        for rule, fits, what in _ORGANISATION.get(system, ()):
            if not fits(value):
                yield finding(rule, what, f"{at}.identifier[{i}].value")
                break


def mandatory_identifier(organization: Resource, at: str) -> Iterator[Issue]:
    """dk-core-organization-mandatory-identifier: SOR, KOMBIT, CVR or 1.3.198."""
    if not {system for system, _ in _identifiers(organization)} & MANDATORY:
        rule = "dk-core-organization-mandatory-identifier"
        what = "an organisation needs a SOR code, a KOMBIT id or a CVR number"
        yield finding(rule, what, f"{at}.identifier", code="required")


def _identifiers(resource: Resource) -> list[tuple[str, str]]:
    """System and value of each identifier; of any JSON."""
    found = resource.get("identifier")
    return [_pair(x) for x in found] if isinstance(found, list) else []


def _pair(identifier: Any) -> tuple[str, str]:
    given = identifier if isinstance(identifier, Mapping) else {}
    system, value = given.get("system"), given.get("value")
    return (
        system if isinstance(system, str) else "",
        value if isinstance(value, str) else "",
    )


def _some_identifier(resource: Resource, rule: str, at: str) -> Iterator[Issue]:
    if not _identifiers(resource):
        yield finding(rule, "an identifier is needed", f"{at}.identifier", code="required")


def patient(resource: Resource) -> list[Issue]:
    """dk-core-patient: an identifier, of the right form; an official name has a family name."""
    found = [
        *_some_identifier(resource, "dk-core-patient", "Patient"),
        *citizen_numbers(resource, "Patient"),
    ]
    called = resource.get("name")
    for i, name in enumerate(called if isinstance(called, list) else ()):
        given = name if isinstance(name, Mapping) else {}
        if given.get("use") == "official" and not (given.get("family") or given.get("_family")):
            what = "the official name needs a family name"
            found.append(
                finding("dk-core-patient", what, f"Patient.name[{i}].family", code="required")
            )
    return found


def related_person(resource: Resource) -> list[Issue]:
    """dk-core-related-person: numbers of the right form."""
    return list(citizen_numbers(resource, "RelatedPerson"))


def organization(resource: Resource) -> list[Issue]:
    """dk-core-organization: an identifier, a mandatory one among them, each of the right form."""
    return [
        *_some_identifier(resource, "dk-core-organization", "Organization"),
        *mandatory_identifier(resource, "Organization"),
        *organisation_numbers(resource, "Organization"),
    ]


def practitioner(resource: Resource) -> list[Issue]:
    """dk-core-practitioner: an authorization id has five characters, no vowels but Y."""
    found = []
    qualified = resource.get("qualification")
    for i, qualification in enumerate(qualified if isinstance(qualified, list) else ()):
        given = qualification if isinstance(qualification, dict) else {}
        for j, (system, value) in enumerate(_identifiers(given)):
            if system == AUTHORIZATION and not _AUTHORIZED(value):
                at = f"Practitioner.qualification[{i}].identifier[{j}].value"
                what = "five of consonants, Y and digits"
                found.append(finding("dk-core-authorization-identifier", what, at))
    return found


_AUTHORIZED: Final = _matches(r"[b-df-hj-np-tv-zB-DF-HJ-NP-TV-Z0-9]{5}")

PROFILES: Final = (
    CodedProfile(f"{BASE}patient", "Patient", patient),
    CodedProfile(f"{BASE}related-person", "RelatedPerson", related_person),
    CodedProfile(f"{BASE}organization", "Organization", organization),
    CodedProfile(f"{BASE}practitioner", "Practitioner", practitioner),
)
"""The profiles of dk-core with rules of their own (``ki_hub.profiles``)."""

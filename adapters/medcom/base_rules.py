"""Rules that hold for every MedCom FHIR message: bundle, header, organisations, identifiers.

Each rule is a function from a :class:`Message` to the findings it makes; the text of a finding
starts with the rule's published id, or with the id of the profile whose cardinality it checks.
No finding holds a value of the message. Sources: MedCom Messaging (medcom-messaging-*), MedCom
Core 3.0.1, HL7 Denmark dk-core 3.4.0 (cpr, x-ecpr, d-ecpr, gln-*, min-digits-sor).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from stdnum import ean

from adapters.medcom import urls
from adapters.medcom.message import Message, extension, members, part, text
from hub.contract import Resource
from hub.errors import Issue
from hub.fhir import names
from hub.fhir.extract import references

Findings = Iterator[Issue]
Rule = Callable[[Message], Findings]

_UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_PHONE: Final = re.compile(r"[+]?[0-9][-0-9]*")
_DATE: Final = (
    r"((0[1-9]|[12][0-9]|3[01])(01|03|05|07|08|10|12)|(0[1-9]|[12][0-9]|30)(04|06|09|11)"
    r"|(0[1-9]|[12][0-9])02)[0-9]{2}"
)
_CITIZEN_NUMBERS: Final = {
    names.CPR: ("cpr", re.compile(_DATE + r"[0-9]{4}")),
    names.X_ECPR: ("x-ecpr", re.compile(_DATE + r"[17][A-Z]{2}[0-9]")),
} | {system: ("d-ecpr", re.compile(_DATE + r"[056][A-Z]{2}[0-9]")) for system in names.D_ECPR}
_MANDATORY: Final = frozenset(
    {names.SOR, "https://kombit.dk/sts/organisation", "urn:oid:2.16.840.1.113883.2.24.1.1"}
)
"""SOR, the municipalities' organisation register, CVR (dk-core)."""
GLN_SYSTEMS: Final = (names.GLN, *names.GLN_ALIASES)


def finding(rule: str, what: str, at: str, *, code: str = "invariant") -> Issue:
    """An error of one rule; ``what`` says what must be so, never what was found."""
    return Issue("error", code, f"{rule}: {what}", at)


def is_instant(value: Any) -> bool:
    """A date and time with seconds and a zone."""
    return isinstance(value, str) and _INSTANT.fullmatch(value) is not None


def is_uuid(value: str) -> bool:
    """``urn:uuid:`` and a lower-case UUID (medcom-uuidv4 does not look at the version)."""
    return _UUID.fullmatch(value) is not None


def is_phone(value: str) -> bool:
    """Digits, with a leading plus and hyphens allowed (medcom-core-contact)."""
    return _PHONE.fullmatch(value) is not None


def is_gln(value: str) -> bool:
    """Thirteen digits whose check digit fits (gln-length, gln-modulus-10)."""
    return re.fullmatch(r"[0-9]{13}", value) is not None and bool(ean.is_valid(value))


def is_sor(value: str) -> bool:
    """At least eleven digits (min-digits-sor)."""
    return re.fullmatch(r"[0-9]{11,}", value) is not None


def bundle_rules(message: Message) -> Findings:
    """Bundle: id, type message, timestamp with a zone, fullUrl and resource in every entry."""
    rule = "medcom-messaging-message"
    bundle = message.bundle
    if not text(bundle, "id"):
        yield finding(rule, "the bundle must have an id", "Bundle.id", code="required")
    if bundle.get("type") != "message":
        yield finding(rule, "the bundle must be of type message", "Bundle.type", code="value")
    if not is_instant(bundle.get("timestamp")):
        yield finding(rule, "timestamp must be a time with a zone", "Bundle.timestamp")
    for i, entry in enumerate(members(bundle.get("entry"))):
        at = f"Bundle.entry[{i}]"
        if not text(entry, "fullUrl"):
            yield finding(rule, "every entry must have a fullUrl", f"{at}.fullUrl", code="required")
        if not text(entry, "resource", "resourceType") or not text(entry, "resource", "id"):
            yield finding(rule, "every entry must hold a resource with type and id", at)


def messaging_1(message: Message) -> Findings:
    """medcom-messaging-1: the first entry conforms to the message header."""
    if not message.header:
        yield finding(
            "medcom-messaging-1", "the first entry must be a MessageHeader", "Bundle.entry[0]"
        )
        return
    yield from _header(message)


def _header(message: Message) -> Findings:
    rule, header = "medcom-messaging-1", message.header
    destinations = members(header.get("destination"))
    primary = [d for d in destinations if _use(d) == "primary"]
    if len(primary) != 1:
        yield finding(rule, "exactly one destination must be primary", "MessageHeader.destination")
    for destination in primary:
        if not text(destination, "endpoint"):
            at = "MessageHeader.destination.endpoint"
            yield finding(rule, "the destination must have an endpoint", at, code="required")
        if message.resolve(destination.get("receiver")).get("resourceType") != "Organization":
            at = "MessageHeader.destination.receiver"
            yield finding(rule, "the receiver must be an Organization of the bundle", at)
    if message.resolve(header.get("sender")).get("resourceType") != "Organization":
        at = "MessageHeader.sender"
        yield finding(rule, "the sender must be an Organization of the bundle", at)
    if not text(header, "source", "endpoint"):
        at = "MessageHeader.source.endpoint"
        yield finding(rule, "the source must have an endpoint", at, code="required")


def _use(destination: dict[str, Any]) -> str:
    found = extension(destination, urls.DESTINATION_USE)
    return text(found[0], "valueCoding", "code") if found else ""


def messaging_2(message: Message) -> Findings:
    """medcom-messaging-2: at least one Provenance."""
    if not message.of_type("Provenance"):
        yield finding("medcom-messaging-2", "there must be a Provenance", "Bundle.entry")


def references_bundled(message: Message) -> Findings:
    """Everything referred to is in the bundle, but for earlier messages' headers."""
    for resource in message.resources:
        kind = text(resource, "resourceType")
        source: Any = resource
        if kind == "Provenance":
            # A thread's earlier headers are named, never carried.
            source = {k: v for k, v in resource.items() if k not in {"target", "entity"}}
        for reference in references(source):
            if not reference.startswith("#") and not message.resolve({"reference": reference}):
                yield finding(
                    "medcom-messaging-message",
                    "every reference must point at a resource of the bundle",
                    kind,
                    code="not-found",
                )


def messaging_3(message: Message) -> Findings:
    """medcom-messaging-3: a Provenance says when, with a zone, about which message, by whom."""
    rule = "medcom-messaging-3"
    for i, provenance in enumerate(message.of_type("Provenance")):
        at = f"Provenance[{i}]"
        for name in ("occurredDateTime", "recorded"):
            if not is_instant(provenance.get(name)):
                yield finding(rule, f"{name} must be a time with a zone", f"{at}.{name}")
        if len(members(provenance.get("target"))) != 1:
            yield finding(rule, "there must be exactly one target", f"{at}.target")
        agents = members(provenance.get("agent"))
        if not agents or any(not part(a, "who") for a in agents):
            yield finding(rule, "there must be an agent who did it", f"{at}.agent")


def organisations(message: Message) -> Findings:
    """Sender and receiver carry SOR and GLN; every SOR and GLN has its form."""
    header = message.header
    parties = [header.get("sender")]
    parties += [d.get("receiver") for d in members(header.get("destination"))]
    ends = [message.resolve(p) for p in parties]
    for i, organization in enumerate(message.of_type("Organization")):
        at = f"Organization[{i}].identifier"
        yield from _organisation_numbers(organization, at)
        systems = {text(x, "system") for x in members(organization.get("identifier"))}
        if not systems & _MANDATORY:
            rule = "dk-core-organization-mandatory-identifier"
            yield finding(rule, "an organisation needs a SOR code", at, code="required")
        if not any(organization is e for e in ends):
            continue
        rule = "medcom-messaging-organization"
        if names.SOR not in systems:
            yield finding(rule, "sender and receiver must have a SOR code", at, code="required")
        if not systems & set(GLN_SYSTEMS):
            yield finding(rule, "sender and receiver must have a GLN", at, code="required")


def _organisation_numbers(organization: Resource, at: str) -> Findings:
    for identifier in members(organization.get("identifier")):
        system, value = text(identifier, "system"), text(identifier, "value")
        if system == names.SOR and not is_sor(value):
            yield finding("min-digits-sor", "a SOR code has at least 11 digits", at)
        if system in GLN_SYSTEMS:
            if re.fullmatch(r"[0-9]{13}", value) is None:
                yield finding("gln-length", "a GLN has 13 digits", at)
            elif not is_gln(value):
                yield finding("gln-modulus-10", "the GLN's check digit does not fit", at)


def patient_numbers(message: Message) -> Findings:
    """cpr, x-ecpr and d-ecpr: the number has the form its system asks for."""
    for patient in message.of_type("Patient"):
        found = 0
        for identifier in members(patient.get("identifier")):
            rule = _CITIZEN_NUMBERS.get(text(identifier, "system"))
            if rule is None:
                continue
            found += 1
            if rule[1].fullmatch(text(identifier, "value")) is None:
                what = "the number does not have the form of its system"
                yield finding(rule[0], what, "Patient.identifier", code="value")
        if not found:
            what = "the patient must have a CPR number or a replacement number"
            yield finding("medcom-core-patient", what, "Patient.identifier", code="required")


BASE_RULES: Final[tuple[Rule, ...]] = (
    bundle_rules,
    messaging_1,
    messaging_2,
    references_bundled,
    messaging_3,
    organisations,
    patient_numbers,
)

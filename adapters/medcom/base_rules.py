"""Rules that hold for every MedCom FHIR message: bundle, header, organisations, identifiers.

Each rule is a function from a :class:`Message` to the findings it makes; the text of a finding
starts with the rule's published id, or with the id of the profile whose cardinality it checks.
No finding holds a value of the message. Sources: MedCom Messaging (medcom-messaging-*), MedCom
Core 3.0.1; HL7 Denmark's dk-core is in :mod:`adapters.dk_core`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from adapters.dk_core import (
    GLN_SYSTEMS,
    citizen_numbers,
    finding,
    has_citizen_number,
    mandatory_identifier,
    organisation_numbers,
)
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


def is_instant(value: Any) -> bool:
    """A date and time with seconds and a zone."""
    return isinstance(value, str) and _INSTANT.fullmatch(value) is not None


def is_uuid(value: str) -> bool:
    """``urn:uuid:`` and a lower-case UUID (medcom-uuidv4 does not look at the version)."""
    return _UUID.fullmatch(value) is not None


def is_phone(value: str) -> bool:
    """Digits, with a leading plus and hyphens allowed (medcom-core-contact)."""
    return _PHONE.fullmatch(value) is not None


def findings_of(message: Message, rules: Iterable[Rule]) -> tuple[Issue, ...]:
    """Every finding of the rules, each with its place in the bundle."""
    return tuple(
        replace(issue, expression=message.placed(issue.expression or "Bundle"))
        for rule in rules
        for issue in rule(message)
    )


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
                    message.place_of(resource),
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
        at = f"Organization[{i}]"
        yield from organisation_numbers(organization, at)
        yield from mandatory_identifier(organization, at)
        if any(organization is e for e in ends):
            yield from messaging_organisation(organization, at)


def messaging_organisation(organization: Resource, at: str) -> Findings:
    """medcom-messaging-organization: a SOR code and a GLN."""
    rule, place = "medcom-messaging-organization", f"{at}.identifier"
    systems = {text(x, "system") for x in members(organization.get("identifier"))}
    if names.SOR not in systems:
        yield finding(rule, "sender and receiver must have a SOR code", place, code="required")
    if not systems & set(GLN_SYSTEMS):
        yield finding(rule, "sender and receiver must have a GLN", place, code="required")


def patient_numbers(message: Message) -> Findings:
    """cpr, x-ecpr and d-ecpr: the number has the form its system asks for."""
    for i, patient in enumerate(message.of_type("Patient")):
        at = f"Patient[{i}]"
        yield from citizen_numbers(patient, at)
        if not has_citizen_number(patient):
            what = "the patient must have a CPR number or a replacement number"
            yield finding("medcom-core-patient", what, f"{at}.identifier", code="required")


BASE_RULES: Final[tuple[Rule, ...]] = (
    bundle_rules,
    messaging_1,
    messaging_2,
    references_bundled,
    messaging_3,
    organisations,
    patient_numbers,
)

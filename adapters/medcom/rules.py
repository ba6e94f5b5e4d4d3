"""The invariants and required elements of CareCommunication 5.0, each by its published id.

Numbers 10 and 14 are commented out in the published profile; 14 (a preceding message has a
reference or an identifier) is honoured all the same. Where the published FHIRPath is weaker than
its own description (4, 8, 11, 12), the description is what is checked. Source: CareCommunication
5.0.4, medcomfhir.dk/ig/carecommunication.
"""

from __future__ import annotations

import re
from typing import Any, Final

from adapters.dk_core import finding
from adapters.medcom import urls
from adapters.medcom.base_rules import (
    BASE_RULES,
    Findings,
    Rule,
    findings_of,
    is_phone,
    is_uuid,
)
from adapters.medcom.message import Message, extension, members, part, text
from adapters.medcom.segment_rules import SEGMENT_RULES
from hub.contract import Resource
from hub.errors import Issue
from hub.fhir import names

_DEFINITION: Final = re.compile(
    r"http://medcomfhir\.dk/ig/messagedefinitions/MessageDefinition/"
    r"MedComCareCommunicationMessageDefinition[|]5[.][0-9]{1,2}"
)
_UUID5: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)


def check(message: Message) -> tuple[Issue, ...]:
    """Every finding about a CareCommunication; empty when it keeps all rules."""
    return findings_of(message, RULES)


def number_1(message: Message) -> Findings:
    """medcom-careCommunication-1: the header has the CareCommunication header's profile."""
    if not _declares(message.header, urls.CC_HEADER):
        what = "the first entry must declare the CareCommunication header profile"
        yield finding("medcom-careCommunication-1", what, "MessageHeader.meta.profile")


def number_2(message: Message) -> Findings:
    """medcom-careCommunication-2: exactly one Patient."""
    if len(message.of_type("Patient")) != 1:
        what = "there must be exactly one Patient"
        yield finding("medcom-careCommunication-2", what, "Bundle.entry")


def number_3(message: Message) -> Findings:
    """medcom-careCommunication-3: every Provenance has the CareCommunication profile."""
    for i, provenance in enumerate(message.of_type("Provenance")):
        if not _declares(provenance, urls.CC_PROVENANCE):
            what = "every Provenance must declare the CareCommunication profile"
            yield finding("medcom-careCommunication-3", what, f"Provenance[{i}].meta.profile")


def number_4(message: Message) -> Findings:
    """medcom-careCommunication-4: every Practitioner has a given and a family name."""
    for i, practitioner in enumerate(message.of_type("Practitioner")):
        called = members(practitioner.get("name"))
        if not any(text(n, "family") and _filled(n.get("given")) for n in called):
            what = "a Practitioner must have a given and a family name"
            yield finding("medcom-careCommunication-4", what, f"Practitioner[{i}].name")


def number_5(message: Message) -> Findings:
    """medcom-careCommunication-5: priority only with the category regarding-referral."""
    communication = message.communication
    if "priority" in communication and "regarding-referral" not in _categories(communication):
        what = "priority is allowed only with the category regarding-referral"
        yield finding("medcom-careCommunication-5", what, "Communication.priority")


def number_6(message: Message) -> Findings:
    """medcom-careCommunication-6: the category other needs a topic."""
    communication = message.communication
    if "other" in _categories(communication) and not text(communication, "topic", "text"):
        what = "the category other needs a topic"
        yield finding("medcom-careCommunication-6", what, "Communication.topic")


def number_9(message: Message) -> Findings:
    """medcom-careCommunication-9: an Encounter has an episode-of-care identifier."""
    encounter = part(message.communication, "encounter")
    if not encounter:
        return
    episodes = members(message.resolve(encounter).get("episodeOfCare"))
    if not any(text(e, "identifier", "value") for e in episodes):
        what = "an Encounter must have an episode-of-care identifier"
        yield finding("medcom-careCommunication-9", what, "Encounter.episodeOfCare.identifier")


def number_11(message: Message) -> Findings:
    """medcom-careCommunication-11: the specific sender belongs to the sending organisation."""
    sender = message.resolve(message.header.get("sender"))
    for found in extension(message.communication, urls.SENDER):
        if not _belongs(message, found.get("valueReference"), sender):
            what = "the specific sender must belong to MessageHeader.sender"
            yield finding("medcom-careCommunication-11", what, "Communication.extension")


def number_12(message: Message) -> Findings:
    """medcom-careCommunication-12: the specific recipient belongs to the receiver."""
    destinations = members(message.header.get("destination"))
    receiver = message.resolve(destinations[0].get("receiver")) if destinations else {}
    for found in members(message.communication.get("recipient")):
        if not _belongs(message, found, receiver):
            what = "the specific recipient must belong to MessageHeader.destination.receiver"
            yield finding("medcom-careCommunication-12", what, "Communication.recipient")


def number_13(message: Message) -> Findings:
    """medcom-careCommunication-13: every PractitionerRole refers to a Practitioner."""
    for i, role in enumerate(message.of_type("PractitionerRole")):
        if message.resolve(role.get("practitioner")).get("resourceType") != "Practitioner":
            what = "a PractitionerRole must refer to a Practitioner of the bundle"
            yield finding("medcom-careCommunication-13", what, f"PractitionerRole[{i}]")


def number_15(message: Message) -> Findings:
    """medcom-careCommunication-15: an Encounter is there exactly if it is referred to."""
    encounters = message.of_type("Encounter")
    encounter = part(message.communication, "encounter")
    agree = message.resolve(encounter) in encounters if encounters else not encounter
    if not agree:
        what = "an Encounter must be there exactly if Communication.encounter refers to it"
        yield finding("medcom-careCommunication-15", what, "Communication.encounter")


def definition_url(message: Message) -> Findings:
    """medcom-carecommunication-definition-url: the header names message definition 5.x."""
    if _DEFINITION.fullmatch(text(message.header, "definition")) is None:
        what = "definition must be the CareCommunication message definition, version 5.x"
        yield finding("medcom-carecommunication-definition-url", what, "MessageHeader.definition")


def uuidv4(message: Message) -> Findings:
    """medcom-uuidv4: one Communication.identifier, of the form urn:uuid:…"""
    found = members(message.communication.get("identifier"))
    if len(found) != 1 or not is_uuid(text(found[0], "value")):
        what = "Communication.identifier must be one urn:uuid: in lower case"
        yield finding("medcom-uuidv4", what, "Communication.identifier")


def uuidv5(message: Message) -> Findings:
    """uuidv5: an episode identifier of the national patient register is a version 5 UUID."""
    for encounter in message.of_type("Encounter"):
        for episode in members(encounter.get("episodeOfCare")):
            identifier = part(episode, "identifier")
            if identifier.get("system") == urls.LPR3 and not _UUID5.fullmatch(
                text(identifier, "value")
            ):
                what = "an LPR3 identifier must be urn:uuid: and a version 5 UUID"
                yield finding("uuidv5", what, "Encounter.episodeOfCare.identifier")


def core_contact(message: Message) -> Findings:
    """medcom-core-contact: an author's contact is a telephone number of digits."""
    for i, payload in enumerate(members(message.communication.get("payload"))):
        for found in extension(payload, urls.CONTACT):
            contact = part(found, "valueContactPoint")
            if contact.get("system") != "phone" or not is_phone(text(contact, "value")):
                what = "the author's contact must be a telephone number, + and digits"
                yield finding("medcom-core-contact", what, f"Communication.payload[{i}]")


def header_profile(message: Message) -> Findings:
    """The header: the event, one destination (no copies), one Communication in focus."""
    rule, header = "medcom-careCommunication-messageHeader", message.header
    if message.event != (urls.EVENTS, urls.CC_EVENT):
        yield finding(rule, "the event must be care-communication-message", "MessageHeader.event")
    if len(members(header.get("destination"))) != 1:
        yield finding(rule, "copies are not allowed", "MessageHeader.destination")
    focus = members(header.get("focus"))
    if len(focus) != 1 or message.resolve(focus[0]).get("resourceType") != "Communication":
        yield finding(rule, "the focus must be one Communication", "MessageHeader.focus")


def patient_profile(message: Message) -> Findings:
    """The patient: one official name, with a family name or the reason it is unknown."""
    for patient in message.of_type("Patient"):
        official = [n for n in members(patient.get("name")) if n.get("use") == "official"]
        if len(official) != 1 or not _has_family(official[0]):
            what = "the patient must have one official name with a family name"
            yield finding("medcom-core-patient", what, "Patient.name", code="required")


def _has_family(name: dict[str, Any]) -> bool:
    absent = extension(part(name, "_family"), names.DATA_ABSENT)
    return bool(text(name, "family")) or bool(absent)


def _declares(resource: Resource, profile: str) -> bool:
    found = part(resource, "meta").get("profile")
    # A version may follow the canonical URL.
    return isinstance(found, list) and any(
        isinstance(p, str) and p.split("|")[0] == profile for p in found
    )


def _categories(communication: Resource) -> set[str]:
    return {
        text(coding, "code")
        for concept in members(communication.get("category"))
        for coding in members(concept.get("coding"))
    }


def _filled(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(v, str) and v.strip() for v in value)


def _belongs(message: Message, reference: Any, organization: Resource) -> bool:
    someone = message.resolve(reference)
    unit = someone.get("managingOrganization") or someone.get("organization")
    found = message.resolve(unit)
    return bool(found) and found is organization


RULES: Final[tuple[Rule, ...]] = (
    *BASE_RULES,
    header_profile,
    number_1,
    number_2,
    number_3,
    number_4,
    number_5,
    number_6,
    number_9,
    number_11,
    number_12,
    number_13,
    number_15,
    definition_url,
    uuidv4,
    uuidv5,
    core_contact,
    patient_profile,
    *SEGMENT_RULES,
)

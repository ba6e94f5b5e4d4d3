"""The MedCom profiles whose rules are in code here (entry point group ``ki_hub.profiles``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from adapters.dk_core import mandatory_identifier, organisation_numbers
from adapters.medcom import ack_rules, rules, urls
from adapters.medcom.base_rules import messaging_organisation, patient_numbers
from adapters.medcom.message import Message
from hub.capabilities import CodedProfile
from hub.contract import Resource
from hub.errors import Issue


def care_communication(bundle: Resource) -> Sequence[Issue]:
    """medcom-careCommunication-message: every rule of the message and its parts."""
    return rules.check(Message(bundle))


def acknowledgement(bundle: Resource) -> Sequence[Issue]:
    """medcom-messaging-acknowledgement: every rule of the message and its parts."""
    return ack_rules.check(Message(bundle))


def patient(resource: Resource) -> Sequence[Issue]:
    """medcom-core-patient, standing alone: numbers and the official name."""
    alone = Message({"entry": [{"resource": resource}]})
    return _alone([*patient_numbers(alone), *rules.patient_profile(alone)], "Patient")


def organization(resource: Resource) -> Sequence[Issue]:
    """medcom-messaging-organization, standing alone: SOR and GLN, each of its form."""
    at = "Organization"
    return [
        *organisation_numbers(resource, at),
        *mandatory_identifier(resource, at),
        *messaging_organisation(resource, at),
    ]


def _alone(found: Iterable[Issue], kind: str) -> list[Issue]:
    """The places of a resource that is in no message."""
    return [
        Issue(i.severity, i.code, i.text, str(i.expression).replace(f"{kind}[0]", kind), i.text_da)
        for i in found
    ]


_SHARED: Final = frozenset(
    {urls.PATIENT, urls.PRACTITIONER, urls.PRACTITIONER_ROLE, urls.ORGANIZATION, urls.PROVENANCE}
)
PROFILES: Final = (
    CodedProfile(
        urls.CC_MESSAGE,
        "Bundle",
        care_communication,
        _SHARED | {urls.CC_HEADER, urls.CC_COMMUNICATION, urls.CC_PROVENANCE},
    ),
    CodedProfile(
        urls.ACK_MESSAGE, "Bundle", acknowledgement, _SHARED | {urls.ACK_HEADER, urls.ACK_OUTCOME}
    ),
    CodedProfile(urls.PATIENT, "Patient", patient),
    CodedProfile(urls.ORGANIZATION, "Organization", organization),
)
"""Messages with their parts, and the two parts that have rules of their own."""

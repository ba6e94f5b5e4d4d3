"""The rules of MedCom Acknowledgement 2.0, each by its published id.

Source: Acknowledgement 2.0.3 (medcom-acknowledgement-1, -2) and MedCom Messaging's rules on
reliable messaging (KR2: an acknowledgement is never acknowledged).
"""

from __future__ import annotations

from typing import Final

from adapters.dk_core import finding
from adapters.medcom import codes, urls
from adapters.medcom.base_rules import BASE_RULES, Findings, Rule, findings_of
from adapters.medcom.message import Message, activity_of, members, part, text
from hub.contract import Resource
from hub.errors import Issue


def check(message: Message) -> tuple[Issue, ...]:
    """Every finding about an Acknowledgement; empty when it keeps all rules."""
    return findings_of(message, RULES)


def acknowledges_acknowledgement(message: Message) -> bool:
    """The message it answers was itself an acknowledgement, says the copied Provenance."""
    current = message.current_provenance()
    others = [p for p in message.of_type("Provenance") if p not in current]
    return any(activity_of(p) == "acknowledgement" for p in others)


def number_1(message: Message) -> Findings:
    """medcom-acknowledgement-1: a code other than ok comes with an OperationOutcome."""
    response = part(message.header, "response")
    if response.get("code") == "ok":
        return
    outcome = message.resolve(response.get("details"))
    if outcome.get("resourceType") != "OperationOutcome" or not members(outcome.get("issue")):
        what = "a code other than ok needs an OperationOutcome with an issue"
        yield finding("medcom-acknowledgement-1", what, "MessageHeader.response.details")


def number_2(message: Message) -> Findings:
    """medcom-acknowledgement-2: the header has the acknowledgement header's profile."""
    rule, header = "medcom-acknowledgement-2", message.header
    profiles = part(header, "meta").get("profile")
    found = profiles if isinstance(profiles, list) else []
    if not any(isinstance(p, str) and p.split("|")[0] == urls.ACK_HEADER for p in found):
        what = "the first entry must declare the acknowledgement header profile"
        yield finding(rule, what, "MessageHeader.meta.profile")
    if message.event != (urls.EVENTS, urls.ACK_EVENT):
        yield finding(rule, "the event must be acknowledgement-message", "MessageHeader.event")
    if len(members(header.get("destination"))) != 1:
        yield finding(rule, "copies are not allowed", "MessageHeader.destination")
    if not text(header, "response", "identifier"):
        what = "the response must name the message it answers"
        at = "MessageHeader.response.identifier"
        yield finding(rule, what, at, code="required")
    if (urls.RESPONSES, text(header, "response", "code")) not in codes.known("response"):
        what = "the response code must be ok, transient-error or fatal-error"
        yield finding(rule, what, "MessageHeader.response.code", code="code-invalid")


def two_provenances(message: Message) -> Findings:
    """One Provenance copied from the message answered, one about the answer itself."""
    rule = "medcom-messaging-acknowledgement"
    found, current = message.of_type("Provenance"), message.current_provenance()
    if len(found) != 2 or len(current) != 1:
        what = "there must be two Provenances, one of the message answered and one of the answer"
        yield finding(rule, what, "Bundle.entry")
        return
    if activity_of(current[0]) != "acknowledgement":
        what = "the answer's own Provenance must have the activity acknowledgement"
        yield finding(rule, what, "Provenance.activity", code="code-invalid")
    of = text(message.header, "response", "identifier")
    if of not in _revised(current[0]):
        what = "the answer's own Provenance must name the message answered"
        yield finding(rule, what, "Provenance.entity")


def _revised(provenance: Resource) -> set[str]:
    return {
        text(e, "what", "reference").rsplit("/", 1)[-1]
        for e in members(provenance.get("entity"))
        if e.get("role") == "revision"
    }


# An acknowledgement has no patient: the rule about patients says nothing when there is none.
RULES: Final[tuple[Rule, ...]] = (*BASE_RULES, number_1, number_2, two_provenances)

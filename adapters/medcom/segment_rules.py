"""Rules about a CareCommunication's segments (payloads) and about who added which, and when.

Numbers 7, 8 and 14 of the published invariants, medcom-uuidv4 on the segments, the required
elements of Communication and Provenance, and the agreement between a message's new segments and
its Provenance. Source: CareCommunication 5.0.4 and its send protocol 5.0.2.
"""

from __future__ import annotations

from typing import Any, Final

from adapters.dk_core import finding
from adapters.medcom import codes, urls
from adapters.medcom.base_rules import Findings, Rule, is_instant, is_uuid
from adapters.medcom.message import (
    Message,
    activity_of,
    extension,
    members,
    part,
    payload_id,
    source_ids,
    text,
)
from hub.contract import Resource

_COMMUNICATION: Final = "medcom-careCommunication-communication"
_PROVENANCE: Final = "medcom-careCommunication-provenance"
_ACTIVITIES: Final = frozenset({"new-message", "reply-message", "forward-message"})


def number_7(message: Message) -> Findings:
    """medcom-careCommunication-7: an author's role is a code or a text, not both."""
    for i, role in _authors(message):
        concepts = members(role.get("code"))
        coded = any(text(c, "code") for x in concepts for c in members(x.get("coding")))
        spoken = any(text(x, "text") for x in concepts)
        if coded == spoken:
            what = "the author's role must be a code or a text, not both and not neither"
            yield finding("medcom-careCommunication-7", what, f"Communication.payload[{i}]")


def number_8(message: Message) -> Findings:
    """medcom-careCommunication-8: an author's Practitioner has a name."""
    for i, role in _authors(message):
        called = members(message.resolve(role.get("practitioner")).get("name"))
        if not any(text(n, "family") or text(n, "text") or n.get("given") for n in called):
            what = "the author must have a name"
            yield finding("medcom-careCommunication-8", what, f"Communication.payload[{i}]")


def number_14(message: Message) -> Findings:
    """medcom-careCommunication-14: a preceding message has a reference or an identifier."""
    for i, provenance in enumerate(message.of_type("Provenance")):
        for entity in _revisions(provenance):
            what = part(entity, "what")
            if not text(what, "reference") and not text(what, "identifier", "value"):
                rule = "medcom-careCommunication-14"
                said = "a preceding message must be named by reference or identifier"
                yield finding(rule, said, f"Provenance[{i}].entity")


def segment_identifiers(message: Message) -> Findings:
    """medcom-uuidv4: every segment has its own identifier of the form urn:uuid:…"""
    payloads = members(message.communication.get("payload"))
    found = [payload_id(p) for p in payloads]
    for i, value in enumerate(found):
        if not is_uuid(value) or found.count(value) > 1:
            what = "a segment's identifier must be an urn:uuid: of its own, in lower case"
            yield finding("medcom-uuidv4", what, f"Communication.payload[{i}]")


def communication_profile(message: Message) -> Findings:
    """Status, category, subject, topic and at least one text segment."""
    communication = message.communication
    if communication.get("status") != "unknown":
        yield finding(_COMMUNICATION, "status must be unknown", "Communication.status")
    concepts = members(communication.get("category"))
    codings = [c for x in concepts for c in members(x.get("coding"))]
    if len(concepts) != 1 or len(codings) != 1:
        yield finding(_COMMUNICATION, "there must be one category", "Communication.category")
    elif (text(codings[0], "system"), text(codings[0], "code")) not in codes.known("category"):
        what = "the category must be in the published value set"
        yield finding(_COMMUNICATION, what, "Communication.category", code="code-invalid")
    if message.resolve(communication.get("subject")).get("resourceType") != "Patient":
        what = "the subject must be the Patient of the bundle"
        yield finding(_COMMUNICATION, what, "Communication.subject")
    if "topic" in communication and not text(communication, "topic", "text"):
        yield finding(_COMMUNICATION, "a topic must be text", "Communication.topic.text")
    if len(members(communication.get("recipient"))) > 1:
        yield finding(_COMMUNICATION, "there is at most one recipient", "Communication.recipient")
    if not any(text(p, "contentString").strip() for p in members(communication.get("payload"))):
        what = "there must be a segment with text"
        yield finding(_COMMUNICATION, what, "Communication.payload", code="required")


def segments_profile(message: Message) -> Findings:
    """What each segment must carry beside its content: date, identifier, author, contact."""
    new = _new_ids(message)
    for i, payload in enumerate(members(message.communication.get("payload"))):
        at = f"Communication.payload[{i}]"
        dates = extension(payload, urls.DATE)
        if len(dates) != 1 or not is_instant(dates[0].get("valueDateTime")):
            yield finding(_COMMUNICATION, "a segment needs one date, with a zone", at)
        found = extension(payload, urls.IDENTIFIER)
        assigner = part(found[0], "valueIdentifier").get("assigner") if found else None
        if message.resolve(assigner).get("resourceType") != "Organization":
            yield finding(_COMMUNICATION, "a segment's identifier needs its assigner", at)
        if "contentString" in payload:
            yield from _text_segment(message, payload, at)
        else:
            yield from _attachment(payload, at, is_new=payload_id(payload) in new)


def _text_segment(message: Message, payload: dict[str, Any], at: str) -> Findings:
    authors = extension(payload, urls.AUTHOR)
    role = message.resolve(authors[0].get("valueReference")) if len(authors) == 1 else {}
    if role.get("resourceType") != "PractitionerRole":
        yield finding(_COMMUNICATION, "a text segment needs one author", at, code="required")
    if len(extension(payload, urls.CONTACT)) != 1:
        what = "a text segment needs its author's telephone number"
        yield finding(_COMMUNICATION, what, at, code="required")


def _attachment(payload: dict[str, Any], at: str, *, is_new: bool) -> Findings:
    attachment = part(payload, "contentAttachment")
    if not text(attachment, "title"):
        what = "an attachment needs a title"
        yield finding(_COMMUNICATION, what, f"{at}.contentAttachment.title", code="required")
    data, url = attachment.get("data"), attachment.get("url")
    if is_new and not data and not url:
        what = "a new attachment needs its content or a link"
        yield finding(_COMMUNICATION, what, f"{at}.contentAttachment", code="required")
    if data and attachment.get("contentType") not in urls.MIME_TYPES:
        what = "an attachment must be a PDF or one of the listed image types"
        yield finding(_COMMUNICATION, what, f"{at}.contentAttachment", code="code-invalid")


def attachments_once(message: Message) -> Findings:
    """A reply names the earlier attachments but sends neither their content nor their link."""
    if message.activity != "reply-message":
        return
    new = _new_ids(message)
    for i, payload in enumerate(members(message.communication.get("payload"))):
        attachment = part(payload, "contentAttachment")
        if payload_id(payload) not in new and ("data" in attachment or "url" in attachment):
            what = "a reply must not repeat an earlier attachment's content"
            yield finding(_COMMUNICATION, what, f"Communication.payload[{i}]", code="business-rule")


def provenance_profile(message: Message) -> Findings:
    """Each Provenance: its activity, at most one preceding message, at least one segment."""
    if len(message.current_provenance()) != 1:
        what = "exactly one Provenance must have this message as its target"
        yield finding(_PROVENANCE, what, "Provenance.target")
    for i, provenance in enumerate(message.of_type("Provenance")):
        at = f"Provenance[{i}]"
        activity = activity_of(provenance)
        if activity not in _ACTIVITIES:
            what = "the activity must be new, reply or forward"
            yield finding(_PROVENANCE, what, f"{at}.activity", code="code-invalid")
        revisions = len(_revisions(provenance))
        if revisions > 1 or (activity == "new-message" and revisions):
            what = "a new message follows none, a reply or forward follows one"
            yield finding(_PROVENANCE, what, f"{at}.entity")
        if activity in {"reply-message", "forward-message"} and not revisions:
            what = "a reply or forward must name the message it follows"
            yield finding(_PROVENANCE, what, f"{at}.entity", code="required")
        if not source_ids(provenance):
            yield finding(_PROVENANCE, "a source segment must be named", f"{at}.entity")


def provenance_segments(message: Message) -> Findings:
    """The segments that Provenances name, and the segments that are there, agree."""
    ids = {payload_id(p) for p in members(message.communication.get("payload"))}
    new = _new_ids(message)
    if not new <= ids:
        what = "this message's Provenance names a segment that is not there"
        yield finding(_PROVENANCE, what, "Provenance.entity")
    if any(text(e, "what", "identifier", "value") for e in _current_revisions(message)):
        return  # A thread begun in an older standard has segments that no Provenance names.
    named = {x for p in message.of_type("Provenance") for x in source_ids(p)}
    if not ids <= (new if message.activity == "new-message" else named):
        what = "every segment must be named by a Provenance"
        yield finding(_PROVENANCE, what, "Provenance.entity")


def _authors(message: Message) -> list[tuple[int, Resource]]:
    found = []
    for i, payload in enumerate(members(message.communication.get("payload"))):
        for author in extension(payload, urls.AUTHOR):
            found.append((i, message.resolve(author.get("valueReference"))))
    return found


def _revisions(provenance: Resource) -> list[dict[str, Any]]:
    return [e for e in members(provenance.get("entity")) if e.get("role") == "revision"]


def _current_revisions(message: Message) -> list[dict[str, Any]]:
    return [e for p in message.current_provenance() for e in _revisions(p)]


def _new_ids(message: Message) -> set[str]:
    return {x for p in message.current_provenance() for x in source_ids(p)}


SEGMENT_RULES: Final[tuple[Rule, ...]] = (
    number_7,
    number_8,
    number_14,
    segment_identifiers,
    communication_profile,
    segments_profile,
    attachments_once,
    provenance_profile,
    provenance_segments,
)

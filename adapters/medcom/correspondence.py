"""A CareCommunication from a person, such as a GP's reply, read as Correspondence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from adapters.medcom.acknowledgement import SENDER, sender_of
from adapters.medcom.message import Message, members, payload_id, source_ids, text
from adapters.medcom.narrative import clean
from adapters.medcom.parts import sor_of
from adapters.medcom.rules import check
from adapters.medcom.thread import state_of
from hub.contract import CitizenRef, Correspondence, Identifier
from hub.errors import Invalid
from hub.fhir.validation import unknown_codes

SEPARATOR: Final = "\n\n"
_Kind = Literal["new", "reply", "forward"]
_KINDS: Final[dict[str, _Kind]] = {
    "reply-message": "reply",
    "forward-message": "forward",
}


def correspondence(message: Message) -> Correspondence:
    """What was written, and in which thread; raises Invalid with every finding.

    A reply repeats the thread's earlier segments; only those its own Provenance adds are read.
    ``in_reply_to`` is the thread, Communication.identifier; a new or forwarded message begins a
    thread and has none.
    """
    issues = (*check(message), *unknown_codes(message.bundle))
    if issues:
        raise Invalid("The message breaks MedCom's rules; see the issues", issues=issues)
    thread = text(members(message.communication.get("identifier"))[0], "value")
    kind: _Kind = _KINDS.get(message.activity, "new")
    destination = members(message.header.get("destination"))[0]
    ours = sor_of(message.resolve(destination.get("receiver")))
    return Correspondence(
        in_reply_to=thread if kind == "reply" else None,
        text=SEPARATOR.join(_spoken(message)),
        claimed_sender=sender_of(message),
        claimed_at=SENDER,
        kind=kind,
        citizen=CitizenRef(_numbers(message)),
        # What cannot be repeated ends the thread: an empty state is continued by nobody.
        thread=(state_of(message, ours=ours) or {"payloads": []}) if kind == "reply" else None,
    )


def _numbers(message: Message) -> tuple[Identifier, ...]:
    found = members(message.of_type("Patient")[0].get("identifier"))
    return tuple(Identifier(text(i, "system"), text(i, "value")) for i in found)


def _spoken(message: Message) -> Iterator[str]:
    is_reply = message.activity == "reply-message"
    added = {x for p in message.current_provenance() for x in source_ids(p)}
    for payload in members(message.communication.get("payload")):
        if is_reply and payload_id(payload) not in added:
            continue
        if "contentString" in payload:
            yield clean(text(payload, "contentString")).strip()
        else:
            title = text(payload, "contentAttachment", "title")
            yield f"[Vedhæftet: {clean(title)}]"

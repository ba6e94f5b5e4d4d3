"""Reliable messaging: what a message calls itself, how it is answered, and how it is sent again.

Source: MedCom governance on reliable messaging (KR1, KR2, KR5, MR7, MR8). A resend has a new
Bundle.id and new times, and the same MessageHeader.id and content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

from adapters.medcom import parts
from adapters.medcom.acknowledgement import acknowledge
from adapters.medcom.assemble import MEDIA_TYPE
from adapters.medcom.message import Message, text
from adapters.medcom.narrative import with_narrative
from hub.capabilities import MessageNames
from hub.contract import Context, RawMessage, Rendered, Resource
from hub.errors import HubError, InputRefused, Issue
from hub.fhir.codec import dump_json, parse_json

_LONGEST_ID: Final = 255
"""Characters; FHIR allows 64, and some systems make longer ones."""
_CODES: Final = {"ok": "ok", "transient": "transient-error", "permanent": "fatal-error"}
_DETAILS: Final = {"duplicate": "MSG_DUPLICATE_ID", "code-invalid": "MSG_VALUESET_VALUE_UNKNOWN"}
"""FHIR issue type to MedCom's code, where it has one; else what the answer has by default."""


def names(body: bytes) -> MessageNames | None:
    """Bundle.id and MessageHeader.id; None unless both are there."""
    try:
        message = Message(parse_json(body))
    except InputRefused:
        return None
    found = text(message.bundle, "id"), text(message.header, "id")
    if not all(0 < len(x) <= _LONGEST_ID and x.isprintable() for x in found):
        return None
    return MessageNames(*found)


def answer(
    message: RawMessage,
    outcome: Literal["ok", "transient", "permanent"],
    issues: Sequence[Issue],
    context: Context,
) -> Rendered | None:
    """The Acknowledgement; None for an acknowledgement, and for what does not say whom to answer.

    Whoever cannot be answered by the rules is told by the channel that the message came by.
    """
    detail = next((_DETAILS[i.code] for i in issues if i.code in _DETAILS), None)
    try:
        made = acknowledge(
            parse_json(message.body), code=_CODES[outcome], now=context.now,
            id_for=context.id_for, detail=detail if outcome == "permanent" else None,
            issues=issues if outcome == "permanent" else (), base_url=context.base_url,
        )  # fmt: skip
    except HubError:
        return None
    return Rendered(dump_json(made), MEDIA_TYPE, message_id=made["entry"][0]["resource"]["id"])


def again(body: bytes, *, now: datetime, id_for: Callable[[str], str]) -> bytes:
    """The message with a new Bundle.id, Bundle.timestamp and times of its own Provenance (MR7)."""
    bundle = parse_json(body)
    at = parts.instant(now)
    mine = Message(bundle).current_provenance()

    def resent(resource: Resource) -> Resource:
        if not any(resource is p for p in mine):
            return resource
        return with_narrative(resource | {"occurredDateTime": at, "recorded": at})

    entries = [e | {"resource": resent(e["resource"])} for e in bundle["entry"]]
    number = id_for(f"bundle/{now.isoformat()}")
    return dump_json(bundle | {"id": number, "timestamp": at, "entry": entries})

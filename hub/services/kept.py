"""The operator's look at the kept bytes of a document that could not be understood.

Breaking the glass: every look has a name and a reason, and both are committed to the audit trail
before a byte is shown. What is sealed, applied or still to be processed is not there to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from hub.errors import Invalid, NotFound
from hub.fhir.numbers import names_a_citizen
from hub.model.party import Viewer
from hub.model.records import InboxState
from hub.services.hub import Hub
from hub.services.overview import for_operators
from hub.services.queries import the_one
from hub.services.received import Received

TO_BE_SEEN: Final[frozenset[InboxState]] = frozenset({"refused", "set-aside", "unattached"})
"""States of a document that a person may have to read, because the hub could not."""
LONGEST_REASON: Final = 500
"""Characters."""


@dataclass(frozen=True)
class KeptBytes:
    """The bytes as they came, and a file name that says nothing of them."""

    body: bytes
    name: str


def look(hub: Hub, viewer: Viewer, item_id: str, *, reason: str) -> KeptBytes:
    """The bytes, once the look is committed to the audit trail.

    Raises Invalid without a reason that can be kept, NotFound for any other document, and for one
    whose bytes have been deleted.
    """
    for_operators(viewer)
    why = kept_reason(reason)
    with hub.store.writing() as work:
        item = work.inbox.get(item_id, viewer)
        if item is None or item.state not in TO_BE_SEEN or item.body is None:
            raise NotFound("No such message has content that may be seen")
        work.journal.audit(
            hub.clock(), viewer.id, "break-glass", f"inbox/{item.id}", party=item.sender, detail=why
        )
        work.commit()
    return KeptBytes(item.body, f"message-{item.id[:8]}.bin")


def kept_reason(reason: str) -> str:
    """A person's reason as the audit trail keeps it; raises Invalid for none, and for one that
    names a citizen."""
    why = reason.strip()
    if not why or len(why) > LONGEST_REASON:
        text = f"Say why, in at most {LONGEST_REASON} characters"
        raise Invalid(text, at="reason")
    if names_a_citizen(why):
        raise Invalid("Say why without a citizen's number; the audit trail keeps it", at="reason")
    return why


def whole_message_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The id of the message that begins so, as tables show it; NotFound, or Invalid for several."""
    for_operators(viewer)
    with hub.store.reading() as work:
        return the_one(work.inbox.beginning(beginning), "message")


def message_row(message: Received) -> dict[str, Any]:
    """A received document and the hub's answer, nothing of what it holds."""
    return {
        "message": message.id,
        "sender": message.sender,
        "state": message.state,
        "format": message.format,
        "channel": message.channel,
        "status": message.status,
        "plan": message.plan_id,
        "version": message.plan_version,
        "received_at": message.received_at.isoformat(),
        "answer": message.issues[0].text if message.issues else None,
        "issues": [
            {"severity": i.severity, "code": i.code, "text": i.text, "at": i.expression}
            for i in message.issues
        ],
    }

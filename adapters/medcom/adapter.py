"""The adapter: which message it is, and who reads or makes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.medcom import build, codes, urls
from adapters.medcom.acknowledgement import receipt
from adapters.medcom.correspondence import correspondence
from adapters.medcom.message import Message, fingerprint
from adapters.medcom.text import LINES
from hub.contract import Context, Notice, Parsed, Party, PlanView, RawMessage, Receipt, Rendered
from hub.errors import Invalid, Malformed, Unsupported
from hub.fhir.codec import parse_json
from hub.mapping import mappings_folder
from hub.mapping.source import SourceElement

_VALUE: Final = (SourceElement("value", needed=True),)
_RECORDS: Final = {
    "party": tuple(SourceElement(n, needed=True) for n in ("sor", "gln", "name")),
    "citizen": (SourceElement("identifier", repeats=True, children=lambda: _VALUE),),
    "text": tuple(SourceElement(line) for line in LINES),
}
"""A party of the hub, the citizen's numbers, and the lines of the message's text."""

_EVENTS: Final = (f"{urls.EVENTS}|{urls.ACK_EVENT}", f"{urls.EVENTS}|{urls.CC_EVENT}")


class MedComAdapter:
    """MedCom CareCommunication 5.0 and Acknowledgement 2.0, as JSON.

    Out: a plan copy with its PDF, a notice as text. In: an Acknowledgement as Receipt, a
    CareCommunication as Correspondence.
    """

    format: str = codes.FORMAT
    media_types: tuple[str, ...] = (build.MEDIA_TYPE, "application/json")
    events: tuple[str, ...] = _EVENTS
    tables = mappings_folder(codes.FORMAT)
    local: frozenset[str] = frozenset()

    def elements(self, record: str) -> Sequence[SourceElement]:
        """Of the records that the tables are of; KeyError for none."""
        return _RECORDS[record]

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for a message and its resend (MR7): see :func:`message.fingerprint`."""
        return fingerprint(message.body)

    def parse(self, message: RawMessage, context: Context) -> Parsed:
        """A Receipt or a Correspondence; Malformed, Unsupported or Invalid with all issues."""
        bundle = parse_json(message.body)
        if bundle.get("resourceType") != "Bundle":
            if not isinstance(bundle.get("resourceType"), str):
                raise Malformed("Not a FHIR resource; send a message Bundle", at="resourceType")
            raise Unsupported("Only a message Bundle is read here", at="resourceType")
        received = Message(bundle)
        if not received.header:
            raise Invalid(
                "medcom-messaging-1: the first entry must be a MessageHeader", at="Bundle.entry[0]"
            )
        if received.event == (urls.EVENTS, urls.ACK_EVENT):
            return receipt(received)
        if received.event == (urls.EVENTS, urls.CC_EVENT):
            return correspondence(received)
        raise Unsupported(
            "Only CareCommunication and Acknowledgement are read here",
            at="Bundle.entry[0].resource.eventCoding",
        )

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The receiver's message, or CannotRender; Unsupported for a Receipt.

        A Receipt does not hold what an Acknowledgement must: the answered message's
        organisations and its latest Provenance. Whoever has the received message makes the
        answer with :func:`acknowledgement.acknowledge`.
        """
        if isinstance(content, PlanView):
            return build.plan_copy(content, receiver, context)
        if isinstance(content, Notice):
            return build.notice(content, receiver, context)
        raise Unsupported(
            "An Acknowledgement repeats the answered message's Provenance, which a receipt does "
            "not hold; it is made from the received message",
            at="Receipt",
        )

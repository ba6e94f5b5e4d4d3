"""The adapter: which message it is, and who reads or makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from adapters.medcom import build, codes, reliable, urls
from adapters.medcom.acknowledgement import receipt
from adapters.medcom.assemble import MEDIA_TYPE
from adapters.medcom.correspondence import correspondence
from adapters.medcom.message import Message, fingerprint
from adapters.medcom.options import options_of
from adapters.medcom.text import LINES
from hub.capabilities import MessageNames, Patience
from hub.contract import Context, Notice, Parsed, Party, PlanView, RawMessage, Receipt, Rendered
from hub.errors import Invalid, Issue, Malformed, Unsupported
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

    Out: a plan copy with its PDF, a notice as text, an Acknowledgement of what came in. In: an
    Acknowledgement as Receipt, a CareCommunication as Correspondence.
    """

    format: str = codes.FORMAT
    notices = True
    media_types: tuple[str, ...] = (MEDIA_TYPE, "application/json")
    events: tuple[str, ...] = _EVENTS
    tables = mappings_folder(codes.FORMAT)
    local: frozenset[str] = frozenset()
    readers: Mapping[str, Callable[..., object]] = MappingProxyType(
        {"Receipt": receipt, "Correspondence": correspondence}
    )

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
        organisations and its latest Provenance. :meth:`answer` makes it from the message.
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

    def names(self, body: bytes) -> MessageNames | None:
        """Bundle.id and MessageHeader.id."""
        return reliable.names(body)

    def answer(
        self,
        message: RawMessage,
        outcome: Literal["ok", "transient", "permanent"],
        issues: Sequence[Issue],
        context: Context,
    ) -> Rendered | None:
        """The Acknowledgement of a CareCommunication; see :func:`reliable.answer`."""
        return reliable.answer(message, outcome, issues, context)

    def again(self, body: bytes, *, now: datetime, id_for: Callable[[str], str]) -> bytes:
        """The same message in a new envelope (MR7)."""
        return reliable.again(body, now=now, id_for=id_for)

    def patience(self, options: Mapping[str, str]) -> Patience:
        """Thirty minutes and two resends, unless the subscription says otherwise."""
        return options_of(options).patience

    def check_options(self, options: Mapping[str, str]) -> None:
        """Raises Invalid for an unknown option, and for a category that would disclose."""
        options_of(options)

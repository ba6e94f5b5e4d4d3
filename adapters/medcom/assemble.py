"""Put a CareCommunication together: alone, or as a reply in the thread that the receiver knows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from adapters.medcom import narrative as narratives
from adapters.medcom import parts, urls
from adapters.medcom.message import Message, members, text
from adapters.medcom.options import Options
from adapters.medcom.rules import check
from adapters.medcom.thread import Thread, state_of, to_continue, without
from hub.contract import Context, Party, Rendered, Resource
from hub.errors import CannotRender, Issue
from hub.fhir.codec import dump_json

MEDIA_TYPE: Final = "application/fhir+json"
TEXT_LIMIT: Final = 1024 * 1024
"""Characters in a FHIR string (R4, datatypes)."""

Contents = list[dict[str, Any]]
"""One ``content[x]`` element for each new segment."""


@dataclass(frozen=True)
class Author:
    """Who signs, and about whom; what a later notice needs of the thread."""

    citizen: Resource
    person: Resource
    title: str
    phone: str


def in_thread(
    contents: Contents, author: Author, receiver: Party, context: Context, *, options: Options,
    scope: str,
) -> Rendered:  # fmt: skip
    """A reply to the latest message of the thread where that is allowed, else a new thread."""
    known = to_continue(
        context.thread,
        may_repeat=context.may_repeat,
        sender=parts.sor_of(parts.organization(context.sender, "", role="sender")),
        receiver=parts.sor_of(parts.organization(receiver, "", role="receiver")),
    )
    if known is not None:
        # What the other side wrote may be such that the rules forbid to repeat it; what the plan
        # itself breaks is found again below.
        with suppress(CannotRender):
            return message(
                contents, author, receiver, context, options=options, scope=scope, thread=known
            )
    return message(contents, author, receiver, context, options=options, scope=scope)


def message(
    contents: Contents, author: Author, receiver: Party, context: Context, *, options: Options,
    scope: str, thread: Thread | None = None,
) -> Rendered:  # fmt: skip
    """The message: a reply in ``thread``, else the first of a new one; raises CannotRender."""
    cast = _Cast(author, receiver, context, scope, thread)
    numbers = [f"urn:uuid:{cast.new(f'payload-{i}')}" for i, _ in enumerate(contents, 1)]
    payloads = [
        parts.segment(
            content, number=number, now=context.now, author=cast.role, phone=author.phone,
            assigner=cast.sending,
        )
        for content, number in zip(contents, numbers, strict=True)
    ]  # fmt: skip
    communication = parts.communication(
        [*(thread.payloads if thread else ()), *payloads], cast.citizen,
        number=cast.new("communication-resource"),
        thread=thread.communication if thread else f"urn:uuid:{cast.new('communication')}",
        category=options.category, topic=options.topic,
        recipient=thread.addressee if thread else None,
        encounter=thread.encounter if thread else None,
    )  # fmt: skip
    header = parts.header(
        cast.sending, cast.receiving, number=cast.new("message-header"), event=urls.CC_EVENT
    )
    header["focus"] = [parts.reference(communication)]
    entities = [{"role": "source", "what": {"identifier": {"value": n}}} for n in numbers]
    if thread is not None:
        before = {"reference": f"MessageHeader/{thread.message}"}
        entities.append({"role": "revision", "what": before})
    provenance = parts.provenance(
        header, cast.sending, number=cast.new("provenance"), now=context.now,
        activity="reply-message" if thread else "new-message", entities=entities,
    )  # fmt: skip
    people = [cast.sending, cast.receiving, cast.role, cast.person]
    earlier = without(thread.resources, people) if thread else []
    made = parts.bundle(
        (header, communication, cast.citizen, *people, provenance, *earlier),
        number=cast.new("bundle"), now=context.now, base=context.base_url, profile=urls.CC_MESSAGE,
    )  # fmt: skip
    ensure(made, check(Message(made)))
    return _rendered(made, cast, author, thread)


class _Cast:
    """Everyone a message names; whom the thread knows keeps the id it has there."""

    def __init__(
        self, author: Author, receiver: Party, context: Context, scope: str, thread: Thread | None
    ) -> None:
        self._context, self._scope, self._thread = context, scope, thread
        self.sending = self._unit(context.sender, "sender")
        self.receiving = self._unit(receiver, "receiver")
        number = thread.patient if thread else self.new("patient")
        self.citizen = author.citizen | {"id": number}
        if thread is not None:
            self.citizen["identifier"] = _every(self.citizen["identifier"], thread.identifiers)
        self.person = self._known(author.person | {"id": self.new("practitioner")})
        role = parts.practitioner_role(
            author.title, self.person, self.sending, self.new("practitioner-role")
        )
        self.role = self._known(role)

    def new(self, key: str) -> str:
        """An id of this message's own."""
        return self._context.id_for(f"{self._scope}/{key}")

    def _unit(self, party: Party, role: str) -> Resource:
        made = parts.organization(party, self.new(role), role=role)
        known = self._thread.unit(parts.sor_of(made)) if self._thread else None
        return made | {"id": known} if known else made

    def _known(self, resource: Resource) -> Resource:
        return (self._thread.same(resource) if self._thread else None) or resource


def _every(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A reply names every number of the citizen that the thread has had."""
    known = {(i["system"], i["value"]) for i in ours}
    more = [i for i in theirs if (text(i, "system"), text(i, "value")) not in known]
    return [*ours, *more]


def _rendered(made: Resource, cast: _Cast, author: Author, thread: Thread | None) -> Rendered:
    sent = Message(made)
    state = state_of(sent, ours=parts.sor_of(cast.sending))
    # A later notice names the citizen, and is signed by the same person.
    about = {
        "patient": cast.citizen, "practitioner": cast.person, "title": author.title,
        "phone": author.phone,
    }  # fmt: skip
    return Rendered(
        dump_json(made),
        MEDIA_TYPE,
        message_id=sent.header["id"],
        thread=(state or {}) | {"about": about},
        thread_key=text(members(sent.communication.get("identifier"))[0], "value"),
        repeats=thread is not None,
    )


def ensure(made: Resource, issues: tuple[Issue, ...]) -> None:
    """Raise CannotRender with every finding about a message that is about to be sent."""
    sent = Message(made)
    found = [*issues, *(i for r in sent.resources for i in narratives.check(r))]
    payloads = members(sent.communication.get("payload"))
    if any(len(text(p, "contentString")) > TEXT_LIMIT for p in payloads):
        what = "the plan's text is longer than a FHIR string may be"
        found.append(Issue("error", "too-long", what, "Communication.payload"))
    if found:
        raise CannotRender(
            "The message made from this plan breaks MedCom's rules; see the issues",
            issues=tuple(found),
        )

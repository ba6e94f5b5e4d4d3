"""Build a CareCommunication: a plan copy with its PDF, or a notice as text alone.

Source: CareCommunication 5.0.4. Every version of a plan, and every notice, is a new message in a
thread of its own: a reply would have to repeat the earlier text, which is wrong for a revised
plan and unlawful for a notice that consent was withdrawn.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.medcom import codes, parts, urls
from adapters.medcom import narrative as narratives
from adapters.medcom.losses import losses
from adapters.medcom.message import Message, members, part, payload_id, text
from adapters.medcom.narrative import clean
from adapters.medcom.rules import check
from adapters.medcom.text import lead_of, notice_text, plan_text
from hub.contract import Context, Notice, Party, PlanView, Rendered, Resource
from hub.errors import CannotRender, Issue
from hub.fhir.codec import dump_json
from hub.fhir.extract import is_protected
from hub.fhir.reading import PlanReader

MEDIA_TYPE: Final = "application/fhir+json"
TITLE: Final = "Koordinerende indsatsplan"
TOPIC: Final = "Plan til orientering"
NOTICE_TOPIC: Final = "Meddelelse om plan"
CATEGORY: Final = "carecoordination"
PDF_LIMIT: Final = 20_000_000
"""Bytes. MedCom allows 100 MB for the whole enveloped message, base64 twice over; this leaves
room for receivers that stop earlier."""
TEXT_LIMIT: Final = 1024 * 1024
"""Characters in a FHIR string (R4, datatypes)."""
_REFUSED: Final = frozenset({"alcohol-and-drug-treatment"})
"""Category is routing metadata outside the body: this one would disclose substance use."""


@dataclass(frozen=True)
class _Author:
    """Who signs, and about whom; what a later notice needs of the thread."""

    citizen: Resource
    person: Resource
    title: str
    phone: str


def plan_copy(view: PlanView, receiver: Party, context: Context) -> Rendered:
    """The plan's essentials as text and the whole plan as PDF; raises CannotRender."""
    reader = PlanReader(view.resources)
    if not reader.plan.get("id"):
        raise CannotRender("The view holds no plan, so there is nothing to copy", at="CarePlan")
    lead = lead_of(reader)
    author = _author_of(view, reader, context)
    pdf = base64.b64encode(_printed(view, reader, context)).decode("ascii")
    attachment = {
        "contentType": "application/pdf",
        "data": pdf,
        "title": TITLE,
        "creation": parts.instant(context.now),
    }
    contents: list[dict[str, Any]] = [
        {"contentString": plan_text(view, reader, lead)},
        {"contentAttachment": attachment},
    ]
    # Changed content must have other ids, even in the same delivery.
    scope = f"{view.plan_id}/{view.version}"
    rendered = _message(contents, author, receiver, context, topic=TOPIC, scope=scope)
    return replace(rendered, losses=losses(view, reader, lead))


def notice(content: Notice, receiver: Party, context: Context) -> Rendered:
    """A notice as a message of text alone, about the citizen of the last copy in this thread.

    A notice says nothing of whom it is about; without an earlier message to this receiver there
    is nobody to write about, and CannotRender is raised.
    """
    if not content.text.strip():
        raise CannotRender("The notice has no text", at="Notice.text")
    author = _remembered(context.thread or {})
    contents = [{"contentString": notice_text(content.text)}]
    scope = f"{content.plan_id}/{content.kind}"
    return _message(contents, author, receiver, context, topic=NOTICE_TOPIC, scope=scope)


def _author_of(view: PlanView, reader: PlanReader, context: Context) -> _Author:
    lead = lead_of(reader)
    unit = view.lead or context.sender
    # The department's own number first, as MedCom asks; the lead's stands in the text as written.
    phone = parts.phone_of(unit.phone, context.sender.phone, lead.phone)
    if phone is None:
        raise CannotRender(
            "Neither the lead's unit nor the lead has a telephone number of digits; add the "
            "unit's to the parties file",
            at="sender.phone",
        )
    # The ids of a person and a citizen are the message's own; they are set when it is made.
    person = parts.practitioner(lead.given, lead.family, "")
    return _Author(parts.patient(reader.patient, ""), person, lead.title, phone)


def _remembered(thread: Mapping[str, Any]) -> _Author:
    about = part(thread, "about")
    citizen, person = part(about, "patient"), part(about, "practitioner")
    title, phone = text(about, "title"), text(about, "phone")
    if not (citizen and person and phone):
        raise CannotRender(
            "This receiver has had no plan copy in this format, so a notice has no citizen to be "
            "about; tell the receiver in another way",
            at="thread",
        )
    return _Author(citizen, person, title, phone)


def _message(
    contents: list[dict[str, Any]], author: _Author, receiver: Party, context: Context, *,
    topic: str, scope: str,
) -> Rendered:  # fmt: skip
    def new(key: str) -> str:
        return context.id_for(f"{scope}/{key}")

    sending = parts.organization(context.sender, new("sender"), role="sender")
    receiving = parts.organization(receiver, new("receiver"), role="receiver")
    citizen = author.citizen | {"id": new("patient")}
    person = author.person | {"id": new("practitioner")}
    role = parts.practitioner_role(author.title, person, sending, new("practitioner-role"))
    numbers = [f"urn:uuid:{new(f'payload-{i}')}" for i, _ in enumerate(contents, 1)]
    payloads = [
        parts.segment(
            content, number=number, now=context.now, author=role, phone=author.phone,
            assigner=sending,
        )
        for content, number in zip(contents, numbers, strict=True)
    ]  # fmt: skip
    communication = parts.communication(
        payloads, citizen, number=new("communication-resource"),
        thread=f"urn:uuid:{new('communication')}", category=_category(context),
        topic=clean(context.options.get("topic") or topic),
    )  # fmt: skip
    header = parts.header(sending, receiving, number=new("message-header"), event=urls.CC_EVENT)
    header["focus"] = [parts.reference(communication)]
    provenance = parts.provenance(
        header, sending, number=new("provenance"), now=context.now, activity="new-message",
        entities=[{"role": "source", "what": {"identifier": {"value": n}}} for n in numbers],
    )  # fmt: skip
    made = parts.bundle(
        (header, communication, citizen, sending, receiving, role, person, provenance),
        number=new("bundle"), now=context.now, base=context.base_url, profile=urls.CC_MESSAGE,
    )  # fmt: skip
    ensure(made, check(Message(made)))
    thread = _thread(Message(made), citizen, person, author)
    return Rendered(dump_json(made), MEDIA_TYPE, message_id=header["id"], thread=thread)


def _thread(
    message: Message, citizen: Resource, person: Resource, author: _Author
) -> dict[str, Any]:
    """The thread as the next message needs it; ``about`` lets a notice name the citizen."""
    communication = message.communication
    return {
        "communication": communication["identifier"][0]["value"],
        "message": message.header["id"],
        "payloads": [payload_id(p) for p in communication["payload"]],
        "about": {
            "patient": citizen, "practitioner": person, "title": author.title,
            "phone": author.phone,
        },
    }  # fmt: skip


def _category(context: Context) -> str:
    category = context.options.get("category") or CATEGORY
    if category in _REFUSED:
        raise CannotRender(
            "This category would disclose substance use outside the message; choose another in "
            "the subscription",
            at="options.category",
        )
    if (urls.CATEGORIES, category) not in codes.known("category"):
        raise CannotRender(
            "The subscription's category is not in MedCom's value set; choose a listed one",
            at="options.category",
        )
    return category


def _printed(view: PlanView, reader: PlanReader, context: Context) -> bytes:
    if context.printer is None:
        raise CannotRender("A plan copy needs the printer for its PDF; install one", at="printer")
    if is_protected(reader.patient):
        view = _without_address(view)
    pdf = context.printer.plan(view, now=context.now)
    if not pdf.startswith(b"%PDF-"):
        raise CannotRender("The printer did not make a PDF", at="printer")
    if len(pdf) > PDF_LIMIT:
        raise CannotRender(
            f"The plan's PDF is larger than {PDF_LIMIT // 1_000_000} MB, the most this hub puts "
            "in a CareCommunication; send it to this receiver in another way",
            at="Communication.payload[1].contentAttachment",
        )
    return pdf


def _without_address(view: PlanView) -> PlanView:
    """A protected citizen's address and telephone are left out of the PDF too."""
    hidden = frozenset({"address", "telecom"})
    resources = {
        key: {k: v for k, v in r.items() if k not in hidden} if key.startswith("Patient/") else r
        for key, r in view.resources.items()
    }
    return replace(view, resources=resources)


def ensure(made: Resource, issues: tuple[Issue, ...]) -> None:
    """Raise CannotRender with every finding about a message that is about to be sent."""
    message = Message(made)
    found = [*issues, *(i for r in message.resources for i in narratives.check(r))]
    payloads = members(message.communication.get("payload"))
    if any(len(text(p, "contentString")) > TEXT_LIMIT for p in payloads):
        what = "the plan's text is longer than a FHIR string may be"
        found.append(Issue("error", "too-long", what, "Communication.payload"))
    if found:
        raise CannotRender(
            "The message made from this plan breaks MedCom's rules; see the issues",
            issues=tuple(found),
        )

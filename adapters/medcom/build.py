"""Build a CareCommunication: a plan copy with its PDF, or a notice as text alone.

Source: CareCommunication 5.0.4. A new version of a plan is a reply in the thread that the
receiver knows, as long as what the thread said may be repeated; a notice begins a thread of its
own, because it is unlawful to repeat a plan in the notice that consent for it was withdrawn.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from adapters.medcom import parts
from adapters.medcom.assemble import Author, in_thread, message
from adapters.medcom.losses import losses
from adapters.medcom.message import part, text
from adapters.medcom.options import Options, options_of
from adapters.medcom.text import lead_of, notice_text, plan_text
from hub.contract import Context, Notice, Party, PlanView, Rendered
from hub.errors import CannotRender, Invalid, TooLargeToSend
from hub.fhir.extract import is_protected
from hub.fhir.reading import PlanReader

TITLE: Final = "Koordinerende indsatsplan"
NOTICE_TOPIC: Final = "Meddelelse om plan"


def plan_copy(view: PlanView, receiver: Party, context: Context) -> Rendered:
    """The plan's essentials as text and the whole plan as PDF; raises CannotRender."""
    options = _options(context)
    reader = PlanReader(view.resources)
    if not reader.plan.get("id"):
        raise CannotRender("The view holds no plan, so there is nothing to copy", at="CarePlan")
    lead = lead_of(reader)
    author = _author_of(view, reader, context)
    pdf = base64.b64encode(_printed(view, reader, context, options)).decode("ascii")
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
    rendered = in_thread(contents, author, receiver, context, options=options, scope=scope)
    return replace(rendered, losses=losses(view, reader, lead))


def notice(content: Notice, receiver: Party, context: Context) -> Rendered:
    """A notice as a message of text alone, about the citizen of the last copy in this thread.

    A notice says nothing of whom it is about; without an earlier message to this receiver there
    is nobody to write about, and CannotRender is raised.
    """
    if not content.text.strip():
        raise CannotRender("The notice has no text", at="Notice.text")
    options = _options(context)
    if not context.options.get("topic"):
        options = replace(options, topic=NOTICE_TOPIC)
    author = _remembered(context.thread or {})
    contents = [{"contentString": notice_text(content.text)}]
    scope = f"{content.plan_id}/{content.kind}"
    return message(contents, author, receiver, context, options=options, scope=scope)


def _options(context: Context) -> Options:
    try:
        return options_of(context.options)
    except Invalid as e:
        raise CannotRender(e.text, issues=e.issues) from None


def _author_of(view: PlanView, reader: PlanReader, context: Context) -> Author:
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
    return Author(parts.patient(reader.patient, ""), person, lead.title, phone)


def _remembered(thread: Mapping[str, Any]) -> Author:
    about = part(thread, "about")
    citizen, person = part(about, "patient"), part(about, "practitioner")
    title, phone = text(about, "title"), text(about, "phone")
    if not (citizen and person and phone):
        raise CannotRender(
            "This receiver has had no plan copy in this format, so a notice has no citizen to be "
            "about; tell the receiver in another way",
            at="thread",
        )
    return Author(citizen, person, title, phone)


def _printed(view: PlanView, reader: PlanReader, context: Context, options: Options) -> bytes:
    if context.printer is None:
        raise CannotRender("A plan copy needs the printer for its PDF; install one", at="printer")
    if is_protected(reader.patient):
        view = _without_address(view)
    pdf = context.printer.plan(view, now=context.now)
    if not pdf.startswith(b"%PDF-"):
        raise CannotRender("The printer did not make a PDF", at="printer")
    if len(pdf) > options.attachment_bytes:
        raise TooLargeToSend(
            f"The plan's PDF is larger than {options.attachment_bytes // 1_000_000} MB, the most "
            "that goes to this receiver in a CareCommunication; send it in another way, or let the "
            "subscription's attachment-megabytes be more",
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

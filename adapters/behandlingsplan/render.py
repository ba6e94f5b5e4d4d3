"""The owner's own last document, re-issued with what others have planned.

The owner's content is copied element by element as it stands. Only the header fields that the
hub owns and the element OtherPlans are replaced. What cannot be carried is a Loss by FHIR path.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapters.behandlingsplan import schema
from adapters.behandlingsplan.carried import losses_of
from adapters.behandlingsplan.document import q, read
from adapters.behandlingsplan.other_plans import add_other_plans
from hub.contract import Context, Notice, Party, PlanView, Receipt, Rendered
from hub.errors import CannotRender, InputRefused
from hub.fhir import names
from hub.fhir.reading import PlanReader

FORMAT: Final = "behandlingsplan"
MEDIA_TYPE: Final = "application/xml"


def render(content: PlanView | Notice | Receipt, receiver: Party, context: Context) -> Rendered:
    """Re-issue the receiver's own document; raises CannotRender without one.

    ``receiver`` is the owner of ``content.own``. The message id is ``context.id_for("message")``,
    the time ``context.now`` in whole seconds.
    """
    if not isinstance(content, PlanView):
        raise CannotRender("A behandlingsplan carries a plan, not a notice or a receipt")
    root = _own(content)
    reader = PlanReader(content.resources)
    _same_owner(root, receiver)
    _same_citizen(root, reader)
    message_id = context.id_for("message")
    _readdress(root, content, message_id, context)
    pdf = context.printer.plan(content, now=context.now) if context.printer else None
    for old in root.findall(q("OtherPlans")):
        root.remove(old)
    others, losses = add_other_plans(root, reader, content, pdf)
    _lay_out(others)
    if schema.issues_of(root):
        raise CannotRender("The plan holds values that the behandlingsplan schema does not allow")
    return Rendered(
        body=etree.tostring(root, xml_declaration=True, encoding="UTF-8"),
        media_type=MEDIA_TYPE,
        message_id=message_id,
        losses=(*losses, *losses_of(content, others)),
    )


def _own(view: PlanView) -> etree._Element:
    if view.own is None or view.own.format != FORMAT:
        raise CannotRender(
            "Only the owner makes a behandlingsplan, and this receiver has sent none; "
            "choose another format for its subscription"
        )
    try:
        return read(view.own.body)
    except InputRefused:
        raise CannotRender("The receiver's own stored behandlingsplan cannot be read") from None


def _same_owner(root: etree._Element, receiver: Party) -> None:
    """The document holds what only its owner may see, so it goes to no other unit."""
    sender = root.findtext(f"{q('MessageHeader')}/{q('SenderSORIdentifier')}") or ""
    known = receiver.identifier(names.SOR)
    if known is not None and known != sender.strip():
        raise CannotRender("The stored behandlingsplan is not the receiver's own")


def _same_citizen(root: etree._Element, reader: PlanReader) -> None:
    """Two citizens are never mixed in one document, whatever went wrong before."""
    known = {i.get("value") for i in reader.patient.get("identifier", ())}
    citizen = root.find(q("Citizen"))
    own = {" ".join((e.text or "").split()) for e in citizen} if citizen is not None else set()
    if known and not known & own:
        raise CannotRender("The plan and the receiver's own document name different citizens")


def _readdress(root: etree._Element, view: PlanView, message_id: str, context: Context) -> None:
    header = root.find(q("MessageHeader"))
    if header is None:
        raise CannotRender("The receiver's own stored behandlingsplan has no header")
    _set(header, "MessageIdentifier", message_id, after=None)
    _set(header, "SentDateTime", context.now.isoformat(timespec="seconds"), after=None)
    _set(header, "SharedPlanIdentifier", view.plan_id, after="CaseIdentifier")
    _set(header, "BaseVersion", str(view.version), after="SharedPlanIdentifier")


def _set(header: etree._Element, name: str, text: str, *, after: str | None) -> None:
    element = header.find(q(name))
    if element is None:
        before = header.find(q(after)) if after else None
        element = etree.Element(q(name))
        if before is None:
            raise CannotRender("The receiver's own stored behandlingsplan has no full header")
        # addnext takes the tail along, so the new element repeats the line break before it.
        tail = before.tail
        before.addnext(element)
        before.tail = _break_before(before)
        element.tail = tail
    element.text = text


def _break_before(element: etree._Element) -> str | None:
    previous = element.getprevious()
    if previous is not None:
        return previous.tail
    parent = element.getparent()
    return parent.text if parent is not None else None


def _lay_out(others: etree._Element) -> None:
    etree.indent(others, level=1)
    previous = others.getprevious()
    if previous is not None:
        previous.tail = "\n  "
    others.tail = "\n"

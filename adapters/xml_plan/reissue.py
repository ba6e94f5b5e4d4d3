"""The owner's own last document, re-issued with what others have planned.

The owner's content is copied element by element as it stands. Only the header fields that the
hub owns and the element OtherPlans are replaced. What cannot be carried is a Loss by FHIR path.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapters.xml_plan.carried import losses_of
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.other_plans import add_other_plans
from hub.codes import LocalCodes
from hub.contract import Context, Loss, Notice, Party, PlanView, Receipt, Rendered
from hub.errors import CannotRender, InputRefused
from hub.fhir import names
from hub.fhir.codec import parse_xml
from hub.fhir.reading import PlanReader
from hub.mapping.trace import wrote

MEDIA_TYPE: Final = "application/xml"


def reissue(
    format: XmlFormat, content: PlanView | Notice | Receipt, receiver: Party, context: Context
) -> Rendered:
    """Re-issue the receiver's own document; raises CannotRender without one.

    ``receiver`` is the owner of ``content.own``. The message id is ``context.id_for("message")``,
    the time ``context.now`` in whole seconds.
    """
    view, root = own_document(format, content, receiver, context.local)
    reader = PlanReader(view.resources)
    readdress(format, root, context)
    _set(format, root, "SharedPlanIdentifier", view.plan_id, after="CaseIdentifier")
    _set(format, root, "BaseVersion", str(view.version), after="SharedPlanIdentifier")
    pdf = context.printer.plan(view, now=context.now) if context.printer else None
    for old in root.findall("{*}OtherPlans"):
        root.remove(old)
    others, losses = add_other_plans(root, reader, view, pdf)
    _lay_out(others)
    losses += losses_of(view, others)
    if context.local is not None:
        losses += format.exchange(context.local).to_local(others)
    return finished(format, root, context, tuple(losses))


def own_document(
    format: XmlFormat,
    content: PlanView | Notice | Receipt,
    receiver: Party,
    local: LocalCodes | None,
) -> tuple[PlanView, etree._Element]:
    """The view, and the root of the receiver's own document about the same citizen.

    The document is valid but for the receiver's own codes, which stay as they are.
    """
    if not isinstance(content, PlanView):
        raise CannotRender(f"The format {format.name} carries a plan, not a notice or a receipt")
    if content.own is None or content.own.format != format.name:
        raise CannotRender(
            f"Only the owner makes a document in the format {format.name}, and this receiver has "
            "sent none; choose another format for its subscription"
        )
    try:
        format.opened(content.own.body, local)
    except InputRefused:
        raise CannotRender(
            f"The receiver's own stored {format.name} document cannot be read"
        ) from None
    root = parse_xml(content.own.body)
    _same_owner(format, root, receiver)
    _same_citizen(root, PlanReader(content.resources))
    return content, root


def _same_owner(format: XmlFormat, root: etree._Element, receiver: Party) -> None:
    """The document holds what only its owner may see, so it goes to no other unit."""
    sender = root.findtext("{*}MessageHeader/{*}SenderSORIdentifier") or ""
    known = receiver.identifier(names.SOR)
    if known is not None and known != sender.strip():
        raise CannotRender(f"The stored {format.name} document is not the receiver's own")


def _same_citizen(root: etree._Element, reader: PlanReader) -> None:
    """Two citizens are never mixed in one document, whatever went wrong before."""
    known = {i.get("value") for i in reader.patient.get("identifier", ())}
    citizen = root.find("{*}Citizen")
    own = {" ".join((e.text or "").split()) for e in citizen} if citizen is not None else set()
    if known and not known & own:
        raise CannotRender("The plan and the receiver's own document name different citizens")


def readdress(format: XmlFormat, root: etree._Element, context: Context) -> None:
    """A message of its own: new id and time."""
    _set(format, root, "MessageIdentifier", context.id_for("message"), after=None)
    sent = context.now.isoformat(timespec="seconds")
    _set(format, root, "SentDateTime", sent, after=None)


def finished(
    format: XmlFormat, root: etree._Element, context: Context, losses: tuple[Loss, ...]
) -> Rendered:
    """The bytes, if the schema allows them."""
    if not format.is_valid(root, context.local):
        raise CannotRender(f"The plan holds values that the {format.name} schema does not allow")
    return Rendered(
        body=etree.tostring(root, xml_declaration=True, encoding="UTF-8"),
        media_type=MEDIA_TYPE,
        message_id=context.id_for("message"),
        losses=losses,
    )


def _set(
    format: XmlFormat, root: etree._Element, name: str, text: str, *, after: str | None
) -> None:
    """Write a header field; a new one comes after the field ``after``."""
    element = root.find(f"{{*}}MessageHeader/{{*}}{name}")
    if element is None:
        before = root.find(f"{{*}}MessageHeader/{{*}}{after}") if after else None
        if before is None:
            raise CannotRender(f"The receiver's own {format.name} document has no full header")
        element = etree.Element(f"{{{format.schema.namespace}}}{name}")
        # addnext takes the tail along, so the new element repeats the line break before it.
        tail = before.tail
        before.addnext(element)
        before.tail = _break_before(before)
        element.tail = tail
    element.text = text
    wrote(element, text)


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

"""The owner's own document: an agreement with others' content, a coordination plan as it is."""

from __future__ import annotations

from lxml import etree

from adapters.udskrivningsaftale.parse import KINDS
from adapters.udskrivningsaftale.rules import PLAN
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.reissue import finished, own_document, readdress, reissue
from hub.contract import Context, Notice, Party, PlanView, Receipt, Rendered
from hub.errors import CannotRender
from hub.fhir import names
from hub.fhir.extract import codes


def render(
    format: XmlFormat, content: PlanView | Notice | Receipt, receiver: Party, context: Context
) -> Rendered:
    """Re-issue the receiver's own document; raises CannotRender without one.

    A coordination plan is re-issued only for itself: beside any other plan it is refused, since
    what comes of it must never look like a part of one.
    """
    view, root = own_document(format, content, receiver)
    kind = KINDS[etree.QName(root).localname]
    own = view.resources.get(view.own_part or "")
    if own is not None and kind not in codes(own.get("category", ()), names.SECTOR_KIND):
        raise CannotRender("The receiver's own document is of the format's other kind")
    if kind != KINDS[PLAN]:
        return reissue(format, content, receiver, context)
    plans = {k for k, r in view.resources.items() if r["resourceType"] == "CarePlan"}
    if own is None or plans != {view.own_part}:
        raise CannotRender("A coordination plan is never part of another plan")
    readdress(format, root, context)
    return finished(format, root, context, ())

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

_KIND = KINDS[PLAN]


def render(
    format: XmlFormat, content: PlanView | Notice | Receipt, receiver: Party, context: Context
) -> Rendered:
    """Re-issue the receiver's own document; raises CannotRender without one.

    A coordination plan is re-issued only for itself: beside any other plan it is refused, since
    what comes of it must never look like a part of one.
    """
    view, root = own_document(format, content, receiver, context.local)
    plans = {k: r for k, r in view.resources.items() if r["resourceType"] == "CarePlan"}
    alone = {
        k for k, r in plans.items() if _KIND in codes(r.get("category", ()), names.SECTOR_KIND)
    }
    if etree.QName(root).localname != PLAN:
        if alone:
            raise CannotRender("A coordination plan is never told of in another document")
        return reissue(format, content, receiver, context)
    if alone != {view.own_part} or len(plans) != 1:
        raise CannotRender("A coordination plan is never part of another plan")
    readdress(format, root, context)
    return finished(format, root, context, ())

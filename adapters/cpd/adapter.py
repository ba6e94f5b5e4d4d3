"""The ``cpd`` format: a snapshot of the plan as a CDA document, replacing the one before it."""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapters.cpd.body import body
from adapters.cpd.header import header
from adapters.cpd.losses import losses_of
from adapters.cpd.xml import root
from adapters.out_only import OutOnly
from adapters.pdf.content import content as content_of
from hub.contract import (
    Context,
    Notice,
    Party,
    PlanView,
    Receipt,
    Rendered,
)
from hub.errors import CannotRender
from hub.fhir.reading import PlanReader

MEDIA_TYPE: Final = "text/xml"


class CpdAdapter(OutOnly):
    """Renders a view as CPD-DK; nothing comes in."""

    format = "cpd"
    refusal = "CPD-DK goes out only; send the plan as fhir or ki-plan-xml"

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The document; the thread remembers its id, which the next one replaces.

        Raises CannotRender for what is no plan, for a plan without a challenge, goal or
        intervention (CPD-DK asks for each), and for a sender or lead's unit without a SOR code.
        """
        if not isinstance(content, PlanView):
            raise CannotRender("CPD-DK carries a plan, not a notice or a receipt")
        reader = PlanReader(content.resources)
        _complete(reader)
        values = content_of(content, context.now)
        document = root()
        id = context.id_for("document")
        header(document, content, reader, receiver, context, id)
        body(document, content, reader, values)
        etree.indent(document)
        return Rendered(
            body=etree.tostring(document, xml_declaration=True, encoding="UTF-8") + b"\n",
            media_type=MEDIA_TYPE,
            message_id=id,
            losses=losses_of(content),
            thread={"document": id},
        )


def _complete(reader: PlanReader) -> None:
    if "id" not in reader.plan:
        raise CannotRender("There is no shared plan that this receiver may see")
    found = (reader.challenges(), reader.goals(), reader.interventions())
    if not all(found):
        raise CannotRender("CPD-DK asks for at least one challenge, one goal and one intervention")


ADAPTER = CpdAdapter()

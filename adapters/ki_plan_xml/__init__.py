"""The paper template A-J itself as XML, in and out, for systems without FHIR.

The schema is ``ki-plan-1.0.xsd``, the translation ``mappings/ki-plan-xml/``. In: a shared plan;
who may change what is the hub's to decide. Out: the plan as far as the receiver may see it.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.ki_plan_xml.document import FORMAT
from adapters.ki_plan_xml.parse import parse
from adapters.ki_plan_xml.render import MEDIA_TYPE, render
from hub.contract import Context, Notice, Party, PlanUpdate, PlanView, RawMessage, Receipt, Rendered
from hub.mapping import mappings_folder
from hub.mapping.files import coded_elements
from hub.mapping.source import SourceElement
from hub.mapping.xsd import elements


class KiPlanXml:
    """The adapter; see :class:`hub.contract.Adapter` for what each method promises."""

    format: str = FORMAT.name
    media_types: tuple[str, ...] = (MEDIA_TYPE, "text/xml")
    events: tuple[str, ...] = ()
    tables = mappings_folder(FORMAT.name)

    @property
    def local(self) -> frozenset[str]:
        """Every code table that a row names."""
        return frozenset(t.name for t in coded_elements(self.tables).values())

    def elements(self, record: str) -> Sequence[SourceElement]:
        """Of a complex type of the schema; KeyError for none."""
        return elements(FORMAT.schema.file, record)

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for the same content, whatever its message id and time of sending."""
        return FORMAT.fingerprint(message.body)

    def parse(self, message: RawMessage, context: Context) -> PlanUpdate:
        """The shared part; raises Malformed, TooLarge, Unsupported, UnknownCode or Invalid."""
        return parse(message.body, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The plan as this receiver may see it; raises CannotRender."""
        return render(content, receiver, context)


ADAPTER = KiPlanXml()

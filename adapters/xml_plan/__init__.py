"""What the XML plan formats have in common: schema, reading, marks, and the owner's re-issue.

A format of this kind is an XML schema that includes ``plan-common-1.0.xsd``, mapping tables, and
the few rules of its own. Others' content has one place in it, the element OtherPlans.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.local import coded
from adapters.xml_plan.reissue import MEDIA_TYPE, reissue
from hub.contract import Context, Notice, Party, PlanUpdate, PlanView, RawMessage, Receipt, Rendered
from hub.mapping import mappings_folder
from hub.mapping.source import SourceElement
from hub.mapping.xsd import elements

Render = Callable[[XmlFormat, PlanView | Notice | Receipt, Party, Context], Rendered]


class XmlPlan:
    """An adapter of this kind; see :class:`hub.contract.Adapter` for what each method promises."""

    media_types: tuple[str, ...] = (MEDIA_TYPE, "text/xml")
    events: tuple[str, ...] = ()
    reissues = True
    """A render starts from the receiver's own last document."""

    def __init__(
        self,
        format: XmlFormat,
        parse: Callable[[bytes, Context], PlanUpdate],
        render: Render = reissue,
    ) -> None:
        self.format: str = format.name
        self.tables = mappings_folder(format.name)
        self._format = format
        self._parse = parse
        self._render = render

    @property
    def local(self) -> frozenset[str]:
        """Every code table of the format."""
        return frozenset(t.name for t in coded(self.tables).values())

    def elements(self, record: str) -> Sequence[SourceElement]:
        """Of a complex type of the schema; KeyError for none."""
        return elements(self._format.schema.file, record)

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for the same content, whatever its message id and time of sending."""
        return self._format.fingerprint(message.body)

    def parse(self, message: RawMessage, context: Context) -> PlanUpdate:
        """The owner's plan; raises Malformed, TooLarge, Unsupported, UnknownCode or Invalid."""
        return self._parse(message.body, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The receiver's own last document, re-issued; raises CannotRender."""
        return self._render(self._format, content, receiver, context)

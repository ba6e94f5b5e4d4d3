"""VUM: the KL FFB messaging order (FHIR R4 message ``ffb-order``), in and out.

In: a municipality's order, in JSON or XML, becomes its sector plan, kind ``vum``. Out: a re-issue
of the receiver's own last order, in the same of the two, with other parties' efforts added as
RelatedCarePlan "til orientering". Emitted is 1.0.0 (``http://fhir.kl.dk/ffbmessaging``); 0.1.0
URLs are read too. The tables are in ``mappings/vum/``.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.vum.elements import elements
from adapters.vum.fingerprint import fingerprint
from adapters.vum.local import LOCAL
from adapters.vum.parse import parse
from adapters.vum.render import FORMAT, render
from adapters.vum.urls import EVENT_SYSTEM, EVENT_SYSTEM_PRE_RELEASE, ORDER_EVENT
from hub.contract import Context, Notice, Party, PlanUpdate, PlanView, RawMessage, Receipt, Rendered
from hub.fhir.wire import JSON, XML
from hub.mapping import mappings_folder
from hub.mapping.source import SourceElement


class Vum:
    """The adapter; see :class:`hub.contract.Adapter` for what each method promises."""

    format: str = FORMAT
    media_types: tuple[str, ...] = (*JSON, *XML)
    events: tuple[str, ...] = (
        f"{EVENT_SYSTEM}|{ORDER_EVENT}",
        f"{EVENT_SYSTEM_PRE_RELEASE}|{ORDER_EVENT}",
    )
    reissues = True
    """A render starts from the receiver's own last document."""
    tables = mappings_folder(FORMAT)
    local = frozenset(LOCAL)

    def elements(self, record: str) -> Sequence[SourceElement]:
        """Of a role's profile, or of a kind of entry that is left out whole; KeyError for none."""
        return elements(record)

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for the same content, whatever its ids and times of sending."""
        return fingerprint(message)

    def parse(self, message: RawMessage, context: Context) -> PlanUpdate:
        """The order; raises Malformed, TooLarge, Unsupported, UnknownCode or Invalid."""
        return parse(message, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The receiver's own last order, re-issued; raises CannotRender."""
        return render(content, receiver, context)


ADAPTER = Vum()

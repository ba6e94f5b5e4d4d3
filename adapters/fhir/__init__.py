"""The format ``fhir``: the canonical model itself, as FHIR R4 in JSON or, inward, XML.

In: a Bundle with one plan (``collection``, or ``message`` with the event ``plan-update``), or a
citizen's consent or approval as one Consent. Out: a collection Bundle that comes back in
unchanged. Shapes: docs/canonical-model.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.fhir.decision import read_decision
from adapters.fhir.parse import parse
from adapters.fhir.render import render
from adapters.fhir.terms import PLAN_UPDATE, fingerprint
from hub.contract import Context, Notice, Parsed, Party, PlanView, RawMessage, Receipt, Rendered
from hub.fhir.wire import JSON, XML


class FhirAdapter:
    """A :class:`hub.contract.Adapter`; stateless."""

    format = "fhir"
    notices = True
    alone = True
    media_types: tuple[str, ...] = (*JSON, *XML)
    events: tuple[str, ...] = (PLAN_UPDATE,)
    readers: Mapping[str, Callable[..., object]] = MappingProxyType(
        {"PlanUpdate": parse, "Receipt": parse, "Decision": read_decision}
    )

    def fingerprint(self, message: RawMessage) -> str:
        """A hash of the content without what a resend may change: Bundle.id and times."""
        return fingerprint(message)

    def parse(self, message: RawMessage, context: Context) -> Parsed:
        """A PlanUpdate, a Receipt or a Decision; raises an InputRefused with all issues."""
        return parse(message, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """A Bundle; raises CannotRender for a view without a plan."""
        return render(content, receiver, context)


ADAPTER = FhirAdapter()

"""The region's psychiatric treatment plan (psykiatrisk behandlingsplan), in and out.

The schema is ``behandlingsplan-1.0.xsd``, the translation ``mappings/behandlingsplan/``. Outbound
is only ever a re-issue of the owner's own last document (design: a render never creates a
document of a kind that only its owner may make).
"""

from __future__ import annotations

from adapters.behandlingsplan.document import fingerprint
from adapters.behandlingsplan.parse import parse
from adapters.behandlingsplan.render import FORMAT, MEDIA_TYPE, render
from hub.contract import Context, Notice, Party, PlanUpdate, PlanView, RawMessage, Receipt, Rendered


class Behandlingsplan:
    """The adapter; see :class:`hub.contract.Adapter` for what each method promises."""

    format: str = FORMAT
    media_types: tuple[str, ...] = (MEDIA_TYPE, "text/xml")
    events: tuple[str, ...] = ()
    reissues = True
    """A render starts from the receiver's own last document."""

    def fingerprint(self, message: RawMessage) -> str:
        """Equal for the same content, whatever its message id and time of sending."""
        return fingerprint(message.body)

    def parse(self, message: RawMessage, context: Context) -> PlanUpdate:
        """The owner's plan; raises Malformed, TooLarge, Unsupported, UnknownCode or Invalid."""
        return parse(message.body, context)

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The receiver's own last document, re-issued; raises CannotRender."""
        return render(content, receiver, context)


ADAPTER = Behandlingsplan()

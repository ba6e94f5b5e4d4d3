"""The ``pdf`` format: outbound only."""

from __future__ import annotations

from adapters.out_only import OutOnly
from adapters.pdf.losses import losses
from adapters.pdf.printer import PRINTER
from hub.contract import (
    Audience,
    Context,
    Notice,
    Party,
    PlanView,
    Receipt,
    Rendered,
)
from hub.errors import CannotRender

MEDIA_TYPE = "application/pdf"


class PdfAdapter(OutOnly):
    """Renders a view, or a notice, as a tagged PDF; nothing comes in."""

    format = "pdf"
    notices = True
    audiences: tuple[Audience, ...] = ("party", "citizen")
    refusal = "A PDF cannot be read as a plan; send it in a structured format"

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The printed plan or notice; raises CannotRender for a receipt."""
        if isinstance(content, PlanView):
            # Its own printer, not the context's: only this one reports what it could not print.
            printed = PRINTER.printed(content, now=context.now)
            return Rendered(printed.body, MEDIA_TYPE, losses=losses(content, printed.unprintable))
        if isinstance(content, Notice):
            return Rendered(PRINTER.notice(content, now=context.now).body, MEDIA_TYPE)
        raise CannotRender("A receipt is not printed; nothing comes in as PDF")


ADAPTER = PdfAdapter()

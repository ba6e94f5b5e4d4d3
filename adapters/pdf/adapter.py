"""The ``pdf`` format: outbound only."""

from __future__ import annotations

import hashlib

from adapters.pdf.losses import losses
from adapters.pdf.printer import PRINTER
from hub.contract import (
    Audience,
    Context,
    Notice,
    Parsed,
    Party,
    PlanView,
    RawMessage,
    Receipt,
    Rendered,
)
from hub.errors import CannotRender, Unsupported

MEDIA_TYPE = "application/pdf"


class PdfAdapter:
    """Renders a view, or a notice, as a tagged PDF; nothing comes in."""

    format = "pdf"
    media_types: tuple[str, ...] = (MEDIA_TYPE,)
    events: tuple[str, ...] = ()
    audiences: tuple[Audience, ...] = ("party", "citizen")

    def fingerprint(self, message: RawMessage) -> str:
        """The SHA-256 of the bytes: two scans of one paper are two messages."""
        return hashlib.sha256(message.body).hexdigest()

    def parse(self, message: RawMessage, context: Context) -> Parsed:
        """Always raises Unsupported: a printed page is not data."""
        raise Unsupported("A PDF cannot be read as a plan; send it in a structured format")

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

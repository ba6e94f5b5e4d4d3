"""The ``html`` format: outbound only, the same content as the printed plan."""

from __future__ import annotations

from typing import Final

from adapters.html.page import Page, page
from adapters.out_only import OutOnly
from adapters.pdf.content import content as content_of
from adapters.pdf.content import printed_at
from adapters.pdf.losses import losses
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

MEDIA_TYPE: Final = "text/html"


class HtmlAdapter(OutOnly):
    """Renders a view, or a notice, as a page of its own; nothing comes in."""

    format = "html"
    notices = True
    audiences: tuple[Audience, ...] = ("party", "citizen")
    refusal = "A web page cannot be read as a plan; send it in a structured format"

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The page, UTF-8; raises CannotRender for a receipt or a code without a Danish word."""
        if isinstance(content, PlanView):
            made = _plan(content, context)
            return Rendered(made.body, MEDIA_TYPE, losses=losses(content, made.unshown))
        if isinstance(content, Notice):
            printed = printed_at(context.now)
            values = {"plan_id": content.plan_id, "text": content.text, "printed": printed}
            return Rendered(page("notice.html", values).body, MEDIA_TYPE)
        raise CannotRender("A receipt has no page; nothing comes in as HTML")


def _plan(view: PlanView, context: Context) -> Page:
    template = "citizen.html" if view.audience == "citizen" else "plan.html"
    return page(template, content_of(view, context.now))


ADAPTER = HtmlAdapter()

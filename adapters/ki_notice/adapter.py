"""The ``ki-notice`` format: outbound only."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from adapters.fhir.notice import communication
from adapters.fhir.terms import NOTICE_SYSTEM
from adapters.ki_notice.form import form
from adapters.out_only import OutOnly
from hub.contract import (
    Context,
    Loss,
    Notice,
    Party,
    PlanView,
    Receipt,
    Rendered,
)
from hub.errors import CannotRender, UnknownCode
from hub.fhir.codec import dump_json
from hub.mapping import CodeTable, mappings_folder

FHIR: Final = "application/fhir+json"
XML: Final = "application/xml"

_KINDS: Final = CodeTable.load(mappings_folder("ki-notice") / "codes" / "kind.csv")
_NUMBER: Final = re.compile(r"\d{6}\s?-?\s?[0-9A-Z]{4}")
"""Anything that could be a civil registration number, or a replacement for one."""


class NoticeAdapter(OutOnly):
    """Renders a notice; nothing comes in, and no plan goes out."""

    format = "ki-notice"
    notices = True
    only_notices = True
    refusal = "A notice goes out from the hub only"

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The notice; the option ``as`` is ``fhir`` (default) or ``xml``. Raises CannotRender."""
        if not isinstance(content, Notice):
            raise CannotRender("The format ki-notice carries a notice, not a plan or a receipt")
        kind, notice = _told(content)
        wanted = context.options.get("as", "fhir")
        if wanted == "xml":
            body, complete = form(notice, kind, receiver, context)
            lost = Loss("Notice/text", "coarsened", "a character that XML has no place for")
            losses = () if complete else (lost,)
            return Rendered(body, XML, context.id_for("notice"), losses)
        if wanted != "fhir":
            raise CannotRender("The option is fhir or xml", at="options.as")
        resource = communication(notice, receiver, context)
        return Rendered(dump_json(resource), FHIR, context.id_for("notice"))


def _told(notice: Notice) -> tuple[str, Notice]:
    """The kind's code in the form, and the notice with a text."""
    try:
        pair = _KINDS.backward(notice.kind, system=NOTICE_SYSTEM, at="Notice/kind")
    except UnknownCode as e:
        raise CannotRender("There is no such kind of notice", at="Notice/kind") from e
    if _NUMBER.search(notice.text):
        raise CannotRender("A notice names nobody; its text holds a number", at="Notice/text")
    return pair.source_code, replace(notice, text=notice.text.strip() or pair.source_display)


ADAPTER = NoticeAdapter()

"""Narrative made from values: every text is escaped, every element is plain formatting.

R4 "Narrative" (2.4): a ``div`` in the XHTML namespace, well-formed, without active content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lxml import etree

from hub.fhir.narrative import XHTML

_NOTHING: Final = "ikke angivet"


class Story:
    """A ``div`` that grows from top to bottom."""

    def __init__(self) -> None:
        # The stubs have no None among prefixes; lxml takes it for the default namespace.
        self._div = etree.Element(f"{{{XHTML}}}div", nsmap={None: XHTML})  # type: ignore[dict-item]

    def heading(self, text: str) -> None:
        """A heading below the section's own title."""
        self._add(self._div, "h3", text)

    def paragraph(self, text: str) -> None:
        """A text; its own line breaks are kept."""
        self._add(self._div, "p", text)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and values; one without a value says so."""
        table = self._add(self._div, "table")
        body = self._add(table, "tbody")
        for name, value in rows:
            row = self._add(body, "tr")
            self._add(row, "th", name)
            self._add(row, "td", value or _NOTHING)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Rows under a head; without rows it says that there are none."""
        if not rows:
            self.paragraph(_NOTHING)
            return
        table = self._add(self._div, "table")
        line = self._add(self._add(table, "thead"), "tr")
        for name in head:
            self._add(line, "th", name)
        body = self._add(table, "tbody")
        for cells in rows:
            row = self._add(body, "tr")
            for cell in cells:
                self._add(row, "td", cell)

    def narrative(self) -> dict[str, Any]:
        """As a Narrative; one that nothing was told in says so."""
        if len(self._div) == 0:
            self.paragraph(_NOTHING)
        return {"status": "generated", "div": etree.tostring(self._div, encoding="unicode")}

    def _add(self, parent: etree._Element, name: str, text: str = "") -> etree._Element:
        made = etree.SubElement(parent, f"{{{XHTML}}}{name}")
        first, *rest = _printable(text).splitlines() or [""]
        made.text = first or None
        for line in rest:
            etree.SubElement(made, f"{{{XHTML}}}br").tail = line
        return made


def _printable(text: str) -> str:
    """Without the control characters that XML cannot carry."""
    return "".join(sign for sign in text if sign in "\n\r\t" or ord(sign) >= 32)

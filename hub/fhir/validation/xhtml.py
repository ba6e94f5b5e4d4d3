"""What R4's htmlChecks() asks of a narrative: the rules txt-1 and txt-2 (4.0.1 Narrative).

Elements are those of :mod:`hub.fhir.narrative`; this adds the attributes that the chapters
named in txt-1 define.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from hub.fhir.codec import parse_xml
from hub.fhir.narrative import narrative_problem

_NAMES: Final = (
    "abbr accesskey align alt axis border cellpadding cellspacing char charoff cite class colspan"
    " dir headers height href hreflang id lang longdesc name noshade nowrap rel rev rowspan rules"
    " frame scope size span src start style summary tabindex title type valign value width"
    " compact datetime clear"
)
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_ALLOWED: Final = frozenset(_NAMES.split()) | {f"{_XML}lang", f"{_XML}space"}


def broken_rule(div: str) -> str | None:
    """``txt-1`` or ``txt-2`` if a ``text.div`` breaks it; None if it breaks neither."""
    said = narrative_problem(div)
    if said is not None and not said.startswith("The narrative is empty"):
        return "txt-1"
    root = parse_xml(div.encode("utf-8"))
    for element in root.iter():
        if any(str(name) not in _ALLOWED for name in element.attrib):
            return "txt-1"
    # An image is content too, though it is no text.
    if said is not None and not any(etree.QName(e).localname == "img" for e in root.iter()):
        return "txt-2"
    return None

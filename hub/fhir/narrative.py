"""The narrative's XHTML: no active content (R4 4.0.1 Narrative, invariants txt-1 and txt-2)."""

from __future__ import annotations

from typing import Final

from lxml import etree

from hub.errors import HubError
from hub.fhir.codec import parse_xml

XHTML: Final = "http://www.w3.org/1999/xhtml"

_BASIC: Final = (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2"
    " h3 h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td tfoot th"
    " thead tr tt ul var"
)
_ELEMENTS: Final = frozenset(_BASIC.split())
_SCHEMES: Final = ("http:", "https:", "mailto:", "tel:", "#", "data:image/")


def narrative_problem(div: str) -> str | None:
    """What is wrong with a ``text.div``, free of its content; None if nothing is."""
    try:
        root = parse_xml(div.encode("utf-8"))
    except HubError:
        return "The narrative is not well-formed XHTML"
    if root.tag != f"{{{XHTML}}}div":
        return "The narrative is not an XHTML div"
    problem = next((p for element in root.iter() if (p := _element_problem(element))), None)
    if problem is None and not etree.tostring(root, method="text", encoding="unicode").strip():
        problem = "The narrative is empty; leave it out"
    return problem


def _element_problem(element: etree._Element) -> str | None:
    tag = etree.QName(element)
    if tag.namespace != XHTML or tag.localname not in _ELEMENTS:
        return "The narrative holds an element that is not basic formatting; leave it out"
    for name, value in element.attrib.items():
        if str(name).lower().startswith("on"):
            return "The narrative holds an event attribute; leave it out"
        link = str(value).strip().lower()
        if name in {"href", "src"} and ":" in link and not link.startswith(_SCHEMES):
            return "The narrative holds a link that is not http, mailto or tel; leave it out"
    return None

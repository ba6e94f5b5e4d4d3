"""The format's schema, and a document's bytes as a checked tree."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lxml import etree

from adapters.xml_plan.document import Opened, XmlFormat
from adapters.xml_plan.schema import Schema
from hub.codes import LocalCodes
from hub.errors import Issue, Unsupported
from hub.fhir.codec import parse_xml

ROOT: Final = "CoordinatedActionPlan"
PATH: Final = f"/{ROOT}"
KIND: Final = "koordinerende-indsatsplan"
"""The one kind of document that is a KI-plan."""

_FILE = Path(__file__).with_name("ki-plan-1.0.xsd")
_XS = "{http://www.w3.org/2001/XMLSchema}"


def _repeated(file: Path) -> frozenset[str]:
    """Elements that may stand several times; a name is repeatable everywhere or nowhere."""
    elements = etree.parse(file).iter(f"{_XS}element")
    return frozenset(str(e.get("name")) for e in elements if e.get("maxOccurs") == "unbounded")


FORMAT: Final = XmlFormat(
    "ki-plan-xml",
    Schema(
        _FILE,
        versions="https://ki-hub.example/xml/ki-plan/",
        roots=(ROOT,),
        items=_repeated(_FILE),
    ),
)


_OTHER: Final = Issue(
    "error",
    Unsupported.code,
    f"The document is not marked as a KI-plan ({KIND}), so it is not read as one; other documents "
    "have other formats",
    f"{PATH}/MessageHeader/DocumentKindCode",
    f"Dokumentet er ikke mærket som en KI-plan ({KIND}) og læses derfor ikke som en; andre "
    "dokumenter har andre formater",
)


def q(name: str) -> str:
    """The element's name in the format's namespace, as lxml writes it."""
    return f"{{{FORMAT.schema.namespace}}}{name}"


def read(body: bytes, local: LocalCodes | None = None) -> Opened:
    """A valid document that is marked as a KI-plan.

    Minutes of another meeting, or a plan made without the citizen, would fit much of the
    template; only their author can say that they are a KI-plan. Raises Unsupported for a document
    that is not marked as one, and what :meth:`adapters.xml_plan.document.XmlFormat.opened` raises.
    """
    root = parse_xml(body)
    if root.tag == q(ROOT):
        kind = root.findtext(f"{q('MessageHeader')}/{q('DocumentKindCode')}") or ""
        if kind.strip() != KIND:
            raise Unsupported(_OTHER.text, issues=(_OTHER,))
    return FORMAT.opened(body, local)

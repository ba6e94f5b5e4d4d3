"""A notice as XML, by ``ki-notice-1.0.xsd``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lxml import etree

from adapters.xml_plan.schema import Schema
from adapters.xml_plan.text import xml_text
from hub.contract import Context, Notice, Party
from hub.errors import CannotRender
from hub.fhir import names

SCHEMA: Final = Schema(
    Path(__file__).with_name("ki-notice-1.0.xsd"),
    versions="https://ki-hub.example/xml/ki-notice/",
    roots=("Notice",),
    items=frozenset(),
)
_NUMBERS: Final = {
    "SORIdentifier": names.SOR,
    "GLNIdentifier": names.GLN,
    "ProviderIdentifier": names.YDERNUMMER,
    "LocalUnitIdentifier": names.LOCAL_UNIT,
}


def form(notice: Notice, kind: str, receiver: Party, context: Context) -> tuple[bytes, bool]:
    """The document, and whether the text stands in it as it is.

    ``kind`` is the form's own code. Raises CannotRender for a plan id the schema does not allow.
    """
    root = etree.Element(_q("Notice"), nsmap={None: SCHEMA.namespace})  # type: ignore[dict-item]
    _add(root, "MessageIdentifier", context.id_for("notice"))
    _add(root, "SentDateTime", context.now.isoformat(timespec="seconds"))
    _add(root, "NoticeKindCode", kind)
    _add(root, "SharedPlanIdentifier", notice.plan_id)
    _unit(root, "Sender", context.sender)
    _unit(root, "Receiver", receiver)
    _add(root, "NoticeText", notice.text)
    etree.indent(root)
    if SCHEMA.issues_of(root):
        raise CannotRender("The notice holds values that the ki-notice schema does not allow")
    body = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return body + b"\n", xml_text(notice.text) == notice.text


def _unit(root: etree._Element, name: str, party: Party) -> None:
    element = etree.SubElement(root, _q(name))
    for number, system in _NUMBERS.items():
        value = party.identifier(system)
        if value is not None:
            _add(element, number, value)
    _add(element, "UnitName", party.name)


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, _q(name)).text = xml_text(text)


def _q(name: str) -> str:
    return f"{{{SCHEMA.namespace}}}{name}"

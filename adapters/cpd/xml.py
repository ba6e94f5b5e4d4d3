"""CDA elements: the namespace, identifiers, times, and the identifiers of CPD-DK."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from lxml import etree

from adapters.xml_plan.text import xml_text
from hub.errors import CannotRender
from hub.mapping.trace import wrote

NAMESPACE: Final = "urn:hl7-org:v3"
LOINC: Final = "2.16.840.1.113883.6.1"
MEDCOM: Final = "1.2.208.184"
MEDCOM_CODES: Final = "1.2.208.184.100.1"
CONFIDENTIALITY: Final = "2.16.840.1.113883.5.25"
SOR: Final = "1.2.208.176.1.1"
DOCUMENT: Final = "1.2.208.184.15.1"
"""CPD-DK: the document, and the root of its sections and entries."""
ENTRY_DATE: Final = "2018-09-28"
"""Extension of every section's and entry's templateId."""
VERSION_EVENT: Final = "1.2.208.184.10.1.10"
VALIDITY_EVENT: Final = "1.2.208.184.10.1.11"
VERSION: Final = "cpd-v2.0.0"

_COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")
_DIGITS = re.compile(r"\D")


def root() -> etree._Element:
    """An empty ClinicalDocument."""
    return etree.Element(_q("ClinicalDocument"), nsmap={None: NAMESPACE})  # type: ignore[dict-item]


def add(parent: etree._Element, name: str, text: str | None = None, **given: str) -> etree._Element:
    """A new last child; text and attribute values as XML may hold them."""
    element = etree.SubElement(parent, _q(name))
    for attribute, value in given.items():
        element.set(attribute, xml_text(value))
        wrote(element, value, attribute)
    if text is not None:
        element.text = xml_text(text)
        wrote(element, text)
    return element


def stamp(moment: datetime) -> str:
    """A point in time as HL7 v3 writes it, on the Danish clock: ``20261123160000+0100``."""
    return moment.astimezone(_COPENHAGEN).strftime("%Y%m%d%H%M%S%z")


def time_of(value: str) -> str:
    """A FHIR date or dateTime as HL7 v3 writes it, no more precise than it was."""
    if "T" in value:
        return stamp(datetime.fromisoformat(value))
    return _DIGITS.sub("", value)


def item_id(parent: etree._Element, plan: str, id: str) -> etree._Element:
    """An id; one that is no UUID is known within its plan."""
    return add(parent, "id", root=id) if _is_uuid(id) else add(
        parent, "id", root=plan, extension=id
    )  # fmt: skip


def plan_uuid(plan_id: str) -> str:
    """The plan's id, which every version of the document shares."""
    if not _is_uuid(plan_id):
        raise CannotRender("CPD-DK names a plan by a UUID, and this id is none")
    return plan_id


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"

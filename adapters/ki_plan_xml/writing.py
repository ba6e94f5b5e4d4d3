"""A record written as XML, its elements in the order that the schema gives them."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from lxml import etree

from adapters.ki_plan_xml.document import FORMAT, ROOT, q
from adapters.xml_plan.text import xml_text
from hub.mapping.trace import wrote

Record = dict[str, Any]

IN_ORDER: Final = "*"
"""Key of a record's members of different names whose own order counts: pairs (name, record)."""

_XS = "{http://www.w3.org/2001/XMLSchema}"


def document(record: Record) -> etree._Element:
    """The root element of the record: a member that is None is left out, an empty one stands."""
    root = etree.Element(q(ROOT), nsmap={None: FORMAT.schema.namespace})  # type: ignore[dict-item]
    _fill(root, record, f"{ROOT}Type")
    etree.indent(root)
    return root


def _fill(parent: etree._Element, record: Record, type_name: str) -> None:
    types = element_types()[type_name]
    unknown = set(record) - set(types) - {IN_ORDER}
    if unknown:
        raise KeyError(f"{type_name} has no {', '.join(sorted(unknown))}")
    for name, child_type in types.items():
        value = record.get(name)
        for member in value if isinstance(value, list) else [value]:
            _add(parent, name, member, child_type)
    for name, member in record.get(IN_ORDER, ()):
        _add(parent, name, member, types[name])


def _add(parent: etree._Element, name: str, value: Any, type_name: str) -> None:
    if value is None:
        return
    element = etree.SubElement(parent, q(name))
    if isinstance(value, dict):
        _fill(element, value, type_name)
    else:
        element.text = xml_text(str(value))
        wrote(element, value)


@cache
def element_types() -> dict[str, dict[str, str]]:
    """For each complex type of the schema, its elements in order, each with its type."""
    types = etree.parse(FORMAT.schema.file).iter(f"{_XS}complexType")
    return {
        str(t.get("name")): {
            str(e.get("name")): str(e.get("type")).partition(":")[2]
            for e in t.iter(f"{_XS}element")
        }
        for t in types
    }

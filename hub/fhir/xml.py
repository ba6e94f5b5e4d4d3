"""FHIR XML and FHIR JSON as each other (R4 "XML", 2.6.1, and "JSON", 2.6.2). Lossless.

Element order, attributes and types come from :mod:`hub.fhir.types`. Decimals keep their lexeme,
primitives their ids and extensions, repeated primitives their places, the narrative its markup.
JSON values are those of :mod:`hub.fhir.codec`. What R4 has no place for is refused, never left
out; errors name places by R4's own names, never values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from hub.contract import Resource
from hub.errors import CannotRender, InputRefused, Malformed
from hub.fhir.codec import decimal, parse_xml
from hub.fhir.types import Element, Shape, is_resource, shape_of

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?")
_INTEGERS: Final = frozenset({"integer", "positiveInt", "unsignedInt"})


def to_xml(resource: Resource) -> bytes:
    """A resource as UTF-8 XML with a declaration.

    Raises CannotRender where the JSON holds what R4 has no element for, or a character that XML
    cannot carry.
    """
    try:
        root = _resource_to(resource, None)
    except ValueError as e:
        # lxml refuses control characters; its message may quote the text.
        raise CannotRender("The resource holds a character that XML cannot carry") from e
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def from_xml(body: bytes) -> Resource:
    """The resource in an XML document; raises Malformed or TooLarge, without a value."""
    return _resource_from(parse_xml(body), "Resource")


# JSON to XML


def _resource_to(resource: Any, parent: etree._Element | None) -> etree._Element:
    kind = resource.get("resourceType") if isinstance(resource, Mapping) else None
    shape = shape_of(kind) if isinstance(kind, str) and is_resource(kind) else None
    if shape is None:
        raise CannotRender("A resource in it is of no type of R4")
    made = _make(parent, shape.type)
    _fill(made, resource, shape, shape.type)
    return made


def _make(parent: etree._Element | None, name: str) -> etree._Element:
    if parent is None:
        # The stubs have no None among prefixes; lxml takes it for the default namespace.
        return etree.Element(f"{{{FHIR}}}{name}", nsmap={None: FHIR})  # type: ignore[dict-item]
    return etree.SubElement(parent, f"{{{FHIR}}}{name}")


def _fill(made: etree._Element, value: Any, shape: Shape, place: str) -> None:
    """Attributes and children of one element, in R4's order."""
    if not isinstance(value, Mapping):
        raise CannotRender("An element with parts is not a JSON object", at=place)
    names = shape.by_name
    plain = {name.removeprefix("_") for name in value if name != "resourceType"}
    if unknown := plain - names.keys():
        text = f"{len(unknown)} members that R4 has no element for"
        raise CannotRender(text, at=place)
    for name in sorted(plain, key=lambda n: names[n][0]):
        _, element, code = names[name]
        if element.attribute:
            if not isinstance(value.get(name), str) or f"_{name}" in value:
                raise CannotRender("What XML has as an attribute is a text alone", at=place)
            made.set(name, value[name])
            continue
        for item, beside in _pairs(value.get(name), value.get(f"_{name}")):
            _child(made, name, element, code, item, beside, f"{place}.{name}")


def _pairs(value: Any, beside: Any) -> Iterator[tuple[Any, Any]]:
    """A value and what stands beside it under ``_name``, place by place."""
    if not isinstance(value, list) and not isinstance(beside, list):
        yield value, beside
        return
    values = value if isinstance(value, list) else []
    others = beside if isinstance(beside, list) else []
    for i in range(max(len(values), len(others))):
        yield (
            values[i] if i < len(values) else None,
            others[i] if i < len(others) else None,
        )


def _child(
    parent: etree._Element,
    name: str,
    element: Element,
    code: str,
    value: Any,
    beside: Any,
    place: str,
) -> None:
    if code == "xhtml":
        try:
            parent.append(parse_xml(str(value).encode()))
        except InputRefused:
            raise CannotRender("The narrative is not well-formed XHTML", at=place) from None
        return
    made = _make(parent, name)
    if code == "Resource":
        _resource_to(value, made)
        return
    shape = element.content or shape_of(code)
    if shape is not None:
        _fill(made, value, shape, place)
        return
    if value is not None:
        made.set("value", _lexeme(value, place))
    if beside is not None:
        own = shape_of("Element")
        assert own is not None
        _fill(made, beside, own, place)


def _lexeme(value: Any, place: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | Decimal | float):
        return str(value)
    raise CannotRender("A simple value is a JSON object or list", at=place)


# XML to JSON


def _resource_from(element: etree._Element, place: str) -> Resource:
    tag = etree.QName(element)
    if tag.namespace != FHIR:
        raise Malformed(f"The resource is not in the namespace {FHIR}", at=place)
    shape = shape_of(tag.localname) if is_resource(tag.localname) else None
    if shape is None:
        raise Malformed("The element is no resource type of R4", at=place)
    return {"resourceType": shape.type} | _content(element, shape, shape.type)


def _content(
    element: etree._Element, shape: Shape, place: str, *, primitive: bool = False
) -> dict[str, Any]:
    """Attributes and children as JSON members; wrong order and repetition are refused."""
    made = _attributes(element, shape, place, but="value" if primitive else "")
    _no_text(element, place)
    reached = -1
    for child in element:
        name = _name(child, shape, place)
        position, known, code = shape.by_name[name]
        if position < reached or (position == reached and not known.many):
            text = "Elements stand in R4's order, and once unless they repeat"
            raise Malformed(text, at=f"{place}.{name}")
        reached = position
        value, beside = _value(child, known, code, f"{place}.{name}")
        _put(made, name, value, beside, many=known.many)
    return _settled(made)


def _attributes(element: etree._Element, shape: Shape, place: str, *, but: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, text in element.attrib.items():
        if str(key).startswith(_XSI) or key == but:
            continue
        known = shape.by_name.get(str(key))
        if known is None or not known[1].attribute:
            raise Malformed("An attribute that R4 does not have here", at=place)
        made[str(key)] = str(text)
    return made


def _name(child: etree._Element, shape: Shape, place: str) -> str:
    tag = etree.QName(child)
    known = shape.by_name.get(tag.localname)
    wanted = XHTML if known is not None and known[2] == "xhtml" else FHIR
    if known is None or known[1].attribute or tag.namespace != wanted:
        raise Malformed("An element that R4 does not have here", at=place)
    return tag.localname


def _value(child: etree._Element, known: Element, code: str, place: str) -> tuple[Any, Any]:
    """The JSON value, and what goes beside it under ``_name``; None where there is none."""
    if code == "xhtml":
        return _markup(child), None
    if code == "Resource":
        _no_text(child, place)
        if len(child) != 1 or child.attrib:
            raise Malformed("Exactly one resource stands in this element", at=place)
        return _resource_from(child[0], place), None
    shape = known.content or shape_of(code)
    if shape is not None:
        found = _content(child, shape, place)
        if not found:
            raise Malformed("An element without content; leave it out", at=place)
        return found, None
    own = shape_of("Element")
    assert own is not None
    text = child.get("value")
    beside = _content(child, own, place, primitive=True)
    if text is None and not beside:
        raise Malformed("An element without a value or an extension; leave it out", at=place)
    return None if text is None else _read(text, code, place), beside or None


def _read(text: str, code: str, place: str) -> Any:
    if code == "boolean":
        if text not in {"true", "false"}:
            raise Malformed("Write true or false", at=place)
        return text == "true"
    if code in _INTEGERS:
        if not _INTEGER.fullmatch(text):
            raise Malformed("Write a whole number", at=place)
        return int(text)
    if code == "decimal":
        if not _DECIMAL.fullmatch(text):
            raise Malformed("Write a decimal number", at=place)
        # JSON has no other sign of a decimal than its point or exponent.
        return int(text) if text != "-0" and _INTEGER.fullmatch(text) else decimal(text)
    return text


def _put(made: dict[str, Any], name: str, value: Any, beside: Any, *, many: bool) -> None:
    if not many:
        if value is not None:
            made[name] = value
        if beside is not None:
            made[f"_{name}"] = beside
        return
    made.setdefault(name, []).append(value)
    made.setdefault(f"_{name}", []).append(beside)


def _settled(made: dict[str, Any]) -> dict[str, Any]:
    """Lists of nothing but nulls go: they only kept places while the others were read."""
    return {
        name: value
        for name, value in made.items()
        if not (isinstance(value, list) and all(v is None for v in value))
    }


def _no_text(element: etree._Element, place: str) -> None:
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in texts):
        raise Malformed("Text stands where R4 has elements only", at=place)


def _markup(div: etree._Element) -> str:
    """The narrative as a string with its own namespace declaration."""
    alone = deepcopy(div)
    alone.tail = None
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="unicode")

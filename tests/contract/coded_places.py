"""Every coded place of a document, found by R4's own tables or by the document's schema.

FHIR: the code of every Coding, and every element of type code (or string, or uri) that R4 binds as
required. XML: every element and attribute whose value the schema lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any, Final

from lxml import etree

from hub.fhir.validation.definitions import Element, Level
from hub.fhir.validation.tables import BaseTables
from hub.fhir.xml import to_xml
from tests.contract.adapter_samples import Sample
from tests.views import ROOT

UNKNOWN: Final = "zzz-unknown"
"""A code that no format has."""

_TABLES: Final = BaseTables()
_INDEX: Final = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Place:
    """One coded place, and the document with an unknown code there."""

    path: str
    """As an issue names it: a FHIRPath, or an XPath."""
    written: str
    """The same with the names as written, where FHIRPath has another (``valueCoding``)."""
    kind: str
    """The same for every place that is the same of its format: the path below its resource
    without indices, with the system and what the resource is held to."""
    body: Callable[[], bytes]


def places(sample: Sample, *, as_xml: bool = False) -> Iterator[Place]:
    """The places of a sample, in document order. ``as_xml``: FHIR JSON, sent as FHIR XML."""
    if sample.file.suffix == ".json":
        return _fhir_places(json.loads(sample.body), as_xml)
    return _xml_places(sample)


def distinct(found: Iterator[Place]) -> list[Place]:
    """The first place of each kind."""
    first: dict[str, Place] = {}
    for place in found:
        first.setdefault(place.kind, place)
    return list(first.values())


# FHIR


@dataclass(frozen=True)
class _At:
    """Where a value stands: steps from the document, as FHIRPath, and by JSON member names."""

    steps: tuple[str | int, ...]
    path: str
    written: str

    def below(self, name: str, step: str, index: int | None) -> _At:
        end = "" if index is None else f"[{index}]"
        steps = (*self.steps, name) if index is None else (*self.steps, name, index)
        return _At(steps, f"{self.path}.{step}{end}", f"{self.written}.{name}{end}")


def _fhir_places(document: dict[str, Any], as_xml: bool) -> Iterator[Place]:
    kind = document["resourceType"]
    for at, what in _codes(document, _At((), kind, kind), kind):
        yield Place(at.path, at.written, what, partial(_fhir_body, document, at.steps, as_xml))


def _fhir_body(document: dict[str, Any], steps: tuple[str | int, ...], as_xml: bool) -> bytes:
    changed: Any = deepcopy(document)
    holder = changed
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = UNKNOWN
    return to_xml(changed) if as_xml else json.dumps(changed).encode()


def _codes(resource: dict[str, Any], at: _At, around: str) -> Iterator[tuple[_At, str]]:
    """Each code in a resource, with its kind; ``around``: what the resource stands in."""
    shape = _TABLES.shape(resource["resourceType"])
    assert shape is not None, resource["resourceType"]
    held_to = ",".join(resource.get("meta", {}).get("profile", ()))
    for place, found in _below(resource, shape.level, at):
        if isinstance(found, dict):
            yield from _codes(found, place, f"{around} {found['resourceType']}")
        else:
            own = _INDEX.sub("", place.path.removeprefix(at.path))
            yield place, f"{around}{own} {found} {held_to}"


def _below(value: dict[str, Any], level: Level, at: _At) -> Iterator[tuple[_At, Any]]:
    """The resources inside, and of each code the system, the extension or the value set."""
    for name, content in value.items():
        if name.startswith("_"):
            yield from _beside(content, at.below(name, name[1:], None))
            continue
        if name not in level.members():
            continue
        element, ref = level.members()[name]
        many = enumerate(content) if isinstance(content, list) else [(None, content)]
        for i, one in many:
            place = at.below(name, element.step, i)
            if isinstance(one, dict) and "resourceType" in one:
                yield place, one
            elif isinstance(one, dict):
                yield from _below(one, _level(element, ref.code), place)
            elif isinstance(one, str) and _coded(name, element, ref.code, value):
                yield place, value.get("system") or value.get("url") or element.binding


def _beside(twin: Any, at: _At) -> Iterator[tuple[_At, Any]]:
    """The extensions that stand beside a simple value, or in its place."""
    if isinstance(twin, dict):
        yield from _below(twin, _level_of("Element"), at)
    elif isinstance(twin, list):
        for i, one in enumerate(twin):
            if one is not None:
                inside = _At((*at.steps, i), f"{at.path}[{i}]", f"{at.written}[{i}]")
                yield from _below(one, _level_of("Element"), inside)


def _coded(name: str, element: Element, kind: str, holder: dict[str, Any]) -> bool:
    return bool(element.binding) or kind == "code" or (name == "code" and "system" in holder)


def _level(element: Element, kind: str) -> Level:
    if element.content:
        return _TABLES.element(element.content).own or Level()
    return element.own or _level_of(kind)


def _level_of(kind: str) -> Level:
    shape = _TABLES.shape(kind)
    return shape.level if shape is not None else Level()


# XML


def _xml_places(sample: Sample) -> Iterator[Place]:
    schema = _schema(sample.format)
    document = etree.fromstring(sample.body)
    for number, element in enumerate(document.iter(etree.Element)):
        texts = [] if len(element) else [None]
        for attribute in (*texts, *element.attrib):
            changed = deepcopy(document)
            same = next(islice(changed.iter(etree.Element), number, None))
            if attribute is None:
                same.text = UNKNOWN
            else:
                same.set(attribute, UNKNOWN)
            if _outside_a_list(schema, changed):
                path = _xpath(element) + (f"/@{attribute}" if attribute else "")
                yield Place(path, path, _INDEX.sub("", path), partial(etree.tostring, changed))


def _outside_a_list(schema: etree.XMLSchema, document: etree._Element) -> bool:
    schema.validate(document)
    wanted = etree.ErrorTypes.SCHEMAV_CVC_ENUMERATION_VALID
    return any(error.type == wanted for error in schema.error_log)


@cache
def _schema(format: str) -> etree.XMLSchema:
    folder = ROOT / "adapters" / format.replace("-", "_")
    return etree.XMLSchema(file=str(next(folder.glob("*.xsd"))))


def _xpath(element: etree._Element) -> str:
    """By the elements' names, each with its number among its namesakes."""
    steps = []
    at: etree._Element | None = element
    while at is not None:
        number = sum(1 for _ in at.itersiblings(at.tag, preceding=True)) + 1
        steps.append(f"/{etree.QName(at).localname}[{number}]")
        at = at.getparent()
    return "".join(reversed(steps))

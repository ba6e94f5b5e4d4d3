"""Every published plan schema: documented in Danish, and told of by the adapter as it is."""

from __future__ import annotations

import pytest
from lxml import etree

from adapters.behandlingsplan.parse import FORMAT as BEHANDLINGSPLAN
from adapters.handleplan_141.parse import FORMAT as HANDLEPLAN
from adapters.ki_plan_xml.document import FORMAT as KI_PLAN
from adapters.udskrivningsaftale.parse import FORMAT as UDSKRIVNINGSAFTALE
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.schema import XS, sources

each_format = pytest.mark.parametrize(
    "format", [BEHANDLINGSPLAN, HANDLEPLAN, UDSKRIVNINGSAFTALE, KI_PLAN], ids=lambda f: f.name
)
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def types(format: XmlFormat) -> dict[str, etree._Element]:
    """Named complex types and groups, also those it has in common with other formats."""
    found = [t for tree in sources(format.schema.file) for t in tree.getroot()]
    kinds = {f"{XS}complexType", f"{XS}group"}
    return {str(t.get("name")): t for t in found if t.tag in kinds}


def reached(format: XmlFormat, start: set[str], stop: str = "") -> set[str]:
    """The types that elements of these types lead to."""
    known, todo, seen = types(format), list(start), set()
    while todo:
        here = todo.pop()
        if here in seen or here not in known or here == stop:
            continue
        seen.add(here)
        for used in known[here].iter(f"{XS}element", f"{XS}group", f"{XS}extension"):
            name = used.get("type") or used.get("ref") or used.get("base") or ""
            todo.append(name.rpartition(":")[2])
    return seen


@each_format
def test_paths_name_lists_as_the_schema_repeats_elements(format: XmlFormat) -> None:
    roots = etree.parse(format.schema.file).getroot().findall(f"{XS}element")
    assert {r.get("name") for r in roots} == set(format.schema.roots)
    own = reached(format, {str(r.get("type")).rpartition(":")[2] for r in roots}, "OtherPlansType")
    repeated = {
        e.get("name")
        for name in own
        for e in types(format)[name].iter(f"{XS}element")
        if e.get("maxOccurs") == "unbounded"
    }
    assert repeated == format.schema.items


@each_format
def test_everything_declared_is_documented_in_danish(format: XmlFormat) -> None:
    kinds = ("element", "complexType", "simpleType", "group", "enumeration", "unique", "keyref")
    for tree in sources(format.schema.file):
        for declared in tree.iter(*(f"{XS}{kind}" for kind in kinds)):
            if declared.get("ref"):
                continue
            note = declared.find(f"{XS}annotation/{XS}documentation")
            place = declared.get("name") or declared.get("value")
            assert note is not None, place
            assert note.get(_LANG) == "da", place
            assert (note.text or "").strip(), place


@each_format
def test_the_namespace_carries_the_version(format: XmlFormat) -> None:
    root = etree.parse(format.schema.file).getroot()
    assert root.get("targetNamespace") == format.schema.namespace
    name = format.name.removesuffix("-xml")
    assert format.schema.namespace == f"https://ki-hub.example/xml/{name}/1.0"
    assert format.schema.file.name == f"{name}-1.0.xsd"

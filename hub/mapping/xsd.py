"""An XML schema as data: its files, its declarations, and the elements of a type.

For schemas that name every type; groups, sequences and choices are gone through in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from lxml import etree

from hub.mapping.source import SourceElement

XS: Final = "{http://www.w3.org/2001/XMLSchema}"
MANY: Final = "unbounded"


def sources(file: Path) -> list[etree._ElementTree]:
    """The schema file and every file it includes."""
    tree = etree.parse(file)
    found = [tree]
    for include in tree.iter(f"{XS}include"):
        found += sources(file.parent / str(include.get("schemaLocation")))
    return found


def declarations(files: Sequence[etree._ElementTree]) -> dict[str, etree._Element]:
    """What has a name at the top of a file, by that name."""
    return {str(d.get("name")): d for s in files for d in s.getroot() if d.get("name")}


def plain(name: str | None) -> str:
    """A type's name without the prefix, except that of a built-in type."""
    if name is None:
        raise ValueError("A published schema names every type, so that its page can tell of it")
    return name if name.startswith("xs:") else name.rpartition(":")[2]


def members(
    part: etree._Element, declared: Mapping[str, etree._Element], *, choice: bool = False
) -> Iterator[tuple[etree._Element, bool]]:
    """Each element of a type, and whether it is one of several to choose from."""
    for step in part:
        if step.tag == f"{XS}element":
            yield step, choice
        elif step.tag == f"{XS}group":
            yield from members(declared[plain(step.get("ref"))], declared, choice=choice)
        elif step.tag in {f"{XS}sequence", f"{XS}choice"}:
            yield from members(step, declared, choice=choice or step.tag == f"{XS}choice")


@cache
def elements(file: Path, type_name: str) -> tuple[SourceElement, ...]:
    """The elements of a complex type; KeyError if the schema has none of that name."""
    declared = _declared(file)
    if declared[type_name].tag != f"{XS}complexType":
        raise KeyError(type_name)
    return tuple(
        SourceElement(
            str(step.get("name")),
            repeats=step.get("maxOccurs", "1") != "1",
            needed=step.get("minOccurs", "1") != "0" and not choice,
            codes=_codes(declared, plain(step.get("type"))),
            type=_complex(declared, plain(step.get("type"))),
            children=_children(file, plain(step.get("type"))),
        )
        for step, choice in members(declared[type_name], declared)
    )


@cache
def _declared(file: Path) -> dict[str, etree._Element]:
    return declarations(sources(file))


def _children(file: Path, type_name: str) -> Callable[[], Sequence[SourceElement]]:
    if not _complex(_declared(file), type_name):
        return tuple
    return lambda: elements(file, type_name)


def _complex(declared: Mapping[str, etree._Element], type_name: str) -> str:
    """The name of a complex type; empty for any other."""
    found = declared.get(type_name)
    return type_name if found is not None and found.tag == f"{XS}complexType" else ""


def _codes(declared: Mapping[str, etree._Element], type_name: str) -> tuple[str, ...]:
    found = declared.get(type_name)
    listed = [] if found is None else found.findall(f"{XS}restriction/{XS}enumeration")
    return tuple(str(e.get("value")) for e in listed)

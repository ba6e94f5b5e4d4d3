"""What R4 4.0.1 says of each type: its elements in order, from ``fhir_profiles/base/types.json``.

The file has one type a line and is read line by line on demand: a process that needs four types
parses four. Facts only; judging resources by them is the validator's work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import hub

_FILE: Final = Path(hub.__file__).parents[1] / "fhir_profiles" / "base" / "types.json"
_NESTED: Final = frozenset({"BackboneElement", "Element"})
"""Types whose content stands with the element itself."""


@dataclass(frozen=True)
class Element:
    """One element of a type, or of an element with content of its own."""

    name: str
    """Without ``[x]``."""
    types: tuple[str, ...]
    """Type codes without their targets: ``Reference``, ``string``, …; empty with ``content``."""
    required: bool
    many: bool
    attribute: bool
    """An XML attribute of its parent."""
    summary: bool
    content: Shape | None
    """The content of an element that has its own; None for one of a named type."""


@dataclass(frozen=True)
class Shape:
    """The elements of a type in the order R4 gives them, which XML must keep."""

    type: str
    path: str
    """Empty for the type itself, else the path of the element, such as ``activity.detail``."""

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """In order."""
        prefix = f"{self.path}." if self.path else ""
        rows = _table(self.type)["elements"]
        return tuple(
            _element(self.type, row)
            for row in rows
            if row[0].startswith(prefix) and "." not in row[0][len(prefix) :]
        )

    @cached_property
    def by_name(self) -> Mapping[str, tuple[int, Element, str]]:
        """JSON name to (position, element, type code): ``valueCode`` is ``value`` as a code."""
        found: dict[str, tuple[int, Element, str]] = {}
        for position, element in enumerate(self.elements):
            if element.content is not None:
                found[element.name] = (position, element, "")
            elif _is_choice(self.type, self.path, element.name):
                for code in element.types:
                    found[f"{element.name}{code[:1].upper()}{code[1:]}"] = (position, element, code)
            else:
                found[element.name] = (position, element, element.types[0])
        return found


def shape_of(name: str, path: str = "") -> Shape | None:
    """The shape of a type; None for a primitive and for what R4 has no type of."""
    # Only names that exist are remembered: others may be anything a sender wrote.
    if name not in _lines() or "elements" not in _table(name):
        return None
    return _shape(name, path)


def is_resource(name: str) -> bool:
    """A resource type of R4 that there can be instances of."""
    return name in _lines() and _is_concrete(_table(name))


def resource_types() -> frozenset[str]:
    """Every resource type of R4."""
    return frozenset(name for name in _lines() if is_resource(name))


@cache
def element_names() -> frozenset[str]:
    """The name of every element of every type of R4; of a choice, without the ``[x]``."""
    rows = (row for name in _lines() for row in _table(name).get("elements", ()))
    return frozenset(row[0].rpartition(".")[2].removesuffix("[x]") for row in rows)


def _is_concrete(table: Mapping[str, Any]) -> bool:
    return table["kind"] == "resource" and not table.get("abstract", False)


@cache
def _shape(name: str, path: str) -> Shape:
    return Shape(name, path)


@cache
def _is_choice(name: str, path: str, element: str) -> bool:
    whole = f"{path}.{element}[x]" if path else f"{element}[x]"
    return any(row[0] == whole for row in _table(name)["elements"])


def _element(owner: str, row: list[Any]) -> Element:
    path, least, most, types, *rest = row
    facts: Mapping[str, Any] = rest[0] if rest else {}
    codes = tuple(code.split("(", 1)[0] for code in types)
    content = None
    if "content" in facts:
        content = shape_of(owner, facts["content"])
    elif codes and codes[0] in _NESTED:
        content = shape_of(owner, path)
    return Element(
        name=path.rsplit(".", 1)[-1].removesuffix("[x]"),
        types=codes,
        required=least > 0,
        many=most != 1,
        attribute=bool(facts.get("attribute")),
        summary=bool(facts.get("summary")),
        content=content,
    )


@cache
def _lines() -> Mapping[str, str]:
    """Type name to its line of the file."""
    found = {}
    for line in _FILE.read_text("utf-8").splitlines():
        name, separator, _ = line.partition('":')
        if separator:
            found[name.removeprefix('"')] = line.rstrip(",")
    return found


@cache
def _table(name: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads("{" + _lines()[name] + "}")[name]
    return table

"""The base R4 types and value sets, read from the generated tables as they are needed.

The tables (``fhir_profiles/base``, made by :mod:`hub.runtime.base_tables`) have one JSON entry
per line. Opening them only finds the lines; a type is parsed when the first resource with it is
checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from hub.errors import Misconfigured
from hub.fhir.validation.definitions import (
    IN_THE_WALK,
    PRIMITIVES,
    Element,
    Level,
    Rule,
    Shape,
    TypeRef,
)
from hub.fhir.validation.expansion import Codes, Unexpanded

FOLDER: Final = Path(__file__).resolve().parents[3] / "fhir_profiles"
"""Beside ``hub`` in a checkout and in an installed wheel alike."""

_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"


class BaseTables:
    """R4 4.0.1: types by name, codes of value sets by canonical, regexes of primitives.

    Raises Misconfigured if the tables are not there. Safe to share between threads: an entry is
    made from its line and never changed after.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or FOLDER / "base"
        self._types = _lines(folder / "types.json")
        self._sets = _lines(folder / "valuesets.json")
        self._shapes: dict[str, Shape | None] = {}
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._codes: dict[str, Codes] = {}

    def shape(self, name: str) -> Shape | None:
        """A resource or complex type; None if R4 has none of that name."""
        if name not in self._shapes:
            if name not in self._types:
                # Not remembered: the name may be anything a sender wrote.
                return None
            self._shapes[name] = None if name in PRIMITIVES else self._shape(name)
        return self._shapes[name]

    def element(self, path: str) -> Element:
        """An element of R4 by its path from the type's name; KeyError if there is none."""
        kind, *steps, last = path.split(".")
        shape = self.shape(kind)
        level = shape.level if shape is not None else Level()
        for step in steps:
            level = level.elements[step].own or Level()
        return level.elements[last]

    def resource(self, name: str) -> bool:
        """That is a resource type which may stand in a message."""
        facts = self._entry(name) if name in self._types else {}
        return facts.get("kind") == "resource" and not facts.get("abstract")

    def is_a(self, name: str, kind: str) -> bool:
        """A type is another, or is derived from it (``CarePlan`` is a ``DomainResource``)."""
        return kind in self.lineage(name)

    def lineage(self, name: str) -> tuple[str, ...]:
        """The type and what it is derived from, nearest first; empty for no type of R4."""
        found: list[str] = []
        at: str | None = name
        while at is not None and at in self._types:
            found.append(at)
            at = self._entry(at).get("base")
        return tuple(found)

    def regex(self, primitive: str) -> re.Pattern[str] | None:
        """The form of a primitive's lexical value; None for xhtml, which has none."""
        written = self._entry(primitive).get("regex")
        return _compiled(written) if written else None

    def codes(self, value_set: str) -> Codes:
        """All codes of a value set that R4 binds as required; raises Unexpanded."""
        url = value_set.partition("|")[0]
        if url not in self._codes:
            if url not in self._sets:
                raise Unexpanded("not at hand")
            entry = json.loads(self._sets[url])
            if "unexpanded" in entry:
                raise Unexpanded(entry["unexpanded"])
            self._codes[url] = frozenset((s, c) for s, cs in entry["codes"].items() for c in cs)
        return self._codes[url]

    def named_of(self, system: str) -> frozenset[str]:
        """Codes of a system that some value set here has; empty where none does."""
        sets = (json.loads(line) for line in self._sets.values())
        return frozenset(c for entry in sets for c in entry.get("codes", {}).get(system, ()))

    def _entry(self, name: str) -> Mapping[str, Any]:
        if name not in self._facts:
            self._facts[name] = json.loads(self._types[name])
        return self._facts[name]

    def _shape(self, name: str) -> Shape:
        facts = self._entry(name)
        written = [r for n in self.lineage(name) for r in self._entry(n).get("rules", ())]
        rules = [_rule(r) for r in written if r[0] not in IN_THE_WALK]
        kind = facts.get("of", name)
        return Shape(kind, _level(kind, facts.get("elements", ())), tuple(rules))


def type_name(canonical: str) -> str | None:
    """``CarePlan`` of a canonical of base R4; None for anything else."""
    url = canonical.partition("|")[0]
    return url.removeprefix(_CORE) if url.startswith(_CORE) else None


def _lines(path: Path) -> dict[str, str]:
    """Entry name to its JSON text."""
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise Misconfigured(
            f"{path.name} of the base tables is missing; run `ki-hub profiles base`"
        ) from None
    found = {}
    for line in text.splitlines():
        if line.startswith('"'):
            end = line.index('":')
            found[line[1:end]] = line[end + 2 :].rstrip(",")
    return found


@cache
def _compiled(written: str) -> re.Pattern[str]:
    # R4's regexes are those of XML Schema, where white space is ASCII only.
    return re.compile(written, re.ASCII)


def _level(kind: str, entries: list[list[Any]]) -> Level:
    """The elements of a type as a tree, from their list in document order."""
    top = Level()
    levels = {"": top}
    for path, least, most, types, *facts in entries:
        above, _, name = path.rpartition(".")
        element = _element(f"{kind}.{path}", name, least, most, types, facts[0] if facts else {})
        level = levels.get(above)
        if level is None:
            level = levels[above] = Level()
            owner, _, last = above.rpartition(".")
            levels[owner].elements[last].own = level
        level.elements[name] = element
    return top


def _element(
    path: str, name: str, least: int, most: int, types: list[str], facts: Mapping[str, Any]
) -> Element:
    kind = path.partition(".")[0]
    return Element(
        path=path,
        name=name,
        min=least,
        max=None if most == 0 else max(most, 0),
        types=tuple(_ref(t) for t in types) or (TypeRef("BackboneElement"),),
        repeats=most == 0 or most > 1,
        binding=facts.get("binding"),
        content=f"{kind}.{facts['content']}" if "content" in facts else None,
        rules=tuple(_rule(r) for r in facts.get("rules", ())),
    )


def _ref(written: str) -> TypeRef:
    code, _, inside = written.removesuffix(")").partition("(")
    names = tuple(inside.split("|")) if inside else ()
    if code in {"Reference", "canonical"}:
        return TypeRef(code, targets=names)
    return TypeRef(code, profiles=names)


def _rule(written: list[str]) -> Rule:
    key, severity, expression, *best = written
    return Rule(key, severity, expression, best_practice=bool(best))


def unexpanded(folder: Path | None = None) -> Iterator[tuple[str, str]]:
    """The value sets with a required binding that cannot be checked code by code, and why."""
    for url, text in _lines((folder or FOLDER / "base") / "valuesets.json").items():
        entry = json.loads(text)
        if "unexpanded" in entry:
            yield url, entry["unexpanded"]

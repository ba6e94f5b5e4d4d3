"""The code tables as FHIR ConceptMaps (R4): one for each table, from all the rows that use it.

A pair without a system of its own gets the one that its place implies: on the FHIR side that of the
value set bound there, on the document's side the code list of its schema. A target that is a text
and no code is told by its display alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.codes import CodePair
from hub.contract import Resource
from hub.fhir import names
from hub.fhir.validation import Profiles
from hub.mapping.check_table import TableCheck
from hub.mapping.codes import CodeTable
from hub.mapping.findings import Finding
from hub.mapping.loading import TableFile
from hub.mapping.targets import Target, Unreachable

_STATUS: Final = "active"
_TEXTS: Final = frozenset({"string", "markdown"})


@dataclass(frozen=True)
class Place:
    """Where a row of a mapping writes a table's codes."""

    target: Target
    system: str
    """The system written beside the code; empty where the place implies it."""


def place_of(table: TableFile, row: Mapping[str, Any], profiles: Profiles) -> Place | None:
    """Of a row with codes; None where the profile has no such place (a finding of its own)."""
    check = TableCheck(table, profiles)
    targets = check.targets()
    if isinstance(targets, Finding):
        return None
    try:
        target = targets.find(row["target"].removeprefix(f"{table.resource}/"))
    except Unreachable:
        return None
    return Place(target, check.system(row))


def concept_map(
    table: CodeTable, places: Iterable[Place], profiles: Profiles, release: Mapping[str, str]
) -> Resource:
    """The ConceptMap of a code table; ``release`` gives version, date and publisher."""
    assert table.file is not None
    folder = table.file.parents[1].name
    found = list(places)
    texts = bool(found) and all(p.target.type in _TEXTS for p in found)
    groups: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    displays: dict[tuple[str, str], str] = {}
    for pair in table.pairs:
        source = pair.source_system or f"{names.BASE}/CodeSystem/{folder}-{table.name}"
        target = _system(pair, found, profiles)
        elements = groups.setdefault((source, target), {})
        elements.setdefault(pair.source_code, []).append(_target(pair, text=texts))
        displays.setdefault((source, pair.source_code), pair.source_display)
    return {
        "resourceType": "ConceptMap",
        "id": f"{folder}-{table.name}",
        "url": f"{names.BASE}/ConceptMap/{folder}-{table.name}",
        "version": release["version"],
        "name": _name(f"{folder}-{table.name}"),
        "title": f"{folder}: {table.name}",
        "status": _STATUS,
        "experimental": False,
        "date": release["date"],
        "publisher": release["publisher"],
        "description": f"Made from mappings/{folder}/codes/{table.name}.csv. Where several targets "
        "stand for one code, the first of them is written; the other way, the first source.",
        "group": [_group(key, elements, displays) for key, elements in groups.items()],
    }


def _system(pair: CodePair, places: Iterable[Place], profiles: Profiles) -> str:
    """The pair's own target system, else that of a place it is written to; empty for a text."""
    if pair.target_system:
        return pair.target_system
    for place in places:
        found = place.system or _bound(place, pair.target_code, profiles)
        if found:
            return found
    return ""


def _bound(place: Place, code: str, profiles: Profiles) -> str:
    """The system of a code in the value set bound at a place; empty if there is none."""
    bound = place.target.binding
    codes = profiles.terminology.codes(bound) if bound is not None else None
    return min((system for system, known in codes or () if known == code), default="")


def _group(
    key: tuple[str, str],
    elements: Mapping[str, list[dict[str, Any]]],
    displays: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    source, target = key
    return {
        "source": source,
        **({"target": target} if target else {}),
        "element": [
            {
                "code": code,
                **({"display": displays[(source, code)]} if displays[(source, code)] else {}),
                "target": targets,
            }
            for code, targets in elements.items()
        ],
    }


def _target(pair: CodePair, *, text: bool) -> dict[str, Any]:
    display = pair.target_display or (pair.target_code if text else "")
    return {
        **({} if text else {"code": pair.target_code}),
        **({"display": display} if display else {}),
        "equivalence": pair.equivalence,
        **({"comment": pair.comment} if pair.comment else {}),
    }


def _name(id: str) -> str:
    return "".join(word.capitalize() for word in id.replace("_", "-").split("-"))

"""Takes a JSON object apart into the elements it gives (R4 "JSON Representation", 2.6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.fhir.validation.definitions import Element, Level, TypeRef
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.naming import safe

Json = Mapping[str, Any]
_ABSENT: Final = object()


@dataclass(slots=True)
class Item:
    """One repetition of an element."""

    value: Any
    """None where only an extension stands in a simple value's place."""
    twin: Any
    """The id and extensions of a simple value: what the underscore member holds."""
    ref: TypeRef
    """The type that the member's name says."""
    path: str
    place: str
    """The path without the index."""
    full_url: str | None = None
    """Of the Bundle entry it is the resource of."""


def gather(
    value: Json, level: Level, path: str, findings: Findings, *, resource: bool
) -> dict[str, list[Item]]:
    """Element name to its repetitions; what cannot be one is reported.

    ``resource``: the object is a resource, so that it has a ``resourceType``.
    """
    members = level.members()
    groups: dict[str, list[Item]] = {}
    chosen: dict[str, str] = {}
    for name, content in value.items():
        plain = name.removeprefix("_")
        if plain != name and plain in value:
            continue
        at = members.get(plain)
        if at is None:
            if name != "resourceType" or not resource:
                findings.add("structure", "no-element", f"{path}.{safe(name)}")
            continue
        element, ref = at
        place = f"{path}.{element.step}"
        if plain != name and not ref.primitive:
            findings.add("structure", "not-primitive", place)
            continue
        if element.choice and chosen.setdefault(element.name, plain) != plain:
            findings.add("structure", "choice", place)
        twin = value.get(f"_{plain}", _ABSENT)
        if twin is not _ABSENT and not ref.primitive:
            findings.add("structure", "not-primitive", place)
            twin = _ABSENT
        own = _ABSENT if plain != name else content
        found = list(_items(element, ref, own, twin, place, findings))
        if element.name == "resource" and isinstance(value.get("fullUrl"), str):
            for item in found:
                item.full_url = value["fullUrl"]
        if found:
            groups.setdefault(element.name, []).extend(found)
    return groups


def _items(
    element: Element, ref: TypeRef, value: Any, twin: Any, place: str, findings: Findings
) -> Iterator[Item]:
    given = [one for one in (value, twin) if one is not _ABSENT]
    if any(one is None for one in given):
        findings.add("structure", "null", place)
    elif not element.repeats:
        if any(isinstance(one, list) for one in given):
            findings.add("structure", "is-array", place)
            return
        yield Item(_or_none(value), _or_none(twin), ref, place, place)
    elif not all(isinstance(one, list) for one in given):
        findings.add("structure", "not-array", place)
    elif not all(given):
        findings.add("structure", "empty-array", place)
    else:
        yield from _repeated(ref, given, value, twin, place, findings)


def _repeated(
    ref: TypeRef, given: list[Any], value: Any, twin: Any, place: str, findings: Findings
) -> Iterator[Item]:
    lengths = {len(one) for one in given}
    if len(lengths) > 1:
        findings.add("structure", "null-step", place, severity="warning")
    values = value if value is not _ABSENT else []
    twins = twin if twin is not _ABSENT else []
    for i in range(max(lengths)):
        one = values[i] if i < len(values) else None
        beside = twins[i] if i < len(twins) else None
        if one is None and beside is None:
            findings.add("structure", "null", f"{place}[{i}]")
            continue
        yield Item(one, beside, ref, f"{place}[{i}]", place)


def _or_none(value: Any) -> Any:
    return None if value is _ABSENT else value

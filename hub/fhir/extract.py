"""Small questions asked of FHIR elements: extensions, codes, references, labels, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hub.fhir import names

_OPEN: Final = frozenset({"U", "L", "M", "N"})
"""Unrestricted, low, moderate, normal."""


def extensions(element: Mapping[str, Any], url: str) -> list[dict[str, Any]]:
    """Every extension with that URL."""
    return [e for e in element.get("extension", ()) if e.get("url") == url]


def extension_value(element: Mapping[str, Any], url: str) -> Any:
    """The value[x] of the first extension with that URL, or None."""
    for found in extensions(element, url):
        for key, value in found.items():
            if key.startswith("value"):
                return value
    return None


def has_code(concepts: Iterable[Mapping[str, Any]], system: str, code: str) -> bool:
    """One of the CodeableConcepts carries that code."""
    return any(
        c.get("system") == system and c.get("code") == code
        for concept in concepts
        for c in concept.get("coding", ())
    )


def codes(concepts: Iterable[Mapping[str, Any]], system: str) -> list[str]:
    """All codes of that system."""
    return [
        c["code"]
        for concept in concepts
        for c in concept.get("coding", ())
        if c.get("system") == system and "code" in c
    ]


def references(value: Any) -> Iterator[str]:
    """Every ``reference`` anywhere below."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, Mapping):
            if isinstance(item.get("reference"), str):
                yield item["reference"]
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)


def sections(element: Mapping[str, Any]) -> tuple[str, ...]:
    """The section labels its author set."""
    return tuple(
        str(value)
        for e in extensions(element, names.SECTION)
        if (value := e.get("valueCode") or e.get("valueCoding", {}).get("code"))
    )


def is_protected(patient: Mapping[str, Any]) -> bool:
    """The citizen's name or address is protected (``meta.security`` v3-Confidentiality).

    Any label of that system but the open ones counts: what is not known is not taken for open.
    """
    labels = codes([{"coding": patient.get("meta", {}).get("security", ())}], names.CONFIDENTIALITY)
    return not set(labels) <= _OPEN


def full_name(resource: Mapping[str, Any]) -> str:
    """A HumanName as one line."""
    for name in resource.get("name", ()):
        if name.get("text"):
            return str(name["text"])
        return " ".join([*name.get("given", ()), name.get("family", "")]).strip()
    return ""


def placed(value: Any, path: str = "", place: str = "") -> Iterator[tuple[str, str, Any]]:
    """Each leaf: its path with indices, its place without them, its value.

    ``activity[0]/extension[1]/valueString`` is in the place ``activity/extension(fallback)/
    valueString``: an extension is named by its url, one of the hub's own by the last part.
    """
    if isinstance(value, Mapping):
        for name, child in value.items():
            here, there = (f"{x}/{name}" if x else str(name) for x in (path, place))
            yield from placed(child, here, there)
    elif isinstance(value, list):
        for i, child in enumerate(value):
            url = child.get("url") if isinstance(child, Mapping) else None
            named = f"({str(url).removeprefix(names.extension(''))})" if url else ""
            yield from placed(child, f"{path}[{i}]", place + named)
    elif value is not None:
        yield path, place, value

"""A piece of a plan in lines that a person can lay beside another's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import full_name
from hub.model.deciding import text_place
from hub.model.pieces import ORDER, Pieces

_TECHNICAL: Final = frozenset(
    {"list", "resourceType", "id", "meta", "subject", "patient", "category", "system", "intent"}
)
_IDENTIFIER: Final = re.compile(r"[0-9a-f-]{36}|[0-9.]+")
"""A code that is a UUID or a number."""
_WHO: Final = "member: "
_EXTENSION: Final = names.extension("")


def lines(piece: str, value: Any, resources: Mapping[str, Resource], pieces: Pieces) -> list[str]:
    """What it says, its text first; ``resources`` and ``pieces`` are what the reader may know.

    A reference to what is not among them is left out.
    """
    if value is None:
        return []
    if piece.startswith(ORDER):
        found = [lines(k, pieces.values[k], resources, pieces) for k in value if k in pieces.values]
        return [f"{i}. {_heading(item)}" for i, item in enumerate(found, 1) if item]
    name = piece.rpartition("/")[2] if piece.startswith(("plan/", "team/")) else ""
    if not isinstance(value, Mapping):
        return list(_leaves("" if isinstance(value, str) else name, value, resources))
    text = text_of(piece, value)
    said = [
        line
        for part in (value.get("resource"), value.get("link"), _plain(value))
        if part
        for line in _leaves(name, part, resources)
    ]
    rest = [x for x in said if not text or x.partition(": ")[2] != text]
    return ([text] if text else []) + list(dict.fromkeys(rest))


def text_of(piece: str, value: Any) -> str:
    """The one text of a piece; empty if it has none."""
    if piece in {"plan/title", "plan/description"}:
        return str(value or "")
    notes = value.get("resource", {}).get("note", ()) if isinstance(value, Mapping) else ()
    if piece.startswith("challenge/") and notes:
        return str(notes[0].get("text", ""))
    for name in text_place(piece) or ("",):
        value = value.get(name, {}) if isinstance(value, Mapping) else {}
    return value if isinstance(value, str) else ""


def _heading(said: list[str]) -> str:
    """Of an item in a list: whom it is about, else what it says first."""
    return next((x.removeprefix(_WHO) for x in said if x.startswith(_WHO)), said[0])


def _plain(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {} if "list" in value or "resource" in value else value


def _leaves(name: str, value: Any, resources: Mapping[str, Resource]) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "reference" in value:
            said = str(value.get("display") or _called(resources.get(str(value["reference"]), {})))
            # Without a name it is the list's own link: the item itself is told.
            if said and name:
                yield f"{name}: {said}"
            return
        if _IDENTIFIER.fullmatch(str(value.get("code", ""))) and value.get("display"):
            # Of a code that is no word, the word.
            yield f"code: {value['display']}"
            return
        if "url" in value:
            name = str(value["url"]).removeprefix(_EXTENSION).rpartition("/")[2]
        for key, item in value.items():
            if key not in _TECHNICAL and key != "url":
                own = name if key.startswith("value") or key in {"extension", "text"} else key
                yield from _leaves(own or key, item, resources)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(name, item, resources)
    else:
        yield f"{name}: {value}" if name else str(value)


def _called(resource: Mapping[str, Any]) -> str:
    """How a person would call it."""
    if isinstance(resource.get("name"), str):
        return str(resource["name"])
    words = (
        resource.get("practitioner", {}).get("display"),
        resource.get("description", {}).get("text")
        if isinstance(resource.get("description"), Mapping)
        else None,
        resource.get("code", {}).get("text") if isinstance(resource.get("code"), Mapping) else None,
        next((c.get("text") for c in resource.get("code", ()) if isinstance(c, Mapping)), None),
        full_name(resource) if isinstance(resource.get("name"), list) else None,
        next((str(r.get("text", "")) for r in resource.get("relationship", ())), None),
    )
    return next((str(w) for w in words if w), "")

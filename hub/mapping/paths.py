"""Paths into trees of dictionaries and lists.

Grammar: segments joined by ``/``; a segment is one of

- ``name``: a member; where it holds a list, the list's first member,
- ``name[0]``: the list member at that index, counted from 0,
- ``name[key=value]``: the list member with that fixed value, made when writing,
- ``name[*]``: every list member in turn; writing needs an index in its place,
- ``name[+key=value]``: every list member with that fixed value; each writing adds one.

In the value, ``@word`` stands for a name from the table's ``names``. The last segment is a leaf.
The separator is ``/`` because FHIR URLs hold dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_SEGMENT = re.compile(
    r"^(?P<name>[^\[\]]+)"
    r"(?:\[(?:(?P<index>\d+)|(?P<every>\*)|(?P<add>\+)?(?P<key>\w+)=(?P<value>.+))\])?$"
)


@dataclass(frozen=True)
class Segment:
    """One step of a path."""

    name: str
    index: int | None = None
    key: str | None = None
    value: str | None = None
    every: bool = False
    """More than one member can be meant: ``[*]`` or ``[+key=value]``."""

    def chosen(self, members: list[Any]) -> Iterator[tuple[int, Any]]:
        """The list members this segment means, each with its index."""
        for i, member in enumerate(members):
            if self.key is not None:
                fits = isinstance(member, Mapping) and member.get(self.key) == self.value
            else:
                fits = self.every or i == (self.index or 0)
            if fits:
                yield i, member
                if not self.every:
                    return


@lru_cache(maxsize=4096)
def parse_path(text: str) -> tuple[Segment, ...]:
    """The segments of a path; a ``/`` inside brackets belongs to the value. Raises ValueError."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "/" and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return tuple(_segment(part) for part in parts)


def _segment(part: str) -> Segment:
    match = _SEGMENT.match(part)
    if not match:
        raise ValueError(f"not a path segment: {part}")
    index = match["index"]
    return Segment(
        name=match["name"],
        index=int(index) if index else None,
        key=match["key"],
        value=match["value"],
        every=bool(match["every"] or match["add"]),
    )


def find(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every (place, value) the path means; a place carries an index at each list, as ``leaves``.

    A list's members are never skipped silently: what the path does not mean is not yielded, so
    that a caller can tell which leaves it has read.
    """
    found = [("", tree)]
    for segment in parse_path(path):
        found = [pair for place, here in found for pair in _step(place, here, segment)]
    yield from ((place, value) for place, value in found if value is not None)


def _step(place: str, here: Any, segment: Segment) -> Iterator[tuple[str, Any]]:
    if not isinstance(here, Mapping) or segment.name not in here:
        return
    name = f"{place}/{segment.name}" if place else segment.name
    value = here[segment.name]
    if isinstance(value, list):
        yield from ((f"{name}[{i}]", member) for i, member in segment.chosen(value))
    elif segment.key is None and not segment.index:
        yield name, value


def get(tree: Any, path: str) -> Any:
    """The first value the path means, or None."""
    return next((value for _, value in find(tree, path)), None)


Place = tuple[Any, str | int]
"""A dictionary or list, and the key or index in it."""


def put(tree: dict[str, Any], path: str, value: Any) -> Place:
    """Write the value, making what is missing on the way; where it stands now."""
    segments = parse_path(path)
    here: dict[str, Any] = tree
    for segment in segments[:-1]:
        here = _descend(here, segment)
    last = segments[-1]
    if last.index is not None:
        _member(here.setdefault(last.name, []), last.index)
        here[last.name][last.index] = value
        return here[last.name], last.index
    if last.key is not None or last.every:
        raise ValueError("a path to write must end in a leaf")
    here[last.name] = value
    return here, last.name


def _descend(here: dict[str, Any], segment: Segment) -> dict[str, Any]:
    if segment.index is not None:
        return _member(here.setdefault(segment.name, []), segment.index)
    if segment.key is None:
        found: dict[str, Any] = here.setdefault(segment.name, {})
        return found
    members: list[dict[str, Any]] = here.setdefault(segment.name, [])
    known = None if segment.every else next(segment.chosen(members), None)
    if known is None:
        members.append({segment.key: segment.value})
        return members[-1]
    return members[known[0]]


def _member(members: list[dict[str, Any]], index: int) -> dict[str, Any]:
    while len(members) <= index:
        members.append({})
    return members[index]


def at_index(path: str, index: int) -> str:
    """The path with its ``[*]`` replaced by an index, so that it can be written."""
    return path.replace("[*]", f"[{index}]")


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; list members carry their index."""
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from leaves(value, f"{prefix}/{name}" if prefix else str(name))
    elif isinstance(tree, list):
        for i, value in enumerate(tree):
            yield from leaves(value, f"{prefix}[{i}]")
    elif tree is not None:
        yield prefix, tree


def without_indices(path: str) -> str:
    """``a[0]/b[2]`` as ``a/b``: how a table row names it."""
    return re.sub(r"\[\d+\]", "", path)


def counted_from(path: str, first: int) -> str:
    """The same path with indices counted from ``first``: 1 makes it an XPath."""
    return re.sub(r"\[(\d+)\]", lambda m: f"[{int(m[1]) + first}]", path)

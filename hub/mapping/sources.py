"""A table against the schema of its documents: what it names is there, what is there it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hub.mapping.paths import Segment, parse_path
from hub.mapping.source import SourceElement

Elements = Sequence[SourceElement]


class Way(NamedTuple):
    """A path through the schema: each step with its element."""

    steps: tuple[tuple[Segment, SourceElement], ...]

    @property
    def element(self) -> SourceElement:
        """Where the path ends."""
        return self.steps[-1][1]

    @property
    def needed(self) -> bool:
        """It is in every document."""
        return all(element.needed for _, element in self.steps)

    @property
    def first_of_several(self) -> str | None:
        """A step that takes the first where the schema allows several; None if there is none."""
        for segment, element in self.steps:
            one = segment.index is None and segment.key is None and not segment.every
            if one and element.repeats:
                return element.name
        return None


def way(elements: Elements, path: str) -> Way | None:
    """The elements along a table's ``from``; None if the schema has no such path."""
    found, level = [], elements
    for segment in parse_path(path):
        element = next((e for e in level if e.name == segment.name), None)
        if element is None:
            return None
        found.append((segment, element))
        level = element.children()
    return Way(tuple(found))


def uncovered(elements: Elements, covered: Iterable[str]) -> Iterator[str]:
    """What no path covers: an element is covered by its own path or that of one around it.

    Of an element that is covered in part, each part that is not.
    """
    plain = {"/".join(s.name for s in parse_path(path)) for path in covered}
    yield from _uncovered(elements, plain, "")


def _uncovered(elements: Elements, plain: set[str], at: str) -> Iterator[str]:
    for element in elements:
        here = f"{at}{element.name}"
        if here in plain:
            continue
        if any(path.startswith(f"{here}/") for path in plain):
            yield from _uncovered(element.children(), plain, f"{here}/")
        else:
            yield here


def types_below(element: SourceElement, seen: frozenset[str] = frozenset()) -> set[str]:
    """The named types of an element and of all inside it."""
    if not element.type or element.type in seen:
        return set()
    around = seen | {element.type}
    inside = (types_below(child, around) for child in element.children())
    return {element.type}.union(*inside)

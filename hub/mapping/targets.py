"""Where a row's ``to`` leads in a profile, and why it cannot lead there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.fhir.validation import Profiles
from hub.fhir.validation.definitions import UNSET, Element, Level, Shape, TypeRef
from hub.fhir.validation.matching import equal, holds_pattern
from hub.fhir.validation.slicing import test_of
from hub.mapping.paths import Segment, parse_path

_TYPES: Final = {
    "integer": {"integer", "positiveInt", "unsignedInt"},
    "boolean": {"boolean"},
    "date": {"date", "dateTime", "instant"},
    "text": {
        "string", "markdown", "code", "uri", "url", "canonical", "id", "oid", "uuid",
        "base64Binary",
    },
}  # fmt: skip
"""A row's type to the FHIR primitives it can be."""


class Unreachable(Exception):
    """Why there is no such place in the profile."""


@dataclass(frozen=True)
class Stop:
    """One element on the way, with the type it has there."""

    segment: Segment
    element: Element
    ref: TypeRef


@dataclass(frozen=True)
class Target:
    """The way to an element; the last stop is the element itself."""

    stops: tuple[Stop, ...]

    @property
    def element(self) -> Element:
        """The element itself."""
        return self.stops[-1].element

    @property
    def type(self) -> str:
        """Its type here, such as ``code`` or ``Coding``."""
        return self.stops[-1].ref.code

    @property
    def demanded(self) -> bool:
        """It must be there in every such resource."""
        return all(stop.element.min for stop in self.stops)

    @property
    def holds_many(self) -> bool:
        """Each of several values gets a place of its own."""
        return any(stop.segment.every for stop in self.stops)

    @property
    def binding(self) -> str | None:
        """The value set its code must be of: its own, that of its Coding, or of its concept."""
        for stop in reversed(self.stops[-3:]):
            if stop.element.binding is not None:
                return stop.element.binding
            if stop is not self.stops[-1] and stop.ref.code != "Coding":
                break
        return None


class Targets:
    """Finds the way in one profile or type; safe to share while the profiles are."""

    def __init__(self, profiles: Profiles, start: Shape, part: str | None = None) -> None:
        self._profiles = profiles
        self._level = start.level
        if part:
            for segment in parse_path(part):
                self._level = self._inside(self._stop(self._level, segment))

    def find(self, path: str) -> Target:
        """The element at a path inside the table's resource; raises Unreachable saying why."""
        level, stops = self._level, list[Stop]()
        segments = parse_path(path)
        for number, segment in enumerate(segments):
            stop = self._stop(level, segment)
            stops.append(stop)
            if number + 1 < len(segments):
                level = self._inside(stop)
        return Target(tuple(stops))

    def _stop(self, level: Level, segment: Segment) -> Stop:
        element, ref = level.members().get(segment.name, (None, None))
        if element is None or ref is None:
            raise Unreachable(f"the profile has no {segment.name} there")
        if element.max == 0:
            raise Unreachable(f"the profile forbids {segment.name} there")
        self._fits(element, segment)
        if segment.key is None:
            return Stop(segment, element, ref)
        for part in element.slices.values():
            test = test_of(part, [segment.key], self._profiles)
            if test is not None and test(segment.value):
                return Stop(segment, part, part.types[0] if len(part.types) == 1 else ref)
        if ref.code == "Extension" and segment.key == "url":
            return Stop(segment, element, self._extension(str(segment.value)))
        return Stop(segment, element, ref)

    def _fits(self, element: Element, segment: Segment) -> None:
        """One place for a single element, an index for one that repeats, and within its maximum."""
        one = segment.index is None and segment.key is None and not segment.every
        if one and element.repeats:
            raise Unreachable(f"{segment.name} repeats: say [0], [*] or which one")
        if not one and not element.repeats:
            raise Unreachable(f"{segment.name} does not repeat")
        if segment.every and element.max == 1:
            raise Unreachable(f"the profile allows one {segment.name} only")
        if segment.index is not None and element.max is not None and segment.index >= element.max:
            raise Unreachable(f"the profile allows {element.max} of {segment.name} only")

    def _extension(self, url: str) -> TypeRef:
        if self._profiles.extension(url) is None:
            raise Unreachable(
                "no such extension is published, or the one around it has no such part"
            )
        return TypeRef("Extension", profiles=(url,))

    def _inside(self, stop: Stop) -> Level:
        if stop.element.own is not None:
            return stop.element.own
        if stop.element.content is not None:
            source = self._profiles.tables.element(stop.element.content)
            return source.own or Level()
        name = stop.ref.profiles[0] if stop.ref.profiles else stop.ref.code
        shape = self._profiles.shape(name) or self._profiles.shape(stop.ref.code)
        if shape is None:
            raise Unreachable(f"{stop.segment.name} is a {stop.ref.code}, which has no elements")
        return shape.level


def value_problem(target: Target, value: Any, profiles: Profiles) -> str | None:
    """Why a fixed value cannot stand there; None if it can."""
    element = target.element
    for one in value if isinstance(value, list) else [value]:
        if element.fixed is not UNSET and not equal(one, element.fixed):
            return "the profile fixes another value there"
        if element.pattern is not UNSET and not holds_pattern(one, element.pattern):
            return "the profile has another pattern there"
        kind = "boolean" if isinstance(one, bool) else "integer" if isinstance(one, int) else "text"
        if target.type not in _TYPES[kind]:
            return f"the value is no {target.type}"
        bound = element.binding
        path = element.path
        if bound and not profiles.terminology.allows_code(bound, str(one), path):
            return f"{one} is not in {bound}"
    return None


def type_problem(target: Target, kind: str, *, coding: bool, comes_in: bool) -> str | None:
    """Why a row's values cannot stand there; None if they can. On the way out all is text."""
    if coding:
        return None if target.type == "Coding" else f"the target is a {target.type}, no Coding"
    if not target.stops[-1].ref.primitive:
        return f"the target is a {target.type}, which has elements of its own"
    if comes_in and target.type not in _TYPES[kind]:
        return f"the row's type is {kind}, and the target is a {target.type}"
    return None


def outside(
    target: Target, pairs: Sequence[tuple[str, str]], profiles: Profiles
) -> tuple[str, list[int]]:
    """The value set bound there, and which of some (system, code) are not in it, by position.

    A pair without a system is compared by its code alone. Nothing is outside of a value set that
    cannot be listed.
    """
    bound = target.binding
    if bound is None:
        return "", []
    known = profiles.terminology.codes(bound)
    if known is None:
        return bound, []
    plain = {code for _, code in known}
    return bound, [
        n for n, (system, code) in enumerate(pairs)
        if ((system, code) not in known if system else code not in plain)
    ]  # fmt: skip

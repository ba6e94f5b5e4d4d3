"""Which slice a repetition belongs to (R4 profiling, 5.1.0.7 to 5.1.0.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from hub.fhir.validation.definitions import UNSET, Discriminator, Element, Level, Shape
from hub.fhir.validation.matching import Typed, equal, holds_pattern, reach, steps_of
from hub.fhir.validation.profiles import Profiles
from hub.fhir.validation.scope import Scope

Test = Callable[[Any], bool]
Conforms = Callable[[Any, str, Scope], bool]
"""A resource or value conforms to a profile, by its canonical."""


class Slicer:
    """Tells slices apart for one set of profiles."""

    def __init__(self, profiles: Profiles, conforms: Conforms) -> None:
        self._profiles = profiles
        self._conforms = conforms

    def slice_of(self, element: Element, value: Any, kind: str, scope: Scope) -> str | None:
        """The name of the slice that a repetition is in; None if it is in none."""
        slicing = element.slicing
        if slicing is None or not slicing.discriminators:
            return None
        for name, part in element.slices.items():
            if all(self._fits(part, d, (value, kind), scope) for d in slicing.discriminators):
                return name
        return None

    def _fits(self, part: Element, by: Discriminator, item: Typed, scope: Scope) -> bool:
        steps = steps_of(by.path)
        actual = reach(item, steps, scope.resolve)
        if by.kind == "exists":
            target = target_of(part, steps, self._profiles)
            return bool(actual) == (target is None or target.max != 0)
        if by.kind == "type":
            wanted = self._types(part, steps)
            return any(self._is_one(kind, wanted) for _, kind in actual)
        if by.kind == "profile":
            wanted = self._asked(part, steps)
            return any(self._conforms(v, url, scope) for v, _ in actual for url in wanted)
        test = test_of(part, steps, self._profiles)
        return test is not None and any(test(value) for value, _ in actual)

    def _is_one(self, kind: str | None, wanted: list[str]) -> bool:
        return kind is not None and any(self._profiles.tables.is_a(kind, w) for w in wanted)

    def _types(self, part: Element, steps: list[str]) -> list[str]:
        if steps and steps[-1] == "resolve()":
            return [self._profiles.type_of(url) or url for url in self._asked(part, steps)]
        target = target_of(part, steps, self._profiles)
        return [ref.code for ref in target.types] if target is not None else []

    def _asked(self, part: Element, steps: list[str]) -> list[str]:
        """The profiles (or types) that the place's type, or its target, is to conform to."""
        through = bool(steps) and steps[-1] == "resolve()"
        target = target_of(part, steps[:-1] if through else steps, self._profiles)
        refs = target.types if target is not None else ()
        return [url for ref in refs for url in (ref.targets if through else ref.profiles)]


def target_of(part: Element, steps: list[str], profiles: Profiles) -> Element | None:
    """The definition that a path leads to inside a slice."""
    at: Element | None = part
    for step in steps:
        if at is None:
            return None
        level = _level(at, step, profiles)
        at = (level.elements.get(step) or level.elements.get(f"{step}[x]")) if level else None
    return at


def test_of(part: Element, steps: list[str], profiles: Profiles) -> Test | None:
    """What a value at a path must be for the slice; None if the slice does not say."""
    at: Element | None = part
    for done, step in enumerate(steps):
        if at is None:
            return None
        said = _said(at, steps[done:])
        if said is not None:
            return said
        if step == "url" and len(at.types) == 1 and len(at.types[0].profiles) == 1:
            url = at.types[0].profiles[0]
            return lambda value: bool(value == url)
        at = target_of(at, [step], profiles)
    return _at_end(at, profiles) if at is not None else None


def _said(at: Element, rest: list[str]) -> Test | None:
    """A fixed or pattern value above the path's end says what stands there, if it has it."""
    for written, test in ((at.fixed, equal), (at.pattern, holds_pattern)):
        if written is UNSET:
            continue
        wanted = [value for value, _ in reach((written, None), rest, lambda _: None)]
        if wanted:
            return lambda value, w=wanted, t=test: any(t(value, one) for one in w)  # type: ignore[misc]
    return None


def _at_end(at: Element, profiles: Profiles) -> Test | None:
    if at.fixed is not UNSET:
        return lambda value: equal(value, at.fixed)
    if at.pattern is not UNSET:
        return lambda value: holds_pattern(value, at.pattern)
    if at.binding is not None and profiles.terminology.codes(at.binding) is not None:
        return _bound(at, at.binding, profiles)
    inner = dict(_inner(at.own, profiles)) if at.own is not None else {}
    if not inner:
        return None
    return lambda value: all(
        any(test(found) for found, _ in reach((value, None), [name], lambda _: None))
        for name, test in inner.items()
    )


def _inner(level: Level, profiles: Profiles) -> Iterator[tuple[str, Test]]:
    """The tests that children of a place pose: a slice may fix the system of a Coding only."""
    for element in level.elements.values():
        said = element.fixed is not UNSET or element.pattern is not UNSET or element.own is not None
        test = _at_end(element, profiles) if said else None
        if test is not None:
            yield element.step, test


def _bound(at: Element, value_set: str, profiles: Profiles) -> Test:
    def test(value: Any) -> bool:
        if isinstance(value, str):
            return profiles.terminology.allows_code(value_set, value, at.path)
        return isinstance(value, dict) and profiles.terminology.allows(
            value_set, at.types[0].code, value
        )

    return test


def _level(at: Element, step: str, profiles: Profiles) -> Level | None:
    if step == "resolve()":
        shapes = [profiles.shape(url) for ref in at.types for url in ref.targets]
        found = [shape for shape in shapes if shape is not None]
        return found[0].level if len(found) == 1 else None
    if at.own is not None:
        return at.own
    shape: Shape | None = None
    if len(at.types) == 1:
        ref = at.types[0]
        shape = profiles.shape(ref.profiles[0] if len(ref.profiles) == 1 else ref.code)
    return shape.level if shape is not None else None


DECIDABLE: Final = frozenset({"value", "pattern"})
"""Kinds of discriminator for which a slice must say what it wants."""


def undecidable(shape: Shape, profiles: Profiles) -> list[str]:
    """Slices of a profile that its discriminators cannot tell apart, by path and name."""
    return [
        f"{element.path}:{name}"
        for element in _sliced(shape.level)
        for name, part in element.slices.items()
        for by in (element.slicing.discriminators if element.slicing is not None else ())
        if by.kind in DECIDABLE and test_of(part, steps_of(by.path), profiles) is None
    ]


def _sliced(level: Level) -> Iterator[Element]:
    for element in level.elements.values():
        if element.slices:
            yield element
        for inner in (element, *element.slices.values()):
            if inner.own is not None:
                yield from _sliced(inner.own)

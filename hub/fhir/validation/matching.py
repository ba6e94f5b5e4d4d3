"""Comparing JSON values with what a profile fixes, and finding values by a simple path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from hub.fhir.validation.definitions import PRIMITIVES

Typed = tuple[Any, str | None]
"""A value with its type where the path tells it."""

_STEP: Final = re.compile(r"\.(?![^(]*\))")
_EXTENSION: Final = re.compile(r"extension\(['\"]([^'\"]+)['\"]\)")
_OF_TYPE: Final = re.compile(r"ofType\((\w+)\)")


def equal(one: Any, other: Any) -> bool:
    """The same JSON value; numbers by value, but true is no 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return Decimal(str(one)) == Decimal(str(other))
    return bool(one == other)


def holds_pattern(value: Any, pattern: Any) -> bool:
    """A value has everything that a pattern has (R4 ElementDefinition.pattern[x])."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(
            k in value and holds_pattern(value[k], v) for k, v in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(holds_pattern(one, wanted) for one in value) for wanted in pattern
        )
    return equal(value, pattern)


def steps_of(path: str) -> list[str]:
    """The steps of a discriminator's path; none for ``$this``."""
    found = [step for step in _STEP.split(path) if step != "$this"]
    return found if found != [""] else []


def reach(
    start: Typed, steps: list[str], resolve: Callable[[str], Mapping[str, Any] | None]
) -> list[Typed]:
    """The values that a discriminator's path leads to.

    Steps are names, ``resolve()``, ``extension('url')`` and ``ofType(Type)``: the restricted
    FHIRPath of R4 profiling, 5.1.0.8.
    """
    found = [start]
    for step in steps:
        found = [after for value, kind in found for after in _after(value, kind, step, resolve)]
    return found


def _after(
    value: Any,
    kind: str | None,
    step: str,
    resolve: Callable[[str], Mapping[str, Any] | None],
) -> Iterator[Typed]:
    if match := _OF_TYPE.fullmatch(step):
        if kind == match[1]:
            yield value, kind
    elif not isinstance(value, Mapping):
        return
    elif step == "resolve()":
        reference = value.get("reference")
        target = resolve(reference) if isinstance(reference, str) else None
        if target is not None:
            yield target, str(target.get("resourceType"))
    elif match := _EXTENSION.fullmatch(step):
        found = value.get("extension")
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Mapping) and one.get("url") == match[1]:
                yield one, "Extension"
    else:
        yield from _members(value, step)


def _members(value: Mapping[str, Any], name: str) -> Iterator[Typed]:
    for member, item in value.items():
        suffix = member[len(name) :] if member.startswith(name) else None
        if suffix is None or (suffix and not suffix[0].isupper()):
            continue
        lowered = suffix[:1].lower() + suffix[1:]
        kind = lowered if lowered in PRIMITIVES else suffix or None
        for one in item if isinstance(item, list) else [item]:
            yield one, kind

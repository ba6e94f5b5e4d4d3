"""Evaluates invariants with fhirpathpy, each expression compiled once.

fhirpathpy works on plain JSON values. What it lacks is supplied here (``hasValue``,
``htmlChecks``, ``resolve``, ``memberOf``, ``conformsTo``); its tracing is silenced, because
R4's own rules trace values to standard output. What it cannot do at all is done in
:mod:`hub.fhir.validation.natives`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hub.fhir.validation.xhtml import broken_rule

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an expression may ask for beyond its focus."""

    resource: Json
    """``%resource``: the innermost resource around the focus."""
    root: Json
    """``%rootResource``: the container, if that one is contained."""
    resolve: Callable[[str], Json | None]
    member_of: Callable[[Any, str], bool]
    conforms_to: Callable[[Json, str], bool]


class Unevaluated(Exception):
    """An expression could not be evaluated; never holds a value."""


_AROUND: Final[ContextVar[Surroundings]] = ContextVar("around")


def evaluate(expression: str, focus: Any, kind: str, around: Surroundings) -> list[Any]:
    """The result of a FHIRPath on a focus of a type (or path of one); raises Unevaluated.

    ``kind`` is a type's name or the path of an element defined in place, such as
    ``Timing.repeat``; it lets the engine find choices and types.
    """
    from fhirpathpy.engine.nodes import ResourceNode  # noqa: PLC0415 - slow to load

    token = _AROUND.set(around)
    try:
        resource = isinstance(focus, Mapping) and focus.get("resourceType") == kind
        # Only of a plain resource does the engine find what is named by its type, as in app-4.
        node = focus if resource else ResourceNode(focus, kind)  # type: ignore[no-untyped-call]
        context = {"resource": around.resource, "rootResource": around.root}
        return list(_compiled(expression)(node, context))
    except Exception as e:
        # The engine raises bare Exceptions, some with the value in them; none may get on.
        raise Unevaluated(type(e).__name__) from None
    finally:
        _AROUND.reset(token)


def holds(expression: str, focus: Any, kind: str, around: Surroundings) -> bool:
    """An invariant holds: true, or empty (R4: unknown is not false). Raises Unevaluated."""
    result = evaluate(expression, focus, kind, around)
    return not any(one is False for one in result)


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Callable[[Any, Mapping[str, Any]], Iterable[Any]]:
    from fhirpathpy import compile as compile_path  # noqa: PLC0415 - slow to load
    from fhirpathpy.models import models  # noqa: PLC0415

    options = {"userInvocationTable": _FUNCTIONS, "traceFn": _silent}
    return compile_path(expression, models["r4"], options)


def without_twins(value: Any) -> Any:
    """A copy without the extensions of simple values that are present.

    fhirpathpy takes a value and its extension for two items, so that a comparison with either
    fails. An extension in place of a missing value stays: the element exists.
    """
    # Not any Mapping: it is asked of every value of a document, and that question is a slow one.
    if isinstance(value, dict):
        return {
            name: without_twins(item)
            for name, item in value.items()
            if not (name.startswith("_") and value.get(name[1:]) is not None)
        }
    if isinstance(value, list):
        return [without_twins(item) for item in value]
    return value


def _silent(*_: object) -> None:
    """Takes the place of a trace that prints values."""


def _has_value(items: list[Any]) -> bool:
    return len(items) == 1 and items[0] is not None and not isinstance(items[0], Mapping | list)


def _html_checks(items: list[Any]) -> bool:
    return all(isinstance(div, str) and broken_rule(div) is None for div in items)


def _resolve(items: list[Any]) -> list[Any]:
    from fhirpathpy.engine.nodes import ResourceNode  # noqa: PLC0415

    found = []
    for item in items:
        reference = item.get("reference") if isinstance(item, Mapping) else item
        target = _AROUND.get().resolve(reference) if isinstance(reference, str) else None
        if target is not None:
            found.append(ResourceNode(target, None))  # type: ignore[no-untyped-call]
    return found


def _member_of(items: list[Any], value_set: str) -> bool | list[Any]:
    return _AROUND.get().member_of(items[0], value_set) if len(items) == 1 else []


def _conforms_to(items: list[Any], profile: str) -> bool | list[Any]:
    if len(items) != 1 or not isinstance(items[0], Mapping):
        return []
    return _AROUND.get().conforms_to(items[0], profile)


_FUNCTIONS: Final = {
    "hasValue": {"fn": _has_value},
    "htmlChecks": {"fn": _html_checks},
    "resolve": {"fn": _resolve},
    "memberOf": {"fn": _member_of, "arity": {1: ["String"]}},
    "conformsTo": {"fn": _conforms_to, "arity": {1: ["String"]}},
}

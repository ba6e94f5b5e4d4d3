"""Where every value of a translation came from, told by the engine while it translates.

Off unless someone is :func:`recording`; then the values themselves carry their origin, so that it
survives whatever an adapter builds of them. A value that an adapter's code makes anew carries
none: it is the code's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, Literal

from hub.contract import Context, Identifier, Party, Resource
from hub.mapping.paths import Place, counted_from

OriginKind = Literal["row", "fixed", "source", "context", "code"]
"""A table's row, or its fixed value; taken from the document by code; the hub's own knowledge of
the message (ids, sender); made by the adapter's code."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from; paths only."""

    kind: OriginKind
    table: str = ""
    """``folder/file.yaml`` of a row or a fixed value."""
    line: int = 0
    source: str = ""
    """The path in the document."""
    codes: str = ""
    """The code table that translated it, and ``local`` where the party's own codes did."""


@dataclass(frozen=True)
class Step:
    """One value of the result."""

    target: str
    """Its FHIR path, the resource named by type, from the second one with a number."""
    origin: Origin
    value: Any


class _Text(str):
    """A text with its origin."""

    __slots__ = ("origin",)
    origin: Origin


class _Whole(int):
    """A whole number with its origin; int takes no slots."""

    origin: Origin


class Recorder:
    """Marks values, and finds the marks again in the result."""

    def __init__(self) -> None:
        # True and false cannot carry anything: they are known by where they stand. The containers
        # are kept, so that no other object can get their identity.
        self._bools: dict[tuple[int, str | int], tuple[Any, Origin]] = {}

    def note(self, place: Place, origin: Origin) -> None:
        """The value at a place has this origin."""
        container, key = place
        container[key] = self.marked(container[key], origin, place)

    def marked(self, value: Any, origin: Origin, place: Place) -> Any:
        """The value with its origin; all values inside it if it has any."""
        if isinstance(value, bool):
            self._bools[(id(place[0]), place[1])] = (place[0], origin)
        elif isinstance(value, str):
            return _told(value, origin)
        elif isinstance(value, int):
            whole = _Whole(value)
            whole.origin = origin
            return whole
        elif isinstance(value, Mapping | list):
            for key in list(value if isinstance(value, Mapping) else range(len(value))):
                self.note((value, key), origin)
        return value

    def steps(self, resources: Sequence[Resource]) -> Iterator[Step]:
        """Every value of the resources, in order, but for their types."""
        seen: dict[str, int] = {}
        known = {f"{r['resourceType']}/{r.get('id')}" for r in resources}
        for resource in resources:
            kind = str(resource["resourceType"])
            number = seen.get(kind, 0)
            seen[kind] = number + 1
            name = f"{kind}[{number}]" if number else kind
            for target, place in _places(resource, name):
                value = place[0][place[1]]
                if place[1] != "resourceType":
                    yield Step(target, self._origin(place, value, known), value)

    def _origin(self, place: Place, value: Any, known: set[str]) -> Origin:
        found = getattr(value, "origin", None)
        if isinstance(found, Origin):
            return found
        if (id(place[0]), place[1]) in self._bools:
            return self._bools[(id(place[0]), place[1])][1]
        if place[1] == "reference" and value in known:
            return Origin("code", source="a link to a resource of the same document")
        return Origin("code")


def _places(value: Any, at: str) -> Iterator[tuple[str, Place]]:
    """Each leaf's FHIR path and place."""
    keys: Sequence[Any] = list(value) if isinstance(value, Mapping) else range(len(value))
    for key in keys:
        here = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}"
        if isinstance(value[key], Mapping | list):
            yield from _places(value[key], here)
        else:
            yield here, (value, key)


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record what is translated inside."""
    made = Recorder()
    token = _recorder.set(made)
    try:
        yield made
    finally:
        _recorder.reset(token)


def recorder() -> Recorder | None:
    """The one at work, if any."""
    return _recorder.get()


def sourced(record: dict[str, Any], at: str = "", first: int = 0) -> dict[str, Any]:
    """A document's content whose values carry their path; the same object when nobody records.

    ``at`` and ``first`` as for :meth:`hub.mapping.table.Table.forward`.
    """
    found = recorder()
    if found is None:
        return record
    copied = deepcopy(record)
    for path, place in _sources(copied, at):
        found.note(place, Origin("source", source=counted_from(path, first)))
    return copied


def _sources(value: Any, at: str) -> Iterator[tuple[str, Place]]:
    keys: Sequence[Any] = list(value) if isinstance(value, Mapping) else range(len(value))
    for key in keys:
        here = f"{at}[{key}]" if isinstance(key, int) else f"{at}/{key}" if at else str(key)
        if isinstance(value[key], Mapping | list):
            yield from _sources(value[key], here)
        else:
            yield here, (value, key)


def traced(context: Context) -> Context:
    """A context whose ids and sender are known again where they stand in the result."""
    found = recorder()
    if found is None:
        return context
    given, own, party = context.id_for, context.sender, Origin("context", source="the sender")

    def id_for(key: str) -> str:
        return _told(given(key), Origin("context", source="an id made by the hub"))

    sender: Party = replace(
        own,
        id=_told(own.id, party),
        name=_told(own.name, party),
        identifiers=tuple(
            Identifier(_told(i.system, party), _told(i.value, party)) for i in own.identifiers
        ),
    )
    return replace(context, id_for=id_for, sender=sender)


def _told(text: str, origin: Origin) -> str:
    made = _Text(text)
    made.origin = origin
    return made

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

from lxml import etree

from hub.contract import Context, Identifier, Party, Resource
from hub.fhir.codec import watched
from hub.mapping.paths import Place, counted_from, parse_path, without_indices

OriginKind = Literal["row", "fixed", "default", "source", "context", "code", "own", "composed"]
"""A table's row, or its fixed value; what the format has for an element that is not there; taken
from the document by code; the hub's own knowledge of the message (ids, sender, time); made by the
adapter's code. On the way out also: as it stood in the receiver's own document; a text put
together from several."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from; paths only."""

    kind: OriginKind
    table: str = ""
    """``folder/file.yaml`` of a row or a fixed value; of a value that code took from the document,
    who reads it, as a table says."""
    line: int = 0
    source: str = ""
    """The path in the document."""
    codes: str = ""
    """The code table that translated it, with its line."""
    local: str = ""
    """The party's own code table that did so first, with its line."""
    earlier: Origin | None = None
    """On the way out: where the value that was read here came from, on the way in."""


@dataclass(frozen=True)
class Step:
    """One value of the result."""

    target: str
    """Its FHIR path, the resource named by type, from the second one with a number."""
    origin: Origin
    value: Any


class _Text(str):
    """A text with its origin; the same text again is the same one."""

    __slots__ = ("origin",)
    origin: Origin

    def __str__(self) -> str:
        return self

    def __deepcopy__(self, memo: object) -> _Text:
        return self


class _Whole(int):
    """A whole number with its origin; int takes no slots."""

    origin: Origin


class Recorder:
    """Marks values, and finds the marks again in the result."""

    def __init__(self) -> None:
        # True and false cannot carry anything: they are known by where they stand. The containers
        # are kept, so that no other object can get their identity.
        self._bools: dict[tuple[int, str | int], tuple[Any, Origin]] = {}
        self._visited: list[tuple[str, Mapping[str, str]]] = []
        self._exchanged: dict[str, str] = {}
        self.made: set[str] = set()
        """Ids that the hub made."""
        self.elements: list[tuple[etree._Element, str, Origin]] = []
        """What was written into XML: the element, its attribute or nothing, and whence."""
        self.dumped: list[tuple[Any, bytes]] = []
        """What was written as JSON."""

    def note(self, place: Place, origin: Origin) -> None:
        """The value at a place has this origin."""
        origin = replace(origin, source=_written(origin.source))
        container, key = place
        container[key] = self.marked(container[key], origin, place)

    def note_keys(self, tree: dict[str, Any], path: str, origin: Origin) -> None:
        """The fixed values that a path itself writes, such as the url of an extension."""
        here: Any = tree
        for segment in parse_path(path)[:-1]:
            here = here[segment.name]
            if segment.every:
                here = here[-1]
            elif isinstance(here, list):
                here = next(member for _, member in segment.chosen(here))
            if segment.key is not None and not hasattr(here[segment.key], "origin"):
                self.note((here, segment.key), origin)

    def visit(self, at: str, elsewhere: Mapping[str, str]) -> None:
        """A table was read at a path; what it leaves to others may come from there."""
        self._visited.append((_written(at), elsewhere))

    def exchange(self, path: str, table: str) -> None:
        """At a path of the document a party's own code stood, and a shared one took its place."""
        self._exchanged[_written(path)] = table

    def pass_on(self, resources: Mapping[str, Resource]) -> dict[str, Resource]:
        """What was read as what is written from: a copy, every value by its FHIR path."""
        read = [step for step, _ in self._all(list(resources.values()))]
        copied = deepcopy(dict(resources))
        places = [place for _, place in self._all(list(copied.values()))]
        for step, place in zip(read, places, strict=True):
            self.note(place, Origin("source", source=step.target, earlier=step.origin))
        return copied

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
        return (step for step, _ in self._all(resources))

    def _all(self, resources: Sequence[Resource]) -> Iterator[tuple[Step, Place]]:
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
                    yield Step(target, self._origin(place, value, known), value), place

    def _origin(self, place: Place, value: Any, known: set[str]) -> Origin:
        found = getattr(value, "origin", None)
        if isinstance(found, Origin):
            return self._completed(found)
        if (id(place[0]), place[1]) in self._bools:
            return self._completed(self._bools[(id(place[0]), place[1])][1])
        if place[1] == "reference" and value in known:
            return Origin("code", source="a link to a resource of the same document")
        return Origin("code")

    def _completed(self, origin: Origin) -> Origin:
        """With the party's own codes, and with whoever a table leaves the element to."""
        local = self._exchanged.get(origin.source, "")
        reader = self._reader(origin.source) if origin.kind == "source" else origin.table
        return replace(origin, local=local, table=reader)

    def _reader(self, source: str) -> str:
        for at, elsewhere in sorted(self._visited, key=lambda v: -len(v[0])):
            if source.startswith((f"{at}/", f"{at}.")):
                inside = without_indices(source[len(at) + 1 :]).replace(".", "/")
                for path, reader in elsewhere.items():
                    if inside == path or inside.startswith(f"{path}/"):
                        return reader
        return ""


def _written(path: str) -> str:
    """A path as its document's own people write it: an XPath, or a FHIRPath."""
    return path if path.startswith("/") else path.replace("/", ".")


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
    token, watching = _recorder.set(made), watched.set(made.dumped)
    try:
        yield made
    finally:
        watched.reset(watching)
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
    for inside, place in _sources(copied, ""):
        path = counted_from(inside, first)
        found.note(place, Origin("source", source=f"{at}/{path}" if at else path))
    return copied


def passed_on(resources: dict[str, Resource]) -> dict[str, Resource]:
    """What was read is written again from here on; the same object when nobody records."""
    found = recorder()
    return resources if found is None else found.pass_on(resources)


def wrote(element: etree._Element, value: str, attribute: str = "") -> None:
    """The value was written into the element, or its attribute."""
    found, origin = recorder(), getattr(value, "origin", None)
    if found is not None and isinstance(origin, Origin):
        found.elements.append((element, attribute, origin))


def translated(code: str, value: Any, codes: str) -> str:
    """A code that a code table made of a value; ``codes`` is the table with its line."""
    origin = getattr(value, "origin", None)
    if recorder() is None or not isinstance(origin, Origin):
        return code
    return _told(code, replace(origin, codes=codes))


def defaulted(container: dict[str, Any], key: str, at: str) -> None:
    """A value stands for an element of the document that is not there; ``at`` is its path."""
    found = recorder()
    if found is not None:
        found.note((container, key), Origin("default", source=at))


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
        made = given(key)
        found.made.add(made)
        return _told(made, Origin("context", source="an id made by the hub"))

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

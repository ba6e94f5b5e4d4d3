"""Does a resource match a search? (R4 "Search", 3.1.1.4). Pure.

What a search may look at is given as a :class:`World`: the resources one viewer may see, already
reduced. A chain or ``_has`` sees no more than that, so it cannot tell of anything hidden.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.contract import Resource
from hub.fhir.bundles import RELATIVE
from hub.fhir.dates import compares, element_range, prefixed, range_of
from hub.fhir.parameters import SERVED, Parameter
from hub.fhir.query import Criterion, Has, Include, Query, split, unescape


@dataclass(frozen=True)
class Subject:
    """A resource that is looked at."""

    resource: Resource
    patient: str
    """``Patient/id`` whose compartment it is in."""

    @property
    def key(self) -> str:
        """``Type/id``."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True)
class World:
    """Everything the viewer may see."""

    subjects: Mapping[str, Subject]
    base: str
    """The server's own base address: absolute references below it are its own."""
    _by_type: dict[str, list[Subject]] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[Subject]:
        """Every resource of a type."""
        if not self._by_type:
            for subject in self.subjects.values():
                self._by_type.setdefault(subject.resource["resourceType"], []).append(subject)
        return self._by_type.get(kind, [])

    def local(self, reference: str) -> str:
        """``Type/id`` of one of its own resources, however it is written; else as it is."""
        found = RELATIVE.match(reference.removeprefix(f"{self.base}/"))
        return found["key"] if found else reference


def matches(subject: Subject, query: Query, world: World) -> bool:
    """The resource is of the type and meets every condition."""
    if subject.resource["resourceType"] != query.type:
        return False
    return all(meets(subject, c, world) for c in query.criteria) and all(
        _referred(subject, h, world) for h in query.has
    )


def meets(subject: Subject, criterion: Criterion, world: World) -> bool:
    """One condition."""
    parameter = criterion.parameter
    found = list(elements(subject.resource, parameter))
    if criterion.modifier == "missing":
        there = bool(found) or parameter.whole
        return there == (criterion.values == ("false",))
    if criterion.chain:
        return _chained(subject, criterion, world)
    if parameter.kind == "reference":
        return _refers(subject, criterion, world)
    match = _MATCH[parameter.kind]
    hit = any(match(value, wanted, criterion) for wanted in criterion.values for value in found)
    return hit != (criterion.modifier == "not")


def elements(resource: Resource, parameter: Parameter) -> Iterator[Any]:
    """The values a parameter looks at."""
    for path in parameter.paths:
        yield from _walk(resource, path.split("."))


def _walk(value: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, steps)
    elif not steps:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        yield from _walk(value.get(steps[0]), steps[1:])


# References


def targets(subject: Subject, parameter: Parameter, world: World) -> set[str]:
    """``Type/id`` (or the address elsewhere) of what a reference parameter leads to."""
    found = {
        world.local(str(value["reference"]))
        for value in elements(subject.resource, parameter)
        if isinstance(value, Mapping) and "reference" in value
    }
    if parameter.whole:
        found.add(subject.patient)
    if parameter.target is not None:
        found = {t for t in found if t.startswith(f"{parameter.target}/")}
    return found


def _refers(subject: Subject, criterion: Criterion, world: World) -> bool:
    if criterion.modifier == "identifier":
        wanted = Criterion(criterion.parameter, "", criterion.values)
        values = elements(subject.resource, criterion.parameter)
        named = [v["identifier"] for v in values if isinstance(v, Mapping) and "identifier" in v]
        return any(_token(i, w, wanted) for i in named for w in criterion.values)
    found = targets(subject, criterion.parameter, world)
    return any(
        _leads(found, world.local(unescape(value)), criterion.modifier)
        for value in criterion.values
    )


def _leads(found: set[str], wanted: str, kind: str) -> bool:
    if kind:
        return f"{kind}/{wanted.removeprefix(f'{kind}/')}" in found
    if "/" in wanted or wanted.startswith("urn:"):
        return wanted in found
    return any(t.rpartition("/")[2] == wanted and t.count("/") == 1 for t in found)


def _chained(subject: Subject, criterion: Criterion, world: World) -> bool:
    for key in targets(subject, criterion.parameter, world):
        target = world.subjects.get(key)
        inner = criterion.chain.get(target.resource["resourceType"]) if target else None
        if target is not None and inner is not None and meets(target, inner, world):
            return True
    return False


def _referred(subject: Subject, has: Has, world: World) -> bool:
    return any(
        subject.key in targets(other, has.reference, world) and meets(other, has.inner, world)
        for other in world.of_type(has.type)
    )


def included(found: list[Subject], includes: tuple[Include, ...], world: World) -> list[Subject]:
    """What ``_include`` and ``_revinclude`` add to a page of matches, each once."""
    seen = {s.key: s for s in found}
    fresh = found
    first = True
    while fresh:
        added: dict[str, Subject] = {}
        for include in includes:
            if first or include.iterate:
                for other in _added(fresh, include, world):
                    if other.key not in seen:
                        added[other.key] = other
        seen |= added
        fresh, first = list(added.values()), False
    return list(seen.values())[len(found) :]


def _added(found: list[Subject], include: Include, world: World) -> Iterator[Subject]:
    if include.reverse:
        wanted = {s.key for s in found}
        for other in world.of_type(include.source):
            hits = _linked(other, include, world) & wanted
            if any(include.target in {None, key.split("/")[0]} for key in hits):
                yield other
        return
    for subject in found:
        if include.source in {"*", subject.resource["resourceType"]}:
            for key in sorted(_linked(subject, include, world)):
                target = world.subjects.get(key)
                if target and include.target in {None, target.resource["resourceType"]}:
                    yield target


def _linked(subject: Subject, include: Include, world: World) -> set[str]:
    if include.parameter is not None:
        return targets(subject, include.parameter, world)
    known = SERVED[subject.resource["resourceType"]].parameters.values()
    return {t for p in known if p.kind == "reference" for t in targets(subject, p, world)}


# Values


def _token(value: Any, wanted: str, criterion: Criterion) -> bool:
    parts = [unescape(p) for p in split(wanted, "|")]
    system, code = (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if not system and not code:
        return False
    return any(
        (system is None or (found_system or "") == system) and (not code or _same(code, found))
        for found_system, found in _tokens(value, criterion.parameter.system)
    )


def _same(wanted: str, found: tuple[str, bool]) -> bool:
    text, exact = found
    return text == wanted if exact else text.casefold() == wanted.casefold()


def _tokens(value: Any, system: str | None) -> Iterator[tuple[str | None, tuple[str, bool]]]:
    """(system, (code, is its case significant)) of what a token parameter looks at."""
    if isinstance(value, bool):
        yield None, ("true" if value else "false", True)
    elif isinstance(value, str):
        yield system, (value, True)
    elif isinstance(value, Mapping):
        for coding in value.get("coding", ()):
            yield coding.get("system"), (str(coding.get("code", "")), True)
        if "code" in value:
            yield value.get("system"), (str(value["code"]), True)
        if "value" in value:
            yield value.get("system"), (str(value["value"]), False)


def _date(value: Any, wanted: str, _: Criterion) -> bool:
    prefix, text = prefixed(wanted)
    asked, found = range_of(text), element_range(value)
    return asked is not None and found is not None and compares(prefix, asked, found)


def _string(value: Any, wanted: str, criterion: Criterion) -> bool:
    text = unescape(wanted)
    if criterion.modifier == "exact":
        return str(value) == text
    found, asked = _plain(str(value)), _plain(text)
    return asked in found if criterion.modifier == "contains" else found.startswith(asked)


def _plain(text: str) -> str:
    """Without case and accents, as R4 compares strings."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _uri(value: Any, wanted: str, _: Criterion) -> bool:
    return str(value) == unescape(wanted)


_MATCH: Final[Mapping[str, Callable[[Any, str, Criterion], bool]]] = {
    "token": _token,
    "date": _date,
    "string": _string,
    "uri": _uri,
}

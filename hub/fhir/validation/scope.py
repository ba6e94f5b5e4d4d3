"""What a walk knows of the resource it is in, and how references are followed from there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.fhir.validation.fhirpath import without_twins

Json = Mapping[str, Any]

_RELATIVE: Final = re.compile(
    r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?"
)
_ABSOLUTE: Final = re.compile(
    r"(https?://\S+/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/([A-Za-z0-9\-.]{1,64}))?"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A reference taken apart."""

    base: str
    """The server's base with its last slash; empty if relative."""
    type: str
    id: str
    version: str | None

    @property
    def url(self) -> str:
        """Without a version."""
        return f"{self.base}{self.type}/{self.id}"


def literal(reference: str) -> Literal | None:
    """A relative or RESTful absolute reference; None for any other form."""
    found = _RELATIVE.fullmatch(reference)
    if found is not None:
        return Literal("", *found.groups())
    found = _ABSOLUTE.fullmatch(reference)
    return Literal(*found.groups()) if found is not None else None


class Neighbours:
    """Resources that references can lead to: those of a Bundle, or those checked together.

    R4 Bundle, 2.36.4.1: a relative reference is relative to the base of its own entry's fullUrl.
    Entries without a fullUrl are found by type and id.
    """

    def __init__(self, found: Iterable[tuple[str | None, Json]]) -> None:
        self._by_url: dict[str, list[Json]] = {}
        for url, resource in found:
            kind, own = resource.get("resourceType"), resource.get("id")
            place = url if url is not None else f"{kind}/{own}"
            self._by_url.setdefault(place, []).append(resource)

    def find(self, reference: str, from_url: str | None) -> Json | None:
        """The resource that a reference in the entry ``from_url`` leads to, if it is here."""
        parts = literal(reference)
        if parts is None:
            return self._first(reference, None)
        if parts.base == "" and from_url is not None:
            own = literal(from_url)
            if own is not None and own.base:
                absolute = self._first(f"{own.base}{parts.url}", parts.version)
                return absolute or self._first(parts.url, parts.version)
        return self._first(parts.url, parts.version)

    def _first(self, place: str, version: str | None) -> Json | None:
        for resource in self._by_url.get(place, ()):
            meta = resource.get("meta")
            own = meta.get("versionId") if isinstance(meta, Mapping) else None
            if version is None or own == version:
                return resource
        return None


@dataclass(slots=True)
class Scope:
    """One resource under examination."""

    resource: Json
    path: str
    """Its FHIRPath from what was given to be checked."""
    container: Scope | None = None
    """Around a contained resource, the one that contains it."""
    around: Scope | None = None
    """Around the resource of a Bundle entry (or of Parameters), the one that holds it."""
    neighbours: Neighbours | None = None
    bundle_type: str | None = None
    """The type of the Bundle that it is an entry of."""
    full_url: str | None = None
    """Of its own entry, if that has one."""
    ids: set[str] = field(default_factory=set)
    """The element ids seen so far."""
    fragments: set[str] = field(default_factory=set)
    """References and other uris in it that begin with ``#``, those of contained ones included."""
    contained: list[Scope] = field(default_factory=list)
    has_twins: bool = False
    """Simple values in it have extensions."""
    _plain: Json | None = None

    @property
    def root(self) -> Scope:
        """The container, or itself."""
        return self.container or self

    def above(self) -> Iterator[Scope]:
        """Itself and everything around it."""
        at: Scope | None = self
        while at is not None:
            yield at
            at = at.container or at.around

    def refers(self, fragment: str) -> None:
        """Take note of a ``#id``."""
        self.fragments.add(fragment)
        if self.container is not None:
            self.container.fragments.add(fragment)

    def local(self, fragment: str) -> Json | None:
        """The resource that ``#id`` means here; ``#`` is the container."""
        root = self.root.resource
        if fragment == "#":
            return root
        found = root.get("contained")
        for one in found if isinstance(found, list) else ():
            if isinstance(one, Mapping) and one.get("id") == fragment[1:]:
                return one
        return None

    def resolve(self, reference: str) -> Json | None:
        """The resource that a reference leads to, if it was given along with this one."""
        if reference.startswith("#"):
            return self.local(reference)
        if self.neighbours is None:
            return None
        return self.neighbours.find(reference, self.root.full_url)

    def plain(self) -> Json:
        """The resource as the FHIRPath engine can take it."""
        if not self.has_twins:
            return self.resource
        if self._plain is None:
            self._plain = without_twins(self.resource)
        return self._plain

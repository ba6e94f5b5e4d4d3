"""The profiles at hand: differentials applied to the base tables when they are first needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import Any, Final

from hub.errors import Misconfigured
from hub.fhir.validation.definitions import Shape
from hub.fhir.validation.snapshot import apply
from hub.fhir.validation.tables import FOLDER, BaseTables, type_name
from hub.fhir.validation.terminology import Terminology

Json = Mapping[str, Any]
_KINDS: Final = ("StructureDefinition", "ValueSet", "CodeSystem")


class Profiles:
    """Base R4 and the profiles of some conformance resources, by canonical URL.

    ``resources`` are StructureDefinitions (differentials; snapshots are not read), ValueSets and
    CodeSystems. A profile that cannot be applied raises Misconfigured when it is first used;
    :meth:`prepare` does so for all at once. Safe to share between threads.
    """

    def __init__(self, resources: Iterable[Json] = (), tables: BaseTables | None = None) -> None:
        found = [r for r in resources if r.get("resourceType") in _KINDS]
        self.tables = tables or BaseTables()
        self.terminology = Terminology(self.tables, found)
        self._definitions = {
            r["url"]: r
            for r in found
            # A logical model describes; nothing on the wire is an instance of it.
            if r["resourceType"] == "StructureDefinition" and r.get("kind") != "logical"
        }
        self._shapes: dict[str, Shape] = {}
        self._applying: list[str] = []
        self._lock = RLock()

    def shape(self, name: str) -> Shape | None:
        """A type by name, or a type or profile by canonical (a version is not looked at)."""
        base = self.tables.shape(type_name(name) or name)
        return base if base is not None else self._profile(name.partition("|")[0])

    def extension(self, url: str) -> Shape | None:
        """The definition of an extension; None if it is not at hand."""
        definition = self._definitions.get(url.partition("|")[0])
        if definition is None or definition["type"] != "Extension":
            return None
        return self._profile(url.partition("|")[0])

    def declared(self, url: str) -> Shape | None:
        """The profile (not an extension, no base type) of a ``meta.profile``, if at hand."""
        definition = self._definitions.get(url.partition("|")[0])
        return self._profile(url.partition("|")[0]) if definition is not None else None

    def type_of(self, name: str) -> str | None:
        """The type that a name or canonical is of; None if it is unknown."""
        plain = type_name(name) or name
        if self.tables.lineage(plain):
            return plain
        definition = self._definitions.get(name.partition("|")[0])
        return str(definition["type"]) if definition else None

    def urls(self) -> Iterator[str]:
        """The canonicals of the profiles and extensions at hand."""
        yield from self._definitions

    def prepare(self) -> None:
        """Apply all of them; raises Misconfigured naming the first that cannot be."""
        for url in self._definitions:
            self._profile(url)

    def _profile(self, url: str) -> Shape | None:
        found = self._shapes.get(url)
        if found is not None or url not in self._definitions:
            return found
        with self._lock:
            if url in self._applying:
                # An extension that holds itself, entered while it is made: its base is enough
                # there, for what it holds is checked against its own definition later on.
                return None
            self._applying.append(url)
            try:
                self._shapes[url] = self._applied(self._definitions[url])
            finally:
                self._applying.remove(url)
            return self._shapes[url]

    def _applied(self, definition: Json) -> Shape:
        parent = definition["baseDefinition"]
        base = self.shape(parent)
        if base is None:
            raise Misconfigured(f"{definition['url']} needs {parent}, which is not at hand")
        return apply(definition, base, self.shape)


def load(folder: Path | None = None) -> list[Json]:
    """The conformance resources of a folder (by default the published ones), by file name.

    Reads ``*.json`` of the folder itself. Raises Misconfigured for a file that is not JSON.
    """
    found: list[Json] = []
    for path in sorted((folder or FOLDER).glob("*.json")):
        try:
            resource = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise Misconfigured(f"{path.name} is not JSON") from None
        if isinstance(resource, dict) and resource.get("resourceType") in _KINDS:
            found.append(resource)
    return found

"""Expands value sets from complete code systems.

A value set whose members cannot be known from what is at hand (a code system that is not
complete here, such as MIME types, language tags or UCUM, or a filter that this does not
evaluate) is said to be unexpanded, never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
Codes = frozenset[tuple[str, str]]
"""Pairs of system and code."""
_Concepts = dict[str, tuple[frozenset[str], bool]]
"""Code to what it is a kind of (itself too), and whether it only groups others."""


class Unexpanded(Exception):
    """Why a value set has no known list of codes; never holds a value of a resource."""


class Expander:
    """Expands value sets out of ValueSet and CodeSystem resources, by canonical URL.

    ``elsewhere`` is asked for a value set that is not among the resources: it gives its codes or
    raises Unexpanded.
    """

    def __init__(
        self, resources: Iterable[Json], elsewhere: Callable[[str], Codes] | None = None
    ) -> None:
        self._sets: dict[str, Json] = {}
        self._systems: dict[str, Json] = {}
        self._elsewhere = elsewhere
        for found in resources:
            if found["resourceType"] == "ValueSet":
                self._sets.setdefault(found["url"], found)
            elif found["resourceType"] == "CodeSystem":
                self._systems.setdefault(found["url"], found)

    def members(self, url: str) -> Codes:
        """All codes of a value set, its version left out of account; raises Unexpanded."""
        return self._members(url.partition("|")[0], ())

    def whole(self, url: str) -> frozenset[str] | None:
        """All codes of a code system, those that only group others too; None if not complete."""
        definition = self._systems.get(url)
        if definition is None or definition.get("content") != "complete":
            return None
        return frozenset(code for code, _ in _concepts(definition.get("concept", ()), ()))

    def system(self, url: str) -> Codes:
        """All codes of a code system; raises Unexpanded unless it is complete here."""
        return self._of_system({"system": url})

    def _members(self, url: str, asked: tuple[str, ...]) -> Codes:
        if url in asked:
            raise Unexpanded("it includes itself")
        found = self._sets.get(url)
        if found is None or "compose" not in found:
            if self._elsewhere is None or found is not None:
                raise Unexpanded("not at hand")
            return self._elsewhere(url)
        compose, way = found["compose"], (*asked, url)
        included = [self._part(part, way) for part in compose["include"]]
        excluded = [self._part(part, way) for part in compose.get("exclude", ())]
        return frozenset().union(*included).difference(*excluded)

    def _part(self, part: Json, asked: tuple[str, ...]) -> Codes:
        """One include or exclude: what its system gives and each of its value sets has."""
        sets = [self._members(u.partition("|")[0], asked) for u in part.get("valueSet", ())]
        own = [self._of_system(part)] if "system" in part else []
        found = [*sets, *own]
        return frozenset.intersection(*found) if found else frozenset()

    def _of_system(self, part: Json) -> Codes:
        system = part["system"]
        if "concept" in part:
            return frozenset((system, concept["code"]) for concept in part["concept"])
        definition = self._systems.get(system)
        if definition is None or definition.get("content") != "complete":
            raise Unexpanded(f"{system} is not complete here")
        concepts = dict(_concepts(definition.get("concept", ()), ()))
        codes = {code for code, (_, abstract) in concepts.items() if not abstract}
        for rule in part.get("filter", ()):
            codes &= _filtered(concepts, rule)
        return frozenset((system, code) for code in codes)


def _concepts(
    concepts: Iterable[Json], parents: tuple[str, ...]
) -> Iterator[tuple[str, tuple[frozenset[str], bool]]]:
    for concept in concepts:
        above = (*parents, concept["code"])
        properties = concept.get("property", ())
        named = {p["valueCode"] for p in properties if p["code"] == "subsumedBy"}
        abstract = any(p["code"] == "notSelectable" and p.get("valueBoolean") for p in properties)
        yield concept["code"], (frozenset(above) | named, abstract)
        yield from _concepts(concept.get("concept", ()), above)


def _filtered(concepts: _Concepts, rule: Json) -> set[str]:
    wanted = rule["value"]
    if rule["property"] == "concept" and rule["op"] in {"is-a", "descendent-of"}:
        found = {code for code, (above, _) in concepts.items() if wanted in above}
        return found - {wanted} if rule["op"] == "descendent-of" else found
    raise Unexpanded(f"its filter on {rule['property']} is not evaluated")

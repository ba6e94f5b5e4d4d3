"""Bundles and the references inside them. Pure; resources are plain dictionaries.

Rules: R4 4.0.1 "Bundle", section 2.36.4 (resolving references in bundles) and invariant bdl-7.
Inside the hub every reference is ``Type/id``; on the wire it may be the entry's ``fullUrl``
(``urn:uuid:`` or absolute) or relative to the fullUrl of the entry it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.contract import Resource
from hub.errors import Issue

RELATIVE: Final = re.compile(
    r"^(?P<key>[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?$"
)
"""``Type/id``, optionally with ``/_history/version``."""

_RESTFUL = re.compile(
    r"^(?P<base>https?://.+)/(?P<key>[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64})"
    r"(/_history/[A-Za-z0-9\-.]{1,64})?$"
)


@dataclass(frozen=True)
class Entry:
    """One resource of a Bundle."""

    full_url: str
    """Empty if the entry has none."""
    resource: Resource
    path: str
    """FHIRPath of the resource: ``Bundle.entry[3].resource``."""

    @property
    def key(self) -> str:
        """``Type/id`` as the sender names it; empty without an id."""
        own = self.resource.get("id")
        return f"{self.resource['resourceType']}/{own}" if own else ""


def entries(bundle: Mapping[str, Any]) -> list[Entry]:
    """The entries that hold a resource, in order."""
    return [
        Entry(str(e.get("fullUrl", "")), e["resource"], f"Bundle.entry[{i}].resource")
        for i, e in enumerate(bundle.get("entry", ()))
        if "resource" in e
    ]


class Index:
    """Finds an entry by what a reference says."""

    def __init__(self, found: Iterable[Entry]) -> None:
        self.entries = list(found)
        self._by_url = {_unversioned(e.full_url): e for e in self.entries if e.full_url}
        self._by_key: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.key:
                self._by_key.setdefault(entry.key, []).append(entry)

    def resolve(self, reference: str, source: Entry) -> Entry | None:
        """The entry a reference in ``source`` means, or None.

        A relative reference is tried against the base of the source's own fullUrl first, then
        as the only entry of that type and id (senders leave out fullUrl).
        """
        exact = self._by_url.get(_unversioned(reference))
        if exact is not None:
            return exact
        relative = RELATIVE.match(reference)
        if relative is None:
            return None
        base = _RESTFUL.match(source.full_url)
        if base is not None:
            near = self._by_url.get(f"{base['base']}/{relative['key']}")
            if near is not None:
                return near
        same = self._by_key.get(relative["key"], [])
        return same[0] if len(same) == 1 else None

    def duplicates(self) -> list[Issue]:
        """Entries with a fullUrl, or a type and id, that an earlier entry has.

        Stricter than bdl-7: two servers' resources of one type and id cannot be told apart by a
        relative reference, nor get different hub ids.
        """
        text = "Another entry has the same fullUrl or the same type and id; send each once"
        seen: set[str] = set()
        found = []
        for entry in self.entries:
            names = {entry.full_url, entry.key} - {""}
            if names & seen:
                found.append(Issue("error", "duplicate", text, entry.path))
            seen |= names
        return found

    def dangling(self) -> list[Issue]:
        """References that lead to no entry; those by identifier alone need none."""
        text = "The reference leads to no entry of this Bundle; send what it refers to"
        return [
            Issue("error", "not-found", text, place)
            for entry in self.entries
            for place, reference in references(entry.resource, entry.path)
            if not reference.startswith("#") and self.resolve(reference, entry) is None
        ]


def references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every literal reference below, with the FHIRPath of its ``reference`` element."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str):
            yield f"{path}.reference", value["reference"]
        for name, item in value.items():
            if not isinstance(item, str):
                yield from references(item, f"{path}.{name}")
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from references(item, f"{path}[{i}]")


def rewritten(value: Any, new: Callable[[str], str | None]) -> Any:
    """A copy with every literal reference replaced; None from ``new`` keeps it as it is."""
    if isinstance(value, Mapping):
        made = {name: rewritten(item, new) for name, item in value.items()}
        if isinstance(value.get("reference"), str):
            made["reference"] = new(value["reference"]) or value["reference"]
        return made
    if isinstance(value, list):
        return [rewritten(item, new) for item in value]
    return value


def without(value: Any, dropped: Callable[[str], bool]) -> Any:
    """A copy without the References that lead to something dropped.

    A Reference goes as a whole, its display with it: what was dropped is not named either. A
    list or object left empty goes too (R4: no empty arrays or objects).
    """
    if isinstance(value, Mapping):
        made: dict[str, Any] = {}
        for name, item in value.items():
            if isinstance(item, Mapping) and _leads_to(item, dropped):
                continue
            kept = without(item, dropped)
            if kept not in ({}, []) or item in ({}, []):
                made[name] = kept
        return made
    if isinstance(value, list):
        kept_items = [(i, without(i, dropped)) for i in value if not _leads_to(i, dropped)]
        return [kept for item, kept in kept_items if kept == item or not _hollow(kept)]
    return value


def reachable(resources: Mapping[str, Resource], roots: Iterable[str]) -> set[str]:
    """The keys of the roots and of everything they lead to (``Type/id`` references)."""
    found: set[str] = set()
    todo = [r for r in roots if r in resources]
    while todo:
        key = todo.pop()
        if key in found:
            continue
        found.add(key)
        for _, reference in references(resources[key], key):
            target = _unversioned(reference)
            if target in resources and target not in found:
                todo.append(target)
    return found


def collection(
    resources: Mapping[str, Resource], base: str, *, id: str, timestamp: str
) -> Resource:
    """A collection Bundle with fullUrl ``{base}/{Type/id}``; references stay relative."""
    return {
        "resourceType": "Bundle",
        "id": id,
        "type": "collection",
        "timestamp": timestamp,
        "entry": [{"fullUrl": f"{base}/{k}", "resource": r} for k, r in resources.items()],
    }


def _hollow(value: Any) -> bool:
    """Nothing is left but, for an extension, its url (ext-1 wants a value beside it)."""
    return isinstance(value, Mapping) and set(value) <= {"url", "id"}


def _leads_to(value: Any, dropped: Callable[[str], bool]) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("reference"), str)
        and dropped(_unversioned(value["reference"]))
    )


def _unversioned(reference: str) -> str:
    return reference.split("/_history/", 1)[0]

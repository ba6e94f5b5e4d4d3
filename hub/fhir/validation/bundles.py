"""What R4 says of a Bundle's entries beyond its invariants (4.0.1 Bundle, 2.36.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.fhir.validation.findings import Findings
from hub.fhir.validation.scope import Neighbours, literal

Json = Mapping[str, Any]

_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:\S+")
_MAY_LACK: Final = frozenset({"batch", "transaction", "batch-response", "transaction-response"})
"""Bundles whose entries may have a resource without a fullUrl: it is not stored yet, or the
answer to something that is not."""


def neighbours(bundle: Json) -> Neighbours:
    """The entries' resources, by fullUrl."""
    return Neighbours(
        (url if isinstance(url := entry.get("fullUrl"), str) else None, entry["resource"])
        for _, entry in entries(bundle)
        if isinstance(entry.get("resource"), Mapping)
    )


def entries(bundle: Json) -> Iterator[tuple[int, Json]]:
    """The entries that are objects, with their places."""
    found = bundle.get("entry")
    for i, entry in enumerate(found if isinstance(found, list) else ()):
        if isinstance(entry, Mapping):
            yield i, entry


def check(bundle: Json, path: str, findings: Findings) -> None:
    """Report entries without the right fullUrl."""
    for i, entry in entries(bundle):
        place, resource = f"{path}.entry[{i}]", entry.get("resource")
        url = entry.get("fullUrl")
        if url is None:
            if isinstance(resource, Mapping) and not _excused(bundle, entry, resource):
                findings.add("required", "full-url-missing", place)
            continue
        if not isinstance(url, str):
            continue
        if _ABSOLUTE.fullmatch(url) is None:
            findings.add("value", "full-url-form", f"{place}.fullUrl")
        elif isinstance(resource, Mapping) and not _agrees(url, resource):
            findings.add("value", "full-url-id", f"{place}.fullUrl")


def _excused(bundle: Json, entry: Json, resource: Json) -> bool:
    search = entry.get("search")
    remark = isinstance(search, Mapping) and search.get("mode") == "outcome"
    # A resource without id has no place of its own, as the outcome of a search.
    return bundle.get("type") in _MAY_LACK or (remark and "id" not in resource)


def _agrees(url: str, resource: Json) -> bool:
    """A RESTful fullUrl ends in the resource's own type and id."""
    parts, own = literal(url), resource.get("id")
    if parts is None or not parts.base or own is None:
        return True
    return parts.type == resource.get("resourceType") and parts.id == own

"""Search results and histories as Bundles (R4 "Bundle", 2.36). Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from hub.contract import Resource
from hub.errors import Issue
from hub.fhir.codec import dump_json
from hub.fhir.outcome import outcome

Mode = Literal["match", "include"]


def searchset(
    base: str,
    found: Iterable[tuple[Resource, Mode]],
    *,
    total: int | None,
    links: Sequence[tuple[str, str]],
    warnings: Sequence[Issue] = (),
) -> Resource:
    """A page of a search: matches, what came along, and last what was not understood.

    ``total`` counts the matches of all pages; ``links`` are (relation, address).
    """
    entries: list[dict[str, Any]] = [
        {"fullUrl": full_url(base, r), "resource": r, "search": {"mode": mode}} for r, mode in found
    ]
    if warnings:
        told = outcome(warnings)
        # Every entry has an identity; an outcome is stored nowhere, so it is its content.
        identity = uuid.uuid5(uuid.NAMESPACE_OID, dump_json(told).decode())
        entries.append({"fullUrl": identity.urn, "resource": told, "search": {"mode": "outcome"}})
    return _bundle("searchset", entries, total, links)


def history_bundle(
    base: str,
    versions: Iterable[Resource],
    *,
    total: int,
    links: Sequence[tuple[str, str]],
) -> Resource:
    """A page of a history, in the order given.

    Every version says how it came: the first was created, the later ones were updates, whatever
    format they came in. Nothing is ever deleted, so no entry says so.
    """
    return _bundle("history", [_version(base, r) for r in versions], total, links)


def full_url(base: str, resource: Resource) -> str:
    """``base/Type/id``."""
    return f"{base}/{resource['resourceType']}/{resource['id']}"


def _version(base: str, resource: Resource) -> dict[str, Any]:
    kind, meta = resource["resourceType"], resource["meta"]
    first = meta["versionId"] == "1"
    return {
        "fullUrl": full_url(base, resource),
        "resource": resource,
        "request": {
            "method": "POST" if first else "PUT",
            "url": kind if first else f"{kind}/{resource['id']}",
        },
        "response": {
            "status": "201" if first else "200",
            "etag": f'W/"{meta["versionId"]}"',
            "lastModified": meta["lastUpdated"],
        },
    }


def _bundle(
    kind: str,
    entries: list[dict[str, Any]],
    total: int | None,
    links: Sequence[tuple[str, str]],
) -> Resource:
    made: Resource = {"resourceType": "Bundle", "type": kind}
    if total is not None:
        made["total"] = total
    made["link"] = [{"relation": relation, "url": url} for relation, url in links]
    return made | ({"entry": entries} if entries else {})

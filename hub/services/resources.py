"""Single resources, their versions, and their history, as one party may read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from hub.errors import NotFound
from hub.fhir.paging import Key, Token, moment_key, ordered, page_of
from hub.model.party import Viewer
from hub.services.disclose import disclose
from hub.services.entries import Disclosure, Entry
from hub.services.hub import Hub
from hub.services.sight import Sight
from hub.store.work import UnitOfWork

UNKNOWN = "No such resource is known to you"
"""The same words whether there is none or it may not be known of."""

_NEWEST_FIRST = (True, False, False)


@dataclass(frozen=True)
class Read:
    """A resource, and since when it has been what the party gets now."""

    entry: Entry
    since: datetime


@dataclass(frozen=True)
class HistoryPage:
    """Versions, newest first."""

    entries: list[Entry]
    total: int
    next: Token | None


def read(hub: Hub, viewer: Viewer, kind: str, resource_id: str) -> Read:
    """The newest version the party may read; raises NotFound."""

    def look(sight: Sight, work: UnitOfWork) -> tuple[Read, list[Disclosure]]:
        citizens = work.resources.citizens_of(kind, [resource_id])
        entry = sight.current(citizens).get(f"{kind}/{resource_id}")
        if entry is None:
            raise NotFound(UNKNOWN)
        return Read(entry, sight.changed(entry)), [entry.why]

    return disclose(hub, viewer, "read", look)


def vread(hub: Hub, viewer: Viewer, kind: str, resource_id: str, version: str) -> Entry:
    """One version; raises NotFound."""

    def look(sight: Sight, work: UnitOfWork) -> tuple[Entry, list[Disclosure]]:
        citizens = work.resources.citizens_of(kind, [resource_id])
        entry = sight.history(citizens).get((f"{kind}/{resource_id}", version))
        if entry is None:
            raise NotFound(UNKNOWN)
        return entry, [entry.why]

    return disclose(hub, viewer, "vread", look)


def versions(
    hub: Hub, viewer: Viewer, names: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Entry]:
    """Several versions, (``Type/id``, version), in one look; what may not be read is left out."""

    def look(
        sight: Sight, work: UnitOfWork
    ) -> tuple[dict[tuple[str, str], Entry], list[Disclosure]]:
        ids: dict[str, set[str]] = {}
        for key, _ in names:
            kind, _, own = key.partition("/")
            ids.setdefault(kind, set()).add(own)
        citizens = frozenset(
            c for kind, own in ids.items() for c in work.resources.citizens_of(kind, own)
        )
        newest = sight.current(citizens).values() if names else ()
        seen = {(entry.key, entry.version): entry for entry in newest}
        if not set(names) <= seen.keys():
            seen |= sight.history(citizens)
        found = {name: seen[name] for name in names if name in seen}
        return found, [entry.why for entry in found.values()]

    return disclose(hub, viewer, "vread", look)


def history(
    hub: Hub,
    viewer: Viewer,
    kind: str,
    resource_id: str | None,
    *,
    since: datetime | None,
    count: int,
    token: Token,
) -> HistoryPage:
    """Versions of one resource, or of all of its type, that came at or after ``since``.

    ``token`` says as of when, and after which version to go on. Raises NotFound if the party may
    read no version of the one resource.
    """

    def look(sight: Sight, work: UnitOfWork) -> tuple[HistoryPage, list[Disclosure]]:
        citizens = work.resources.citizens_of(kind, [resource_id]) if resource_id else None
        own = f"{kind}/{resource_id}"
        found = [
            entry
            for (key, _), entry in sight.history(citizens).items()
            if (key == own if resource_id else key.startswith(f"{kind}/"))
        ]
        if resource_id and not found:
            raise NotFound(UNKNOWN)
        wanted = [e for e in found if since is None or e.modified >= since]
        page, after = page_of(
            ordered(wanted, _place, _NEWEST_FIRST),
            _place,
            _NEWEST_FIRST,
            token.after or None,
            count,
        )
        following = token.going_on(after, (e.modified for e in found)) if after else None
        return HistoryPage(page, len(wanted), following), [e.why for e in page]

    return disclose(hub, viewer, "history", look, until=token.as_of)


def _place(entry: Entry) -> Key:
    # Versions of one resource made at one moment still go newest first.
    return (moment_key(entry.modified), entry.key, f"{10**9 - int(entry.version):010d}")

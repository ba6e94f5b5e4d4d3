"""Resource versions, written together: what is there is asked for once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, func, select, tuple_

from hub.contract import Resource
from hub.fhir.codec import dump_json
from hub.model.plan import Key
from hub.store.tables import RESOURCE

_AT_ONCE: Final = 5_000
"""Resources asked for in one statement; a database takes so many parameters."""


class OthersError(ValueError):
    """The id belongs to another part of a plan."""

    def __init__(self, kind: str) -> None:
        super().__init__("the id belongs to another")
        self.kind = kind
        """The resource's type."""


class Written(NamedTuple):
    """A resource as its owner wants it now."""

    resource: Resource
    digest: str
    owner: str
    """The part it belongs to; for a Patient: the citizen."""


class _Newest(NamedTuple):
    version: int
    digest: str
    owner: str


def save_resources(db: Connection, written: Sequence[Written], by: str, now: datetime) -> list[Key]:
    """A new version of each, unless its content is that of the newest one; their keys, in order.

    Raises OthersError if an id already belongs to another.
    """
    newest = _newest(db, {_named(w.resource) for w in written})
    keys: list[Key] = []
    rows: list[dict[str, Any]] = []
    for one in written:
        kind, own = named = _named(one.resource)
        version, known, owner = newest.get(named, _Newest(0, "", one.owner))
        if owner != one.owner:
            raise OthersError(kind)
        if known != one.digest:
            version += 1
            newest[named] = _Newest(version, one.digest, one.owner)
            rows.append(_row(one, version, by, now))
        keys.append((kind, own, version))
    if rows:
        db.execute(RESOURCE.insert(), rows)
    return keys


def _named(resource: Resource) -> tuple[str, str]:
    return str(resource["resourceType"]), str(resource["id"])


def _row(one: Written, version: int, by: str, now: datetime) -> dict[str, Any]:
    kind, own = _named(one.resource)
    return {
        "type": kind,
        "id": own,
        "version": version,
        "owner": one.owner,
        "digest": one.digest,
        "body": dump_json(one.resource).decode(),
        "written_by": by,
        "written_at": now,
    }


def _newest(db: Connection, named: Collection[tuple[str, str]]) -> dict[tuple[str, str], _Newest]:
    """Of those that are there already."""
    table, wanted = RESOURCE.c, sorted(named)
    found: dict[tuple[str, str], _Newest] = {}
    for begin in range(0, len(wanted), _AT_ONCE):
        last = (
            select(table.type, table.id, func.max(table.version).label("last"))
            .where(tuple_(table.type, table.id).in_(wanted[begin : begin + _AT_ONCE]))
            .group_by(table.type, table.id)
            .subquery()
        )
        same = and_(table.type == last.c.type, table.id == last.c.id, table.version == last.c.last)
        rows = select(table.type, table.id, table.version, table.digest, table.owner)
        for r in db.execute(rows.join(last, same)):
            found[r.type, r.id] = _Newest(r.version, r.digest, r.owner)
    return found

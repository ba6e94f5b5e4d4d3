"""Resource versions, written together: what is there is asked for once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
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
    mine: int | None = None
    """Of a Patient, which all of a citizen's plans share: the version that this plan has."""


class _Newest(NamedTuple):
    version: int
    digest: str
    owner: str


def save_resources(db: Connection, written: Sequence[Written], by: str, now: datetime) -> list[Key]:
    """A new version of each, unless its content is that of the newest one; their keys, in order.

    Raises OthersError if an id already belongs to another.
    """
    newest = _newest(db, {_named(w.resource) for w in written})
    own = _digests(db, [(*_named(w.resource), w.mine) for w in written if w.mine])
    keys: list[Key] = []
    rows: list[dict[str, Any]] = []
    for one in written:
        kind, name = named = _named(one.resource)
        version, known, owner = newest.get(named, _Newest(0, "", one.owner))
        if owner != one.owner:
            raise OthersError(kind)
        if kind == _SHARED_BY_PLANS:
            number, known = one.mine or 0, own.get((kind, name, one.mine or 0), "")
            following = max(version + 1, _moment(now))
        else:
            number, following = version, version + 1
        if known != one.digest:
            number = following
            newest[named] = _Newest(number, one.digest, one.owner)
            rows.append(_row(one, number, by, now))
        keys.append((kind, name, number))
    if rows:
        db.execute(RESOURCE.insert(), rows)
    return keys


_SHARED_BY_PLANS: Final = "Patient"
"""One resource for all of a citizen's plans. Who writes in one may not know of another, so what is
new is told by its own plan, and its versions are not counted: a count would tell of the others."""
_BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)


def _moment(now: datetime) -> int:
    """The number of a version that is not counted: the second it was written in."""
    return max(1, int((now - _BEGINNING).total_seconds()))


def _digests(db: Connection, keys: Sequence[Key]) -> dict[Key, str]:
    if not keys:
        return {}
    columns = (RESOURCE.c.type, RESOURCE.c.id, RESOURCE.c.version)
    found = select(*columns, RESOURCE.c.digest).where(tuple_(*columns).in_(keys))
    return {(r.type, r.id, r.version): r.digest for r in db.execute(found)}


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

"""The audit trail as it is sealed, checked, searched and let go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from hub.model.trail import Break, Checker, Seal, day, row_hash, sealed, unsealed
from hub.store.audit_rows import AuditRows
from hub.store.audit_tables import AUDIT, AUDIT_SEAL, AUDIT_SEGMENT, AUDIT_TAIL
from hub.store.dialect import take_turn
from hub.store.parties import Parties

_BATCH: Final = 5_000
SEALER: Final = "audit-sealer"


@dataclass(frozen=True)
class Checked:
    """What a check of the whole trail found."""

    found: Break | None
    rows: int
    """Sealed rows that are as they were written, up to the break."""
    expired: int
    """Seals whose rows have expired."""
    unsealed: int
    """Rows that wait for the sealer."""
    head: str
    """The newest chain hash."""


@dataclass(frozen=True)
class Wanted:
    """Which rows; None: whatever it is."""

    citizen: str | None = None
    """A pseudonym."""
    plan_id: str | None = None
    party: str | None = None
    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Not at this moment any more."""


class Trail:
    """Seals, segments, holds, and rows to be shown."""

    def __init__(self, connection: Connection, parties: Parties) -> None:
        self._db = connection
        self._rows = AuditRows(connection, parties)

    # Sealing

    def waits(self) -> bool:
        """Something waits for the sealer."""
        return self._db.execute(select(AUDIT_TAIL.c.audit_id).limit(1)).first() is not None

    def seal(self, now: datetime, limit: int) -> int:
        """Give up to ``limit`` committed rows their place; returns how many.

        Does nothing while another sealer is at it. A row that is no longer what it says it was
        is left where it is: to seal it would be to vouch for it.
        """
        if not take_turn(self._db, SEALER):
            return 0
        waiting = (
            select(AUDIT).join(AUDIT_TAIL, AUDIT_TAIL.c.audit_id == AUDIT.c.id)
            .order_by(AUDIT.c.id).limit(limit)
        )  # fmt: skip
        rows = [r._asdict() for r in self._db.execute(waiting)]
        whole = [(r["id"], r["row_hash"]) for r in rows if row_hash(r) == r["row_hash"]]
        if not whole:
            return 0
        newest = self._newest()
        segment = self._segment(newest.segment) if newest else None
        made: list[Seal] = []
        in_segment, opened = (segment.rows, segment.opened_on) if segment else (0, day(now))
        for audit_id, own in whole:
            seal = sealed(newest, audit_id, own, now, in_segment, opened)
            if newest is None or seal.segment != newest.segment:
                in_segment, opened = 0, day(now)
            in_segment += 1
            made.append(seal)
            newest = seal
        self._keep(made)
        return len(made)

    def _keep(self, made: list[Seal]) -> None:
        self._db.execute(AUDIT_SEAL.insert(), [vars(s) for s in made])
        ids = [s.audit_id for s in made]
        self._db.execute(delete(AUDIT_TAIL).where(AUDIT_TAIL.c.audit_id.in_(ids)))
        for number in sorted({s.segment for s in made}):
            own = [s for s in made if s.segment == number]
            grown = (
                update(AUDIT_SEGMENT).where(AUDIT_SEGMENT.c.number == number)
                .values(rows=AUDIT_SEGMENT.c.rows + len(own))
            )  # fmt: skip
            if self._db.execute(grown).rowcount == 0:
                first = day(own[0].sealed_at)
                self._db.execute(
                    AUDIT_SEGMENT.insert().values(number=number, opened_on=first, rows=len(own))
                )

    def _newest(self) -> Seal | None:
        found = select(AUDIT_SEAL).order_by(AUDIT_SEAL.c.position.desc()).limit(1)
        row = self._db.execute(found).first()
        return _seal(row) if row else None

    def _segment(self, number: int) -> Row[Any] | None:
        found = select(AUDIT_SEGMENT).where(AUDIT_SEGMENT.c.number == number)
        return self._db.execute(found).first()

    # Citizens

    def pseudonym_of(self, citizen: str) -> str | None:
        """The citizen's name in the trail; None where there is no key (any more)."""
        return self._rows.known_pseudonym(citizen)

    def forget(self, citizen: str) -> bool:
        """Delete the key of the citizen's pseudonym; False if there is none."""
        return self._rows.forget(citizen)

    # Looking

    def rows(
        self, wanted: Wanted, *, before: int | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Newest first, of those written before the row ``before``."""
        found = _filtered(wanted)
        if before is not None:
            found = found.where(AUDIT.c.id < before)
        rows = self._db.execute(found.order_by(AUDIT.c.id.desc()).limit(limit))
        return [r._asdict() for r in rows]

    def every(self, wanted: Wanted) -> Iterator[dict[str, Any]]:
        """All of them, oldest first, a batch in memory at a time."""
        last = 0
        while True:
            batch = _filtered(wanted).where(AUDIT.c.id > last).order_by(AUDIT.c.id)
            rows = self._db.execute(batch.limit(_BATCH)).all()
            yield from (r._asdict() for r in rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1].id

    # Checking

    def head(self) -> Seal | None:
        """The newest seal."""
        return self._newest()

    def check(self, head: str | None = None) -> Checked:
        """Follow the whole chain, then what waits behind it; stops at the first break."""
        found = select(AUDIT_SEGMENT).where(AUDIT_SEGMENT.c.expired_by.is_not(None))
        expired = {r.number: r.expired_by for r in self._db.execute(found)}
        checker = Checker(expired, head)
        broken: Break | None = None
        for seal, row in self._chain():
            broken = checker.follow(seal, row)
            if broken:
                break
        if broken is None:
            broken = self._beside_the_chain(checker) or checker.ended()
        waiting = self._db.execute(select(func.count()).select_from(AUDIT_TAIL)).scalar_one()
        return Checked(broken, checker.rows, checker.gone, waiting, checker.head)

    def _chain(self) -> Iterator[tuple[Seal, Mapping[str, Any] | None]]:
        """Every seal in order with its row, a batch in memory at a time."""
        last = 0
        names = [c.name for c in AUDIT.c]
        seals = [AUDIT_SEAL.c[f.name].label(f"seal_{f.name}") for f in fields(Seal)]
        wanted = select(*seals, *AUDIT.c).outerjoin_from(
            AUDIT_SEAL, AUDIT, AUDIT.c.id == AUDIT_SEAL.c.audit_id
        )
        while True:
            batch = wanted.where(AUDIT_SEAL.c.position > last).order_by(AUDIT_SEAL.c.position)
            rows = self._db.execute(batch.limit(_BATCH)).all()
            for row in rows:
                seal, said = Seal(*row[: len(seals)]), row[len(seals) :]
                there = said[0] is not None
                yield seal, dict(zip(names, said, strict=True)) if there else None
                last = seal.position
            if len(rows) < _BATCH:
                return

    def _beside_the_chain(self, checker: Checker) -> Break | None:
        tail = set(self._db.execute(select(AUDIT_TAIL.c.audit_id)).scalars())
        rows = (
            select(AUDIT).outerjoin(AUDIT_SEAL, AUDIT_SEAL.c.audit_id == AUDIT.c.id)
            .where(AUDIT_SEAL.c.position.is_(None)).order_by(AUDIT.c.id)
        )  # fmt: skip
        missing = (
            select(AUDIT_TAIL.c.audit_id).outerjoin(AUDIT, AUDIT.c.id == AUDIT_TAIL.c.audit_id)
            .where(AUDIT.c.id.is_(None)).order_by(AUDIT_TAIL.c.audit_id)
        )  # fmt: skip
        gone = self._db.execute(missing).scalars().all()
        waiting = [r._asdict() for r in self._db.execute(rows)]
        broken = unsealed(waiting, tail, gone)
        if broken is None:
            for row in waiting:
                checker.told(row)
        return broken


def _filtered(wanted: Wanted) -> Select[Any]:
    found = select(AUDIT)
    for name in ("citizen", "plan_id", "party", "actor", "action", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            found = found.where(AUDIT.c[name] == value)
    if wanted.since is not None:
        found = found.where(AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(AUDIT.c.at < wanted.until)
    return found


def _seal(row: Row[Any]) -> Seal:
    return Seal(
        row.position, row.audit_id, row.row_hash, row.segment, row.sealed_at, row.chain_hash
    )

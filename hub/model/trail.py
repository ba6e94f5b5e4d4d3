"""The audit trail as a chain of hashes: what is hashed, and how a break is found. Pure.

Every audit row has a hash over all its columns, written with it. The sealer gives committed rows
positions, and each position a hash over the one before it; so that a row that is changed, taken
out, put in or moved no longer fits what follows.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What stands before the first seal."""
SEGMENT_ROWS: Final = 10_000
"""A segment has no more rows than this, and none of a later day (UTC) than its first seal."""
EXPIRED: Final = "expire"
"""The action of the audit row that lets a segment's rows go."""
NOT_IN_CHAIN: Final = (
    "The chain hash given is not in the chain: its end was cut off, or it was written anew"
)
_OWN: Final = "row_hash"


def row_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 in hex over every column of an audit row but the hash itself.

    A column without a value is left out, so that a column added later changes no older hash.
    """
    said = {k: _plain(v) for k, v in row.items() if v is not None and k != _OWN}
    return _hash("ki-audit-row", said)


def segment_object(number: int) -> str:
    """What the audit row of a segment's expiry is about."""
    return f"audit-segment/{number}"


@dataclass(frozen=True)
class Seal:
    """One place in the chain."""

    position: int
    """From 1, without gaps."""
    audit_id: int
    row_hash: str
    segment: int
    sealed_at: datetime
    chain_hash: str


def sealed(
    before: Seal | None, audit_id: int, own: str, now: datetime, in_segment: int, opened_on: str
) -> Seal:
    """The next seal; ``in_segment``: how many rows the newest segment has, ``opened_on``: its
    first day (ISO)."""
    position = before.position + 1 if before else 1
    segment = before.segment if before else 1
    if before and (in_segment >= SEGMENT_ROWS or day(now) != opened_on):
        segment += 1
    previous = before.chain_hash if before else GENESIS
    made = chain_hash(previous, position, audit_id, own, segment, now)
    return Seal(position, audit_id, own, segment, now, made)


def chain_hash(
    previous: str, position: int, audit_id: int, own: str, segment: int, sealed_at: datetime
) -> str:
    """SHA-256 in hex over the chain so far and everything the new seal says."""
    return _hash("ki-audit-seal", [previous, position, audit_id, own, segment, _plain(sealed_at)])


def day(at: datetime) -> str:
    """The day in UTC, ISO."""
    return at.astimezone(UTC).date().isoformat()


@dataclass(frozen=True)
class Break:
    """The first thing that does not fit."""

    position: int | None
    """In the chain; None outside it."""
    audit_id: int | None
    text: str


class Checker:
    """Follows the chain from its beginning; told of each seal in order, with its row.

    ``expired``: segment to the id of the audit row that let its rows go.
    """

    def __init__(self, expired: Mapping[int, int], head: str | None = None) -> None:
        self._expired = expired
        self._claims: dict[int, set[int]] = {}
        for number, audit_id in expired.items():
            self._claims.setdefault(audit_id, set()).add(number)
        self._head = head
        self._previous: Seal | None = None
        self.rows = 0
        """Rows that were there and are as they were written."""
        self.gone = 0
        """Rows of segments that have expired."""
        self.head_found = False

    @property
    def head(self) -> str:
        """The newest chain hash so far."""
        return self._previous.chain_hash if self._previous else GENESIS

    def follow(self, seal: Seal, row: Mapping[str, Any] | None) -> Break | None:
        """The next seal and the row it names; None for the row if there is none."""
        found = self._seal(seal) or self._row(seal, row)
        self._previous = seal
        self.head_found |= seal.chain_hash == self._head
        return found

    def ended(self) -> Break | None:
        """After the last seal."""
        if self._claims:
            number = min(n for claimed in self._claims.values() for n in claimed)
            told = f"Segment {number} is said to be expired; no sealed row says so"
            return Break(None, None, told)
        if self._head is not None and not self.head_found and self._head != GENESIS:
            return Break(None, None, NOT_IN_CHAIN)
        return None

    def _seal(self, seal: Seal) -> Break | None:
        before = self._previous
        position = before.position + 1 if before else 1
        place = (position, seal.audit_id)
        if seal.position != position:
            return Break(position, None, "A seal is missing here")
        number = before.segment if before else 1
        if seal.segment not in {number, number + 1 if before else number}:
            return Break(*place, "The seal's segment does not follow the one before it")
        made = chain_hash(
            self.head, seal.position, seal.audit_id, seal.row_hash, seal.segment, seal.sealed_at
        )
        return None if made == seal.chain_hash else Break(*place, "The seal is broken")

    def _row(self, seal: Seal, row: Mapping[str, Any] | None) -> Break | None:
        place = (seal.position, seal.audit_id)
        if row is None:
            if seal.segment not in self._expired:
                return Break(*place, "The row was removed")
            self.gone += 1
            # The row that told of an earlier segment's expiry may itself be gone by now.
            if seal.audit_id in self._claims:
                self._settle(seal.audit_id, range(1, seal.segment))
            return None
        if row_hash(row) != seal.row_hash or row[_OWN] != seal.row_hash:
            return Break(*place, "The row was changed")
        self.told(row)
        self.rows += 1
        return None

    def told(self, row: Mapping[str, Any]) -> None:
        """A row that is as it was written, sealed or still to be: it may let a segment go."""
        if row["action"] == EXPIRED:
            gone = {n for n in self._expired if row["object"] == segment_object(n)}
            self._settle(row["id"], gone)

    def _settle(self, audit_id: int, told: Container[int]) -> None:
        claimed = self._claims.get(audit_id)
        if claimed is None:
            return
        left = {n for n in claimed if n not in told}
        if left:
            self._claims[audit_id] = left
        else:
            del self._claims[audit_id]


def unsealed(
    rows: Iterable[Mapping[str, Any]], tail: Container[int], missing: Iterable[int]
) -> Break | None:
    """Of what waits for the sealer: ``rows`` without a seal, the ids in its ``tail``, and those of
    them that have no row."""
    for audit_id in missing:
        return Break(None, audit_id, "The row was removed before it was sealed")
    for row in rows:
        if row["id"] not in tail:
            return Break(None, row["id"], "The row was put in, or its seal was removed")
        if row_hash(row) != row[_OWN]:
            return Break(None, row["id"], "The row was changed before it was sealed")
    return None


def _plain(value: Any) -> Any:
    """A time as its microsecond in UTC; everything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value


def _hash(kind: str, value: Any) -> str:
    text = json.dumps([kind, value], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()

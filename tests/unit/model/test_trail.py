"""The chain over the audit trail: whatever is done to a row or a seal behind its back is found."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hub.model import trail
from hub.model.trail import GENESIS, Break, Checker, Seal, day, row_hash, sealed, unsealed
from hub.store.audit_tables import AUDIT

NOW = datetime(2026, 9, 20, 23, 59, 58, 123456, tzinfo=UTC)
OTHER: dict[type, Any] = {str: "other", int: 4711, datetime: NOW + timedelta(microseconds=1)}
COLUMNS = [c.name for c in AUDIT.c]


@dataclass
class Books:
    """An audit table and its seals, as they would be read back."""

    rows: dict[int, dict[str, Any]]
    seals: list[Seal]
    tail: set[int]
    expired: dict[int, int]

    def check(self, head: str | None = None) -> Break | None:
        checker = Checker(self.expired, head)
        for seal in self.seals:
            if broken := checker.follow(seal, self.rows.get(seal.audit_id)):
                return broken
        named = {s.audit_id for s in self.seals}
        beside = [row for audit_id, row in sorted(self.rows.items()) if audit_id not in named]
        return checker.ended() or unsealed(beside, self.tail, self.tail - self.rows.keys())


def row(audit_id: int, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {name: f"{name}-{audit_id}" for name in COLUMNS}
    made |= {"id": audit_id, "at": NOW + timedelta(seconds=audit_id), "version": 3} | changes
    return made | {"row_hash": row_hash(made)}


def books(order: list[int], waiting: tuple[int, ...] = (), **rows: Any) -> Books:
    """Rows sealed in that order, a second apart; those ``waiting`` not yet."""
    kept = {n: row(n, **rows.get(f"row_{n}", {})) for n in (*order, *waiting)}
    seals: list[Seal] = []
    for at, n in enumerate(order):
        newest = seals[-1] if seals else None
        segment = [s for s in seals if newest and s.segment == newest.segment]
        opened = day(segment[0].sealed_at) if segment else day(NOW)
        now = NOW + timedelta(seconds=at)
        seals.append(sealed(newest, n, kept[n]["row_hash"], now, len(segment), opened))
    return Books(kept, seals, set(waiting), {})


# Committed out of order, over midnight, and two rows still to be sealed.
GOOD = books([1, 3, 2, 5, 4, 8], waiting=(6, 9))


def edited(found: Books) -> Iterator[tuple[str, Books]]:
    for audit_id, said in found.rows.items():
        for name in COLUMNS:
            for value in (OTHER[type(said[name])], None):
                bad = copy.deepcopy(found)
                if name == "id" and value is not None:
                    bad.rows[value] = bad.rows.pop(audit_id) | {"id": value}
                elif name != "id":
                    bad.rows[audit_id][name] = value
                else:
                    continue
                yield f"row {audit_id} {name}", bad


def removed(found: Books) -> Iterator[tuple[str, Books]]:
    for audit_id in found.rows:
        bad = copy.deepcopy(found)
        del bad.rows[audit_id]
        yield f"row {audit_id} removed", bad
    for n in range(len(found.seals)):
        bad = copy.deepcopy(found)
        gone = bad.seals.pop(n)
        yield f"seal {gone.position} removed", bad
        both = copy.deepcopy(bad)
        del both.rows[gone.audit_id]
        if n < len(found.seals) - 1:
            yield f"seal and row {gone.audit_id} removed", both


def moved(found: Books) -> Iterator[tuple[str, Books]]:
    ids = list(found.rows)
    for a in ids:
        for b in ids:
            if a < b:
                bad = copy.deepcopy(found)
                bad.rows[a], bad.rows[b] = bad.rows[b] | {"id": a}, bad.rows[a] | {"id": b}
                yield f"rows {a} and {b} swapped", bad
    for a in range(len(found.seals)):
        for b in range(a):
            bad = copy.deepcopy(found)
            one, other = bad.seals[a], bad.seals[b]
            bad.seals[a] = replace(one, audit_id=other.audit_id, row_hash=other.row_hash)
            bad.seals[b] = replace(other, audit_id=one.audit_id, row_hash=one.row_hash)
            yield f"seals {a} and {b} swapped", bad


def inserted(found: Books) -> Iterator[tuple[str, Books]]:
    bad = copy.deepcopy(found)
    bad.rows[7] = row(7)
    yield "a row put in", bad
    for at in range(len(found.seals)):
        bad = copy.deepcopy(found)
        bad.rows[7] = row(7)
        before = bad.seals[at - 1] if at else None
        bad.seals.insert(at, sealed(before, 7, bad.rows[7]["row_hash"], NOW, 1, day(NOW)))
        yield f"a row put in and sealed at {at}", bad


def resealed(found: Books) -> Iterator[tuple[str, Books]]:
    others = {"position": 99, "audit_id": 99, "segment": 7, "sealed_at": NOW.replace(year=2027),
              "row_hash": "f" * 64, "chain_hash": "f" * 64}  # fmt: skip
    for n in range(len(found.seals)):
        for name, value in others.items():
            bad = copy.deepcopy(found)
            bad.seals[n] = replace(bad.seals[n], **{name: value})
            yield f"seal {n} {name}", bad


def test_what_was_written_is_intact() -> None:
    assert GOOD.check() is None
    assert GOOD.check(GOOD.seals[-1].chain_hash) is None
    assert GOOD.check(GOOD.seals[2].chain_hash) is None
    assert len({s.segment for s in GOOD.seals}) == 2


@pytest.mark.parametrize("tamper", [edited, removed, moved, inserted, resealed])
def test_whatever_is_done_behind_its_back_is_found(tamper: Any) -> None:
    tried = list(tamper(GOOD))
    assert len(tried) >= 7
    assert [name for name, bad in tried if bad.check() is None] == []


def test_the_first_break_is_named() -> None:
    bad = copy.deepcopy(GOOD)
    bad.rows[5]["outcome"] = bad.rows[8]["outcome"] = "denied"
    assert bad.check() == Break(4, 5, "The row was changed")
    gone = copy.deepcopy(GOOD)
    del gone.seals[2]
    assert gone.check() == Break(3, None, "A seal is missing here")


def test_an_end_cut_off_is_found_by_a_hash_kept_elsewhere() -> None:
    """Rows and seals of the end, and what waited: the rest is a whole chain again."""
    cut = copy.deepcopy(GOOD)
    head = cut.seals[-1].chain_hash
    gone = cut.seals.pop()
    cut.rows = {n: r for n, r in cut.rows.items() if n not in {gone.audit_id, *cut.tail}}
    cut.tail.clear()
    assert cut.check() is None
    broken = cut.check(head)
    assert broken is not None
    assert broken.text == trail.NOT_IN_CHAIN


def test_a_chain_written_anew_is_found_by_a_hash_kept_elsewhere() -> None:
    head = GOOD.seals[-1].chain_hash
    anew = books([1, 3, 2, 5, 4, 8], row_5={"outcome": "denied"})
    assert anew.check() is None
    assert anew.check(head) is not None


def expired(said: str = "audit-segment/1", by: int = 8) -> Books:
    found = books([1, 3, 2, 5, 4, 8], row_8={"action": "expire", "object": said})
    first = [s.audit_id for s in found.seals if s.segment == 1]
    for audit_id in first:
        del found.rows[audit_id]
    found.expired = {1: by}
    return found


def test_a_whole_segment_expires_and_its_seals_stay() -> None:
    found = expired()
    checker = Checker(found.expired)
    assert [checker.follow(s, found.rows.get(s.audit_id)) for s in found.seals] == [None] * 6
    assert checker.ended() is None
    assert (checker.rows, checker.gone) == (4, 2)


@pytest.mark.parametrize(
    "bad", [expired("audit-segment/2"), expired(by=4), expired(by=99), expired(by=1)]
)
def test_a_segment_is_expired_only_if_a_sealed_row_says_so(bad: Books) -> None:
    assert bad.check() is not None


def test_one_sealed_row_lets_no_second_segment_go() -> None:
    found = expired()
    second = [s.audit_id for s in found.seals if s.segment == 2 and s.audit_id != 8]
    for audit_id in second:
        del found.rows[audit_id]
    found.expired = {1: 8, 2: 8}
    assert found.check() is not None


def test_a_segment_has_no_more_rows_than_it_may() -> None:
    before = Seal(7, 7, "a" * 64, 3, NOW, "b" * 64)
    assert sealed(before, 8, "c" * 64, NOW, trail.SEGMENT_ROWS - 1, day(NOW)).segment == 3
    assert sealed(before, 8, "c" * 64, NOW, trail.SEGMENT_ROWS, day(NOW)).segment == 4
    tomorrow = NOW + timedelta(seconds=2)
    assert sealed(before, 8, "c" * 64, tomorrow, 1, day(NOW)).segment == 4
    assert sealed(None, 8, "c" * 64, NOW, 0, day(NOW)).segment == 1


def test_the_hash_is_of_the_moment_and_not_of_how_it_is_written() -> None:
    one = row(1)
    local = one | {"at": one["at"].astimezone(timezone(timedelta(hours=2)))}
    assert row_hash(one) == row_hash(local)


def test_a_column_added_later_changes_no_older_hash() -> None:
    assert row_hash(row(1)) == row_hash(row(1) | {"a-later-column": None})
    assert row_hash(row(1)) != row_hash(row(1) | {"a-later-column": ""})


def test_an_empty_trail_is_intact() -> None:
    assert Books({}, [], set(), {}).check() is None
    assert Books({}, [], set(), {}).check(GENESIS) is None
    assert Books({}, [], set(), {}).check("a" * 64) is not None

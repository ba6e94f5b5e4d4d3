"""The order of a list, three-way: what the others moved stays moved, new items keep their company.

Ranks belong to the order. They are kept as they were given where that still says the order, and
otherwise counted anew from 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from hub.model.pieces import Place, ranked


def merged_order(
    base: Sequence[Place],
    theirs: Sequence[Place],
    current: Sequence[Place],
    alive: Collection[str],
) -> tuple[tuple[Place, ...], bool]:
    """The order of what is ``alive``, and whether both had moved the same items differently.

    Then the current order stands. Where both put something new in one place, what was there
    first comes first.
    """
    b, t, c = (_names(x) for x in (base, theirs, current))
    common = set(b) & set(t) & set(c) & set(alive)
    rb, rt, rc = ([k for k in x if k in common] for x in (b, t, c))
    moved = rt not in (rb, rc)
    conflict = moved and rc != rb
    if moved and not conflict:
        order = _with([k for k in t if k in alive], c, alive, first=True)
    else:
        order = _with([k for k in c if k in alive], t, alive, first=False)
    ranks = _ranks(order, dict(base), dict(theirs), dict(current), mine=conflict)
    found = tuple(zip(order, ranks, strict=True))
    for one in (current, theirs):
        # As it was written, where that says the same.
        if ranked(tuple(one)) == found:
            return tuple(one), conflict
    return found, conflict


def _names(places: Sequence[Place]) -> list[str]:
    return [key for key, _ in ranked(tuple(places))]


def _with(
    order: Sequence[str], other: Collection[str], alive: Collection[str], *, first: bool
) -> list[str]:
    """``order`` with what only ``other`` has, each behind what it stands behind there."""
    made = list(order)
    after = 0
    for key in other:
        if key in made:
            after = made.index(key) + 1
        elif key in alive:
            while not first and after < len(made) and made[after] not in other:
                after += 1
            made.insert(after, key)
            after += 1
    return made


def _ranks(
    order: Sequence[str],
    base: Mapping[str, int | None],
    theirs: Mapping[str, int | None],
    current: Mapping[str, int | None],
    *,
    mine: bool,
) -> list[int | None]:
    given = [
        current.get(k)
        if k in current and (mine or theirs.get(k, base.get(k)) == base.get(k))
        else theirs.get(k)
        for k in order
    ]
    known = [r for r in given if r is not None]
    if not known and not any(r is not None for r in (*theirs.values(), *current.values())):
        return [None] * len(order)
    rising = len(known) == len(order) and all(a < b for a, b in pairwise(known))
    return list(given) if rising else list(range(1, len(order) + 1))

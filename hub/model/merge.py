"""Merging what comes back: base x theirs x current, on the pieces of a plan's shared part. Pure.

Different pieces merge. A piece that two entitled writers changed differently is a conflict: the
current text stands, both are kept with their base, and a person decides. Nothing is invented:
every value of the result stands in one of the three.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.fhir import names
from hub.fhir.bundles import reachable
from hub.fhir.extract import codes
from hub.model.hidden import patched
from hub.model.order import merged_order
from hub.model.pieces import ORDER, OTHER, RANKED, Pieces, joined, listed, referred
from hub.model.same import same

_TEAM: Final = ("plan/author", "plan/careTeam", "team/", "participant/")


@dataclass(frozen=True)
class Conflict:
    """One piece that two writers changed; None: it is not there."""

    piece: str
    base: Any
    theirs: Any
    current: Any


@dataclass(frozen=True)
class Merged:
    """What stands now, and what a person must decide."""

    pieces: Pieces
    conflicts: tuple[Conflict, ...] = ()


def restored(seen: Pieces, sent: Pieces, whole: Pieces, *, complete: bool, ordered: bool) -> Pieces:
    """What the sender's document would say if the sender had seen the whole version.

    ``seen`` is what it was given of ``whole``, in words of the format it writes in; ``sent`` is
    what came back. What it could not see, and what its format cannot say, stays as it is. Without
    ``complete`` nothing is deleted by not being named; without ``ordered`` nothing is moved.
    """
    values: dict[str, Any] = {}
    for key in _union(whole, sent):
        s, t, w = (x.values.get(key) for x in (seen, sent, whole))
        value = (None if complete and s is not None else w) if t is None else patched(s, t, w)
        if value is not None:
            values[key] = value
    new = {k: v for k, v in sent.orders.items() if not ordered and k in RANKED}
    said = replace(
        sent, orders={**sent.orders, **{k: _unmoved(seen, k, v) for k, v in new.items()}}
    )
    return _closed(_ordered(seen, said, whole, values)[0])


def merge(base: Pieces, theirs: Pieces, current: Pieces) -> Merged:
    """The three merged; ``merge(base, a, base)`` is ``a``."""
    values: dict[str, Any] = {}
    conflicts: dict[str, Conflict] = {}
    for key in _union(current, theirs, base):
        b, t, c = (x.values.get(key) for x in (base, theirs, current))
        value = c if same(t, b) or same(t, c) else t
        if value is not c and not same(c, b):
            conflicts[key] = Conflict(key, b, t, c)
            value = c
        if value is not None:
            values[key] = value
    for key in _unsound(base, theirs, current, values):
        b, t, c = (x.values.get(key) for x in (base, theirs, current))
        if t is not None or not key.startswith(OTHER):
            conflicts[key] = Conflict(key, b, t, c)
        values.pop(key, None)
        if c is not None:
            values[key] = c
    found, moved = _ordered(base, theirs, current, values)
    for name in moved:
        orders = (tuple(k for k, _ in x.orders.get(name, ())) for x in (base, theirs, current))
        conflicts[f"{ORDER}{name}"] = Conflict(f"{ORDER}{name}", *(list(o) for o in orders))
    return Merged(_closed(found), tuple(conflicts.values()))


def changes(base: Pieces, theirs: Pieces) -> tuple[Conflict, ...]:
    """What ``theirs`` changes of ``base``: as conflicts with nobody.

    A contact that is new, or that nothing leads to any more, is part of another change. The order
    of a list is a change of its own only where what both have was moved.
    """
    found = []
    for key in _union(base, theirs):
        b, t = base.values.get(key), theirs.values.get(key)
        if not same(b, t) and not (key.startswith(OTHER) and None in (b, t)):
            found.append(Conflict(key, b, t, b))
    for name in RANKED:
        b, t = ([k for k, _ in x.orders.get(name, ())] for x in (base, theirs))
        both = set(b) & set(t)
        if [k for k in b if k in both] != [k for k in t if k in both]:
            found.append(Conflict(f"{ORDER}{name}", b, t, b))
    return tuple(found)


def dangling(pieces: Pieces, known: Iterable[str]) -> set[str]:
    """``Type/id`` among ``known`` that a piece leads to and no piece holds."""
    there = pieces.sources()
    wanted = {r for value in pieces.values.values() for r in referred(value)}
    return (wanted & set(known)) - set(there)


def one_lead(pieces: Pieces) -> bool:
    """Exactly one participant is the lead, and is the plan's author."""
    links = [v["link"] for k, v in pieces.values.items() if k.startswith("participant/")]
    leads = [x for x in links if "lead" in codes(x.get("role", ()), names.ROLE)]
    author = pieces.values.get("plan/author", {}).get("reference")
    return len(leads) == 1 and leads[0].get("member", {}).get("reference") == author


def _unsound(
    base: Pieces, theirs: Pieces, current: Pieces, values: dict[str, Any]
) -> Iterable[str]:
    """Pieces that must be as they are now, or the merged plan would not hold together.

    One removed what the other now refers to; or the lead would be nobody, or two.
    """
    held = dict(values)
    found: set[str] = set()
    known = {**theirs.sources(), **current.sources()}
    mine = current.sources()
    while True:
        trial = Pieces(current.plan, held, current.orders)
        wrong = {mine[r] for r in dangling(trial, known) if r in mine}
        lost = {r for r in dangling(trial, known) if r not in mine}
        wrong |= {k for k, v in held.items() if lost & set(referred(v))}
        if not one_lead(trial) and one_lead(current):
            keys = set(held) | set(current.values)
            wrong |= {k for k in keys if k.startswith(_TEAM)}
        wrong |= _emptied(theirs, current, held)
        wrong = {k for k in wrong if not same(held.get(k), current.values.get(k))}
        if not wrong:
            return sorted(found)
        found |= wrong
        for key in wrong:
            held.pop(key, None)
            if key in current.values:
                held[key] = current.values[key]


def _emptied(theirs: Pieces, current: Pieces, values: dict[str, Any]) -> set[str]:
    """Items of a list of which each left some, and together they left none."""
    found: set[str] = set()
    for name in RANKED:
        kept = [k for k, v in values.items() if listed(k, v) == name]
        if not kept and theirs.orders.get(name) and current.orders.get(name):
            found |= {k for k, _ in current.orders[name]}
    return found


def _ordered(
    base: Pieces, theirs: Pieces, current: Pieces, values: dict[str, Any]
) -> tuple[Pieces, list[str]]:
    """The values in their orders, and the lists where both moved the same; of a list without
    priority the current order stands."""
    orders, moved = {}, []
    sources = set(Pieces(current.plan, values, {}).sources())
    for name in dict.fromkeys([*current.orders, *theirs.orders]):
        alive = sources if name == "resources" else set(values)
        b, t, c = (x.orders.get(name, ()) for x in (base, theirs, current))
        order, conflict = merged_order(b, t, c, alive)
        if order:
            orders[name] = order
        if conflict and name in RANKED:
            moved.append(name)
    return Pieces(current.plan, values, orders), moved


def _unmoved(seen: Pieces, name: str, sent: tuple[Any, ...]) -> tuple[Any, ...]:
    """The order as it was given, then what is new, without ranks of its own."""
    known = dict(seen.orders.get(name, ()))
    there = dict(sent)
    last = max((r for r in known.values() if r is not None), default=0)
    new = [k for k in there if k not in known]
    kept = tuple((k, r) for k, r in seen.orders.get(name, ()) if k in there)
    return (*kept, *((k, last + i) for i, k in enumerate(new, 1)))


def _closed(pieces: Pieces) -> Pieces:
    """Without people and units that nothing leads to any more."""
    there = reachable(joined(pieces), [pieces.plan])
    gone = {k for k in pieces.values if k.startswith(OTHER) and k.removeprefix(OTHER) not in there}
    if not gone:
        return pieces
    values = {k: v for k, v in pieces.values.items() if k not in gone}
    left = {k.removeprefix(OTHER) for k in gone}
    places = tuple(p for p in pieces.orders["resources"] if p[0] not in left)
    return replace(pieces, values=values, orders={**pieces.orders, "resources": places})


def _union(*pieces: Pieces) -> list[str]:
    return list(dict.fromkeys(k for p in pieces for k in p.values))

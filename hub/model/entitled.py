"""Who may change which piece of the shared part. Pure.

The lead's unit may change every piece. Each actor's own unit may change the actor's status note,
and add one. What anybody else wants changed is a proposal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hub.contract import Identifier, Party, Resource
from hub.model.merge import Conflict, changes
from hub.model.pieces import OTHER, Pieces, joined, referred
from hub.model.plan import identifiers, unit_of

Find = Callable[[tuple[Identifier, ...]], Party | None]


def actor_of(piece: str, value: Any, resources: Mapping[str, Resource], find: Find) -> str | None:
    """The unit whose own words a status note is; None for any other piece."""
    if not piece.startswith("status-note/") or not isinstance(value, Mapping):
        return None
    for performer in value.get("resource", {}).get("performer", ()):
        unit = unit_of(resources, performer.get("reference"))
        party = find(identifiers(unit)) if unit is not None else None
        if party is not None:
            return party.id
    return None


def own_words(
    base: Pieces, theirs: Pieces, party: str, find: Find
) -> tuple[Pieces, tuple[Conflict, ...]]:
    """What a unit that is not the lead's may change itself, and what it proposes.

    The first is ``base`` with the unit's own status notes as ``theirs`` has them.
    """
    before, after = joined(base), joined(theirs)
    mine: list[Conflict] = []
    proposed: list[Conflict] = []
    for change in changes(base, theirs):
        was = actor_of(change.piece, change.base, before, find)
        says = actor_of(change.piece, change.theirs, after, find)
        own = says == party and (change.base is None or was == party)
        (mine if own else proposed).append(change)
    return _with(base, theirs, mine), tuple(proposed)


def carried(value: Any, sent: Pieces, known: Pieces) -> dict[str, Resource]:
    """The people and units that a new text names and the plan does not have."""
    found: dict[str, Resource] = {}
    todo = list(referred(value))
    while todo:
        key = todo.pop()
        held = sent.values.get(f"{OTHER}{key}")
        if held is None or key in found or f"{OTHER}{key}" in known.values:
            continue
        found[key] = held["resource"]
        todo.extend(referred(held["resource"]))
    return found


def _with(base: Pieces, theirs: Pieces, mine: list[Conflict]) -> Pieces:
    values = dict(base.values)
    for change in mine:
        if change.theirs is None:
            values.pop(change.piece, None)
            continue
        values[change.piece] = change.theirs
        for key, resource in carried(change.theirs, theirs, base).items():
            values[f"{OTHER}{key}"] = {"resource": resource}
    return replace(base, values=values)

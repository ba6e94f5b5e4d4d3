"""What a person's decision makes of the shared part. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hub.contract import Resource
from hub.model.hidden import patched
from hub.model.merge import one_lead
from hub.model.pieces import ORDER, OTHER, RANKED, Pieces, Place, listed, ranked, referred

_MISSING: Final = "It names what is not in the plan; accept that first"
_NEEDED: Final = "Something in the plan refers to it; change that first"
_LEADS: Final = "A plan has one lead, who is its author; nothing was changed"
_NO_TEXT: Final = "It is no single text; send the change in a document of your own"


class UndecidableError(Exception):
    """The plan would not hold together; the text says why."""


def accepted(
    current: Pieces, piece: str, base: Any, theirs: Any, carried: Mapping[str, Resource]
) -> Pieces:
    """The current pieces with what ``theirs`` changed of ``base``; raises UndecidableError."""
    if piece.startswith(ORDER):
        name = piece.removeprefix(ORDER)
        order = _reordered(current.orders.get(name, ()), theirs or ())
        return replace(current, orders={**current.orders, name: order})
    value = patched(base, theirs, current.values.get(piece))
    values = {k: v for k, v in current.values.items() if k != piece}
    if value is not None:
        values[piece] = value
    for key, resource in carried.items():
        values.setdefault(f"{OTHER}{key}", {"resource": resource})
    return _sound(_placed(replace(current, values=values), piece, value), piece, current)


def reworded(current: Pieces, piece: str, model: Any, text: str) -> Pieces:
    """The current pieces with a person's own words; ``model`` is the piece where it is not there.

    Raises UndecidableError where the piece is no single text.
    """
    stands = current.values.get(piece)
    value = _saying(piece, model if stands is None else stands, text)
    return accepted(current, piece, stands, value, {})


def text_place(piece: str) -> tuple[str, ...] | None:
    """Where the one text of a piece stands, from its value; None if there is none."""
    return _TEXTS.get(piece.partition("/")[0])


_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "challenge": ("resource", "code", "text"),
    "goal": ("resource", "description", "text"),
    "status-note": ("resource", "valueString"),
    "intervention": ("link", "detail", "description"),
}


def _saying(piece: str, value: Any, text: str) -> Any:
    if piece in {"plan/title", "plan/description"}:
        return text
    place = text_place(piece)
    if place is None or not isinstance(value, Mapping):
        raise UndecidableError(_NO_TEXT)
    notes = value.get("resource", {}).get("note") if piece.startswith("challenge/") else None
    if notes:
        # With a label, the text is the note.
        resource = value["resource"] | {"note": [notes[0] | {"text": text}]}
        return {**value, "resource": resource}
    return _at(value, place, text)


def _at(value: Mapping[str, Any], place: Sequence[str], text: str) -> dict[str, Any]:
    name, *rest = place
    return {**value, name: _at(value.get(name, {}), rest, text) if rest else text}


def _placed(pieces: Pieces, piece: str, value: Any) -> Pieces:
    """A new item comes last, its rank after the last."""
    name = listed(piece, value)
    order = pieces.orders.get(name or "", ())
    if name is None or any(key == piece for key, _ in order):
        return pieces
    last = max((r for _, r in order if r is not None), default=0)
    rank = last + 1 if name in RANKED else None
    return replace(pieces, orders={**pieces.orders, name: (*order, (piece, rank))})


def _reordered(current: Sequence[Place], wanted: Collection[str]) -> tuple[Place, ...]:
    """What is wanted in that order, the others behind what they stand behind; the same ranks."""
    now = [key for key, _ in ranked(tuple(current))]
    made = [key for key in wanted if key in now]
    for i, key in enumerate(now):
        if key not in made:
            made.insert(made.index(now[i - 1]) + 1 if i else 0, key)
    ranks = [rank for _, rank in ranked(tuple(current))]
    return tuple(zip(made, ranks, strict=True))


def _sound(pieces: Pieces, piece: str, before: Pieces) -> Pieces:
    there = set(pieces.sources())
    if set(referred(pieces.values.get(piece))) - there:
        raise UndecidableError(_MISSING)
    if any(set(referred(v)) & (set(before.sources()) - there) for v in pieces.values.values()):
        raise UndecidableError(_NEEDED)
    if one_lead(before) and not one_lead(pieces):
        raise UndecidableError(_LEADS)
    return pieces

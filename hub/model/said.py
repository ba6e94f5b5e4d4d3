"""What a document changes of what it was given of others' parts. Pure.

An item is known by the hub's id where the format carries it, else by its words: the same words are
the same item; else the one with most words in common, at least half; else the one that stands in
its place in a list of the same length. What is not named is not changed. White space says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.contract import Resource
from hub.model.deciding import text_place
from hub.model.pieces import Pieces
from hub.model.wording import text_of
from hub.others import OtherItem, SaidOfOther

PIECES: Final[Mapping[OtherItem, str]] = {
    "challenge": "challenge/",
    "goal": "goal/",
    "intervention": "intervention/",
    "status-note": "status-note/",
    "purpose": "plan/description",
}
"""How the pieces begin that such an item may be."""
_ALIKE: Final = 0.5
"""So much of the words in common, and it may be the same item in other words."""
_PAIRS: Final = 10_000
"""More are not compared: who rewrites everything says nothing of one item."""


@dataclass(frozen=True)
class Differences:
    """What differs from what was given."""

    changed: tuple[tuple[SaidOfOther, SaidOfOther], ...]
    """As it was given, and as it came back."""
    more: tuple[SaidOfOther, ...]
    """New, or of what is no item's main text."""

    def __len__(self) -> int:
        """How many."""
        return len(self.changed) + len(self.more)


def plain(text: str) -> str:
    """The words alone, as every format can carry them."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def differences(given: Iterable[SaidOfOther], sent: Iterable[SaidOfOther]) -> Differences:
    """What ``sent`` says that ``given`` did not."""
    lists: dict[object, tuple[list[SaidOfOther], list[SaidOfOther]]] = {}
    for side, said in enumerate((given, sent)):
        for one in said:
            # Of what is no item, where it stands counts, but not in which of several.
            place = one.item or _unnumbered(one.at)
            lists.setdefault((one.plan, place), ([], []))[side].append(one)
    changed: list[tuple[SaidOfOther, SaidOfOther]] = []
    more: list[SaidOfOther] = []
    for before, after in lists.values():
        pairs, new = _compared(before, after)
        changed += pairs
        more += new
    return Differences(tuple(changed), tuple(more))


def known_items(pieces: Pieces, item: OtherItem) -> dict[str, list[str]]:
    """The words of each item, also with its label before them, to the pieces that say so."""
    found: dict[str, list[str]] = {}
    for piece, value in pieces.values.items():
        if not piece.startswith(PIECES[item]):
            continue
        text = text_of(piece, value) or _coded(value)
        label = _label(value)
        for words in (plain(text), plain(f"{label}: {text}") if label else ""):
            if words:
                found.setdefault(words, []).append(piece)
    return found


def reworded(piece: str, value: Any, given: str, said: str) -> tuple[Any, Any] | None:
    """The item with nothing but its text: as it was given, and as it came back.

    ``given`` and ``said`` may begin with the item's label. None if its text cannot be told from
    the rest.
    """
    text, label = text_of(piece, value), _label(value)
    if label and plain(given) == plain(f"{label}: {text}"):
        begin, colon, said = said.partition(":")
        if not colon or plain(begin) != plain(label):
            return None
        said = said.strip()
    elif plain(given) != plain(text):
        return _described(piece, value, given, said)
    return _only(piece, value, text), _only(piece, value, said)


def _compared(
    before: Sequence[SaidOfOther], after: Sequence[SaidOfOther]
) -> tuple[list[tuple[SaidOfOther, SaidOfOther]], list[SaidOfOther]]:
    by_id = {b.id: b for b in before if b.id}
    known = Counter(_words(b) for b in before)
    old, new = [], []
    for one in after:
        words = _words(one)
        if not words[-1] or (one.id in by_id and _words(by_id[one.id])[-1] == words[-1]):
            continue
        if one.id not in by_id and known[words] > 0:
            known[words] -= 1
            continue
        new.append(one)
    said = Counter(_words(a) for a in after)
    for one in before:
        if said[_words(one)] > 0:
            said[_words(one)] -= 1
        else:
            old.append(one)
    changed, left = [], []
    in_place = dict(zip(map(id, after), before, strict=True)) if len(before) == len(after) else {}
    many = len(old) * len(new) > _PAIRS
    for one in new:
        was = None
        if one.item is not None and not many:
            was = by_id.get(one.id) if one.id else _was(one, in_place.get(id(one)), old)
        if was is None:
            left.append(one)
            continue
        changed.append((was, one))
        old = [x for x in old if x is not was]
    return changed, left


def _was(
    one: SaidOfOther, in_place: SaidOfOther | None, old: Sequence[SaidOfOther]
) -> SaidOfOther | None:
    free = [x for x in old if x.label == one.label]
    best = max(free, key=lambda x: _alike(x.text, one.text), default=None)
    if best is not None and _alike(best.text, one.text) >= _ALIKE:
        return best
    return next((x for x in free if x is in_place), None)


def _alike(one: str, other: str) -> float:
    """Dice's coefficient of the words."""
    a, b = Counter(one.lower().split()), Counter(other.lower().split())
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def _words(one: SaidOfOther) -> tuple[str, str]:
    return plain(one.label), plain(one.text)


def _unnumbered(at: str) -> str:
    return "".join(part.partition("]")[2] if i else part for i, part in enumerate(at.split("[")))


def _resource(value: Any) -> Resource:
    return dict(value.get("resource", {})) if isinstance(value, Mapping) else {}


def _label(value: Any) -> str:
    """A challenge's, where its text is the note."""
    resource = _resource(value)
    return str(resource.get("code", {}).get("text", "")) if resource.get("note") else ""


def _coded(value: Any) -> str:
    """What an intervention is called that has no words of its own."""
    code = value.get("link", {}).get("detail", {}).get("code", {}) if "link" in value else {}
    return str(code.get("text") or " ".join(c.get("display", "") for c in code.get("coding", ())))


def _described(piece: str, value: Any, given: str, said: str) -> tuple[Any, Any] | None:
    """An intervention that has no words of its own gets some beside its code."""
    if not piece.startswith(PIECES["intervention"]) or plain(_coded(value)) != plain(given):
        return None
    called = {"code": {"text": _coded(value)}}
    return {"link": {"detail": called}}, {"link": {"detail": called | {"description": said}}}


def _only(piece: str, value: Any, text: str) -> Any:
    if piece == PIECES["purpose"]:
        return text
    if piece.startswith(PIECES["challenge"]) and _resource(value).get("note"):
        return {"resource": {"note": [{"text": text}]}}
    made: Any = text
    for name in reversed(text_place(piece) or ()):
        made = {name: made}
    return made

"""What a document says of others' plans: the element OtherPlans as it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from adapters.xml_plan.document import Record
from hub.others import THE_SHARED_PART, OtherItem, OtherPlan, SaidOfOther

_ITEMS: Final[Mapping[str, tuple[OtherItem, str, str]]] = {
    "StatusNote": ("status-note", "NoteText", "ActorName"),
    "Challenge": ("challenge", "ChallengeText", "LabelText"),
    "Goal": ("goal", "GoalText", ""),
    "Intervention": ("intervention", "EffortText", ""),
    "Effort": ("intervention", "EffortText", ""),
}
"""Element to what it is, and the names of its text and its label."""


def said_of_others(content: Record, at: str) -> tuple[SaidOfOther, ...]:
    """Every text below the element; ``at`` is its path."""
    return tuple(_said(content, at))


def _said(content: Record, at: str) -> Iterator[SaidOfOther]:
    for name, place, value in _children(content, at):
        if name == "SharedPlan":
            yield from _plan(value, THE_SHARED_PART, place)
        elif name == "OtherPlan":
            kind, owner = (str(value.get(n, "")) for n in ("PlanKindCode", "OwnerName"))
            yield from _plan(value, OtherPlan(kind=kind, owner=owner), place)
        elif name == "AttachedDocument":
            # A print is compared, and never quoted.
            print_ = "".join(str(value.get("ContentBinary", "")).split())
            digest = sha256(print_.encode()).hexdigest()
            yield SaidOfOther(f"{place}/ContentBinary", THE_SHARED_PART, None, digest)
        else:
            yield from _texts(value, THE_SHARED_PART, place)


def _plan(content: Record, plan: OtherPlan, at: str) -> Iterator[SaidOfOther]:
    for name, place, value in _children(content, at):
        if name == "PurposeText":
            yield SaidOfOther(place, plan, "purpose", str(value))
        elif name in _ITEMS and isinstance(value, Mapping):
            item, text, label = _ITEMS[name]
            said, called = str(value.get(text, "")), str(value.get(label, ""))
            yield SaidOfOther(f"{place}/{text}", plan, item, said, label=called)
            yield from _texts({k: v for k, v in value.items() if k != text}, plan, place)
        else:
            yield from _texts(value, plan, place)


def _texts(value: Any, plan: OtherPlan, at: str) -> Iterator[SaidOfOther]:
    if isinstance(value, Mapping):
        for _, place, child in _children(value, at):
            yield from _texts(child, plan, place)
    elif value:
        yield SaidOfOther(at, plan, None, str(value))


def _children(content: Mapping[str, Any], at: str) -> Iterator[tuple[str, str, Any]]:
    """Name, path and value of each child; a repeated one is a list, or stands alone."""
    for name, value in content.items():
        if isinstance(value, list):
            yield from ((name, f"{at}/{name}[{n}]", v) for n, v in enumerate(value, 1))
        else:
            yield name, f"{at}/{name}", value

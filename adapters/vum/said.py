"""What an order says of others' plans: the entries that the hub added, as they come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.vum import words
from adapters.vum.message import Entry, Message
from adapters.vum.roles import is_hub_made
from adapters.vum.urls import RELATED_PLAN_ID
from hub.others import OtherItem, OtherPlan, SaidOfOther

_LISTS: Final[Mapping[str, OtherItem]] = {words.CHALLENGES: "challenge", words.GOALS: "goal"}
_NUMBERED: Final = re.compile(r"\d+\. ")
_TECHNICAL: Final = frozenset(
    {"resourceType", "id", "meta", "reference", "fullUrl", "identifier", "url", "system"}
)
"""Elements that name things, each issue its own way."""


def said_of_others(message: Message) -> tuple[SaidOfOther, ...]:
    """Every text of the entries that the hub added, and of efforts that were added to those."""
    return tuple(s for entry in message.entries for s in _entry(message, entry))


def _entry(message: Message, entry: Entry) -> Iterator[SaidOfOther]:
    if entry.type != "CarePlan":
        if is_hub_made(entry):
            # Ends of the message and units: who they are is the hub's to say.
            yield from _texts(entry.resource, OtherPlan(), entry.at)
        return
    key = _key(entry)
    based = next(message.targets(entry.resource.get("basedOn", ())), None)
    if based is not None and is_hub_made(based):
        yield from _effort(entry, OtherPlan(id=_key(based)), key)
    elif key:
        rest = {k: v for k, v in entry.resource.items() if k != "description"}
        yield from _texts(rest, OtherPlan(id=key), entry.at)
        description = str(entry.resource.get("description", ""))
        yield from _description(description, OtherPlan(id=key), f"{entry.at}.description")


def _key(entry: Entry) -> str:
    """What the hub called it; empty if the hub did not add it."""
    marks = entry.resource.get("identifier", ())
    return next((str(i.get("value", "")) for i in marks if i.get("system") == RELATED_PLAN_ID), "")


def _effort(entry: Entry, plan: OtherPlan, key: str) -> Iterator[SaidOfOther]:
    own = key.removeprefix(f"{plan.id}/") if key else ""
    for n, activity in enumerate(entry.resource.get("activity", ())):
        at = f"{entry.at}.activity[{n}].detail"
        detail = dict(activity.get("detail", {}))
        code = dict(detail.pop("code", {}))
        text = str(code.pop("text", "")).removeprefix(f"{words.FOR_INFORMATION}: ")
        yield SaidOfOther(f"{at}.code.text", plan, "intervention", text, id="" if n else own)
        yield from _texts(detail, plan, at)
        yield from _texts(code, plan, f"{at}.code")
    rest = {k: v for k, v in entry.resource.items() if k != "activity"}
    yield from _texts(rest, plan, entry.at)


def _description(text: str, plan: OtherPlan, at: str) -> Iterator[SaidOfOther]:
    """The lines that :mod:`adapters.vum.related` wrote, taken apart; items may have several."""
    item: OtherItem | None = None
    listed: OtherItem | None = None
    gathered: list[str] = []
    for line in (*text.split("\n"), words.FOR_INFORMATION):
        label, colon, rest = line.partition(":")
        numbered = _NUMBERED.match(line) if listed else None
        if numbered is None and label not in words.LABELS:
            gathered.append(line)
            continue
        if "".join(gathered).strip():
            yield SaidOfOther(at, plan, item, "\n".join(gathered).strip())
        if numbered is not None:
            item, gathered = listed, [line[numbered.end() :]]
            continue
        listed = _LISTS.get(label) if colon and not rest.strip() else None
        item = "purpose" if label == words.PURPOSE else None
        gathered = [rest.strip()] if item else [line if rest.strip() else ""]


def _texts(value: Any, plan: OtherPlan, at: str) -> Iterator[SaidOfOther]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            if name not in _TECHNICAL:
                yield from _texts(child, plan, f"{at}.{name}")
    elif isinstance(value, list):
        for n, child in enumerate(value):
            yield from _texts(child, plan, f"{at}[{n}]")
    else:
        yield SaidOfOther(at, plan, None, str(value))

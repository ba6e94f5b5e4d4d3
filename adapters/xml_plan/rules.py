"""Rules that every XML plan format has and neither the schema nor a table row can say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.xml_plan.document import Record
from hub.contract import Loss
from hub.errors import Invalid, Issue
from hub.fhir import names
from hub.mapping.trace import defaulted

_DEFAULTED = "no mark for coordination; the format's default rule decided"


def refuse(issues: Iterable[Issue]) -> None:
    """Raise Invalid with every one of them, if there is one."""
    found = tuple(issues)
    if found:
        raise Invalid(f"The document breaks {len(found)} rule(s)", issues=found)


def owner(content: Record, root: str) -> Iterator[Issue]:
    """A plan is published by the unit that owns it."""
    sender = content["MessageHeader"]["SenderSORIdentifier"]
    if content["ResponsibleUnit"]["UnitSORIdentifier"] != sender:
        yield Issue(
            "error",
            "business-rule",
            "The responsible unit is not the sender; a plan is published by the unit that owns it",
            f"{root}/ResponsibleUnit/UnitSORIdentifier",
        )


def period(item: Record, at: str) -> Iterator[Issue]:
    """A period does not end before it starts; ``at`` is the item's path."""
    start, end = item.get("PeriodStartDate"), item.get("PeriodEndDate")
    if start and end and end < start:
        text = "The period ends before it starts"
        yield Issue("error", "invariant", text, f"{at}/PeriodEndDate")


def members(content: Record, group: str, name: str) -> list[Record]:
    """The items of a group such as Goals/Goal, in order."""
    found: list[Record] = (content.get(group) or {}).get(name, [])
    return found


def is_marked(item: Record) -> bool:
    """Its author marked it for coordination."""
    return item.get("CoordinationIndicator") in {"true", "1"}


def item_key(item: Record, identifier: str, position: int) -> str:
    """What an item is known by from version to version: its own identifier, else its place.

    The two kinds have a prefix each, so that an identifier ``2`` is never the second place.
    """
    own = item.get(identifier)
    return f"id/{own}" if own else f"place/{position}"


def marked(element: dict[str, Any], *, default: bool, at: str) -> list[Loss]:
    """Give the element the default mark for coordination if its author set none."""
    extensions = element.setdefault("extension", [])
    if any(e.get("url") == names.COORDINATION for e in extensions):
        return []
    extensions.append({"url": names.COORDINATION, "valueBoolean": default})
    defaulted(extensions[-1], "valueBoolean", f"{at}/CoordinationIndicator")
    return [Loss(f"{at}/CoordinationIndicator", "defaulted", _DEFAULTED)]

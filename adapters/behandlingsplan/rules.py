"""The format's rules that neither the schema nor a table row can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.behandlingsplan.document import Record
from hub.contract import Loss
from hub.errors import Invalid, Issue
from hub.fhir import names

MEDICAL = "medicinsk-behandling"
"""The type of effort that is not marked for coordination unless its author marks it."""

_DEFAULTED = "no mark for coordination; the format's default rule decided"


def check(content: Record) -> None:
    """Raise Invalid with every broken rule; ``content`` is the root's record."""
    issues = (*_owner(content), *_periods(content))
    if issues:
        raise Invalid(f"The document breaks {len(issues)} rule(s)", issues=issues)


def _owner(content: Record) -> Iterator[Issue]:
    sender = content["MessageHeader"]["SenderSORIdentifier"]
    if content["ResponsibleUnit"]["UnitSORIdentifier"] != sender:
        yield Issue(
            "error",
            "business-rule",
            "The responsible unit is not the sender; a plan is published by the unit that owns it",
            "/TreatmentPlan/ResponsibleUnit/UnitSORIdentifier",
        )


def _periods(content: Record) -> Iterator[Issue]:
    for number, effort in enumerate(efforts(content), 1):
        start, end = effort.get("PeriodStartDate"), effort.get("PeriodEndDate")
        if start and end and end < start:
            yield Issue(
                "error",
                "invariant",
                "The period ends before it starts",
                f"/TreatmentPlan/TreatmentEfforts/TreatmentEffort[{number}]/PeriodEndDate",
            )


def warnings(content: Record) -> tuple[Issue, ...]:
    """What the sender should know about a document that is accepted all the same."""
    return tuple(
        Issue(
            "warning",
            "business-rule",
            "A medical treatment is marked for coordination; others will be able to see its text",
            f"/TreatmentPlan/TreatmentEfforts/TreatmentEffort[{number}]/CoordinationIndicator",
        )
        for number, effort in enumerate(efforts(content), 1)
        if effort["EffortTypeCode"] == MEDICAL
        and effort.get("CoordinationIndicator") in {"true", "1"}
    )


def efforts(content: Record) -> list[Record]:
    """The treatment efforts, in order."""
    found: list[Record] = (content.get("TreatmentEfforts") or {}).get("TreatmentEffort", [])
    return found


def goals(content: Record) -> list[Record]:
    """The goals, in order."""
    found: list[Record] = (content.get("Goals") or {}).get("Goal", [])
    return found


def item_key(item: Record, identifier: str, position: int) -> str:
    """What an item is known by from version to version: its own identifier, else its place.

    The two kinds have a prefix each, so that an identifier ``2`` is never the second place.
    """
    own = item.get(identifier)
    return f"id/{own}" if own else f"place/{position}"


def marked(element: dict[str, Any], *, default: bool, at: str) -> list[Loss]:
    """Give the element the default mark for coordination if its author set none.

    Rule: without a mark, purpose, efforts (except medical treatment) with their responsible,
    period and follow-up, and the next follow-up are marked; everything else is not.
    """
    extensions = element.setdefault("extension", [])
    if any(e.get("url") == names.COORDINATION for e in extensions):
        return []
    extensions.append({"url": names.COORDINATION, "valueBoolean": default})
    return [Loss(f"{at}/CoordinationIndicator", "defaulted", _DEFAULTED)]

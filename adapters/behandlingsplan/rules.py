"""The format's rules that neither the schema nor a table row can say.

Without a mark for coordination, purpose, efforts (except medical treatment) with their
responsible, period and follow-up, and the next follow-up are marked; everything else is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.xml_plan.document import Record
from adapters.xml_plan.rules import is_marked, members, owner, period, refuse
from hub.errors import Issue

ROOT: Final = "/TreatmentPlan"
MEDICAL: Final = "medicinsk-behandling"
"""The type of effort that is not marked for coordination unless its author marks it."""


def check(content: Record) -> None:
    """Raise Invalid with every broken rule; ``content`` is the root's record."""
    periods = (issue for at, effort in _efforts(content) for issue in period(effort, at))
    refuse([*owner(content, ROOT), *periods])


def warnings(content: Record) -> tuple[Issue, ...]:
    """What the sender should know about a document that is accepted all the same."""
    return tuple(
        Issue(
            "warning",
            "business-rule",
            "A medical treatment is marked for coordination; others will be able to see its text",
            f"{at}/CoordinationIndicator",
        )
        for at, effort in _efforts(content)
        if effort["EffortTypeCode"] == MEDICAL and is_marked(effort)
    )


def _efforts(content: Record) -> Iterator[tuple[str, Record]]:
    """Each treatment effort with its path."""
    for number, effort in enumerate(members(content, "TreatmentEfforts", "TreatmentEffort"), 1):
        yield f"{ROOT}/TreatmentEfforts/TreatmentEffort[{number}]", effort

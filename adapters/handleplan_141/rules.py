"""The format's rules that neither the schema nor a table row can say.

Without a mark for coordination, purpose and duration, efforts with their responsible, period and
follow-up, and the next follow-up are marked; everything else is not, nor is an effort that tells
where a citizen in hiding or without a home stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.xml_plan.document import Record
from adapters.xml_plan.rules import is_marked, members, owner, period, refuse
from hub.errors import Issue

ROOT: Final = "/ActionPlan"
WHEREABOUTS: Final = frozenset({"serviceloven-109", "serviceloven-110"})
"""Crisis centres and shelters: the effort says where the citizen can be found."""
TREATMENT: Final = "behandling"
"""The special matter that may hold health data from others."""


def check(content: Record) -> None:
    """Raise Invalid with every broken rule; ``content`` is the root's record."""
    periods = [issue for at, effort in _efforts(content) for issue in period(effort, at)]
    duration = period(content["ExpectedDuration"], f"{ROOT}/ExpectedDuration")
    refuse([*owner(content, ROOT), *_comprehensive(content), *periods, *duration])


def _comprehensive(content: Record) -> Iterator[Issue]:
    """Serviceloven § 141, stk. 7: only with the citizen's agreement."""
    found = content.get("ComprehensivePlan")
    if found is not None and found["CitizenAgreementIndicator"] not in {"true", "1"}:
        yield Issue(
            "error",
            "business-rule",
            "A comprehensive plan replaces the action plan only if the citizen agrees; leave it "
            "out or record the agreement",
            f"{ROOT}/ComprehensivePlan/CitizenAgreementIndicator",
        )


def warnings(content: Record) -> tuple[Issue, ...]:
    """What the sender should know about a document that is accepted all the same."""
    stays = "A crisis centre or shelter is marked for coordination; others will see where it is"
    treated = "A matter of treatment is marked for coordination; others will see its text"
    marked = [
        (at, stays)
        for at, effort in _efforts(content)
        if effort.get("LegalParagraphCode") in WHEREABOUTS and is_marked(effort)
    ]
    for number, matter in enumerate(members(content, "SpecialMatters", "SpecialMatter"), 1):
        if matter["SpecialMatterCode"] == TREATMENT and is_marked(matter):
            marked.append((f"{ROOT}/SpecialMatters/SpecialMatter[{number}]", treated))
    return tuple(
        Issue("warning", "business-rule", text, f"{at}/CoordinationIndicator")
        for at, text in marked
    )


def _efforts(content: Record) -> Iterator[tuple[str, Record]]:
    """Each effort with its path."""
    for number, effort in enumerate(members(content, "Efforts", "Effort"), 1):
        yield f"{ROOT}/Efforts/Effort[{number}]", effort

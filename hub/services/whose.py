"""Whose records an operator asks for, holds or lets go: named by a plan, by a document that stands
alone, or by the citizen's own number, which is in no row, log or address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.contract import Identifier
from hub.errors import Invalid, NotFound
from hub.fhir import names
from hub.model.alone import KINDS, is_alone
from hub.model.party import SYSTEM, Viewer
from hub.services.denied import NOTHING, audit_denied
from hub.services.hub import Hub
from hub.services.overview import for_operators
from hub.services.queries import the_one

Whose = str | Identifier
"""The id of a plan, or of a document that stands alone; or one of the citizen's numbers."""
UNKNOWN: Final = "No such plan is known to you"
PATIENT: Final = "Patient"
"""The object of an act on who was named by number: the row has the pseudonym, and no id of ours,
which would outlive it."""
_NOBODY: Final = "No citizen with that number is known here"


@dataclass(frozen=True)
class Subject:
    """One citizen, and how the act on their records is told."""

    citizen: str
    """The hub's id."""
    place: str
    """As the audit trail names it."""
    plan: str = ""
    """The plan that names the citizen; empty if something else does."""


def whole_id(hub: Hub, viewer: Viewer, beginning: str) -> str:
    """The id of the plan, or document that stands alone, that begins so; NotFound, or Invalid for
    several."""
    for_operators(viewer)
    with hub.store.reading() as work:
        plans = work.plans.beginning(beginning, viewer, hub.clock())
        found = [*plans, *work.documents.beginning(beginning, KINDS)]
    return the_one(found, "plan")


def subject_of(hub: Hub, viewer: Viewer, whose: Whose, action: str) -> Subject:
    """Who is named; raises NotFound.

    A number that nobody here has is written down as a refusal of ``action``: asking who is known
    is a question about a person, too.
    """
    for_operators(viewer)
    with hub.store.reading() as work:
        if isinstance(whose, str):
            plan = work.plans.get(whose, SYSTEM, hub.clock())
            part = work.documents.get(whose) if plan is None else None
            if plan is not None:
                return Subject(plan.citizen_id, f"CarePlan/{plan.id}", plan.id)
            if part is not None and is_alone(part.kind):
                return Subject(part.citizen_id, f"CarePlan/{part.id}")
            raise NotFound(UNKNOWN)
        if whose.system not in names.PERSON_SYSTEMS:
            raise Invalid("Give a CPR number or a replacement number")
        citizen = work.plans.citizen([whose])
    if citizen is None:
        audit_denied(hub, viewer.id, action, PATIENT, reason=NOTHING)
        raise NotFound(_NOBODY)
    return Subject(citizen, PATIENT)

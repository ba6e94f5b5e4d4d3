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
from hub.store.work import UnitOfWork

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
        found = _found(hub, work, whose)
    if found is None:
        audit_denied(hub, viewer.id, action, PATIENT, reason=NOTHING)
        raise NotFound(_NOBODY)
    return found


def held_fast(hub: Hub, work: UnitOfWork, whose: Whose) -> Subject:
    """The same in a transaction that writes about who was found: until it ends, nobody makes the
    number another citizen's, or writes about the same one."""
    # Whose the number is can change until it is held.
    work.plans.hold_citizens(() if isinstance(whose, str) else [whose])
    found = _found(hub, work, whose)
    if found is None:
        raise NotFound(_NOBODY)
    work.plans.hold_citizens((), [found.citizen])
    return found


def _found(hub: Hub, work: UnitOfWork, whose: Whose) -> Subject | None:
    if isinstance(whose, str):
        return _named_by(hub, work, whose)
    if whose.system not in names.PERSON_SYSTEMS:
        raise Invalid("Give a CPR number or a replacement number")
    citizen = work.plans.citizen([whose])
    return Subject(citizen, PATIENT) if citizen is not None else None


def _named_by(hub: Hub, work: UnitOfWork, own: str) -> Subject:
    plan = work.plans.get(own, SYSTEM, hub.clock())
    if plan is not None:
        return Subject(plan.citizen_id, f"CarePlan/{plan.id}", plan.id)
    part = work.documents.get(own)
    if part is None or not is_alone(part.kind):
        raise NotFound(UNKNOWN)
    return Subject(part.citizen_id, f"CarePlan/{part.id}")

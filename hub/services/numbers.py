"""A citizen gets another number: a new CPR number, or a CPR number in place of a replacement one.

A document makes no two numbers one person; a named person of a unit that knows the citizen does.
"""

from __future__ import annotations

from typing import Final

from hub.contract import Identifier, Party
from hub.errors import Invalid, NotFound
from hub.fhir import names
from hub.fhir.numbers import names_a_citizen
from hub.model.party import SYSTEM
from hub.services.hub import Hub
from hub.services.whose import PATIENT
from hub.store.work import UnitOfWork

_CANNOT: Final = (
    "These two numbers cannot be made one citizen's here. If they are one person's, have the "
    "consents under the new number withdrawn and what was published under it set entered-in-error "
    "first"
)
KINDS: Final = {"cpr": names.CPR, "x-ecpr": names.X_ECPR, "d-ecpr": names.D_ECPR[0]}
"""What a person calls the kinds of numbers: a CPR number, and replacement numbers."""


def number(kind: str, written: str) -> Identifier:
    """A number as a person writes it, with or without a hyphen or spaces."""
    return Identifier(KINDS[kind], "".join(written.split()).replace("-", "").upper())


def link(hub: Hub, by: Party, known: Identifier, new: Identifier, person: str) -> None:
    """From now on both numbers find the citizen; linking again changes nothing.

    A new number that is registered already comes along only if nothing stands under it any more:
    no consent or refusal, no plan but one entered in error, no document, no legal hold. So two
    records are never made one, and nothing is permitted that the citizen did not say of this one.

    The answer to a number that is another's, and to one that the unit does not know of, is the
    same: it tells nothing of who is registered here.
    """
    if not person.strip():
        raise Invalid("Say who does it")
    if {known.system, new.system} - names.PERSON_SYSTEMS or not _is_number(new):
        raise Invalid("Give two numbers, each a CPR number or a replacement number")
    with hub.store.writing() as work:
        work.plans.hold_numbers([known, new])
        citizen = work.plans.citizen([known])
        other = work.plans.citizen([new])
        if citizen is None or not _knows(hub, work, by, citizen):
            raise NotFound(_CANNOT)
        if other not in {None, citizen} and not _is_empty(hub, work, other):
            raise NotFound(_CANNOT)
        if other != citizen:
            if other is None:
                work.plans.add_citizen(citizen, [new])
            else:
                work.plans.move_number(new, citizen)
            work.journal.audit(
                hub.clock(), f"{by.id}: {person}", "link-number", PATIENT, party=by.id,
                citizen=citizen,
            )  # fmt: skip
        work.commit()


def _is_number(number: Identifier) -> bool:
    return number.system != names.CPR or names_a_citizen(number.value)


def _is_empty(hub: Hub, work: UnitOfWork, citizen: str) -> bool:
    """Nothing stands of this citizen; what did is history."""
    plans = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    said = any(consent.active for consent in work.consents.of_citizen(citizen))
    kept = said or work.plans.loose_parts(citizen) or work.retention.held_citizen(citizen)
    return not kept and all(plan.in_error for plan in plans)


def _knows(hub: Hub, work: UnitOfWork, by: Party, citizen: str) -> bool:
    """It leads a plan of the citizen, or has registered a consent."""
    led = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    given = work.resources.decisions_by(by.id)
    return any(p.lead == by.id for p in led) or any(d.citizen_id == citizen for d in given)

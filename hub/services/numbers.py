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
from hub.store.work import UnitOfWork

_CANNOT: Final = (
    "These two numbers cannot be made one citizen's here; if they are one person's, ask the hub's "
    "operator"
)
KINDS: Final = {"cpr": names.CPR, "x-ecpr": names.X_ECPR, "d-ecpr": names.D_ECPR[0]}
"""What a person calls the kinds of numbers: a CPR number, and replacement numbers."""


def number(kind: str, written: str) -> Identifier:
    """A number as a person writes it, with or without a hyphen or spaces."""
    return Identifier(KINDS[kind], "".join(written.split()).replace("-", "").upper())


def link(hub: Hub, by: Party, known: Identifier, new: Identifier, person: str) -> None:
    """From now on both numbers find the citizen; linking again changes nothing.

    The answer to a number that is another's, and to one that the unit does not know of, is the
    same: it tells nothing of who is registered here.
    """
    if not person.strip():
        raise Invalid("Say who does it")
    if {known.system, new.system} - names.PERSON_SYSTEMS or not _is_number(new):
        raise Invalid("Give two numbers, each a CPR number or a replacement number")
    with hub.store.writing() as work:
        citizen = work.plans.citizen([known])
        other = work.plans.citizen([new])
        if citizen is None or other not in {None, citizen} or not _knows(hub, work, by, citizen):
            raise NotFound(_CANNOT)
        if other is None:
            work.plans.add_citizen(citizen, [new])
            work.journal.audit(
                hub.clock(), f"{by.id}: {person}", "link-number", f"Patient/{citizen}", party=by.id
            )
        work.commit()


def _is_number(number: Identifier) -> bool:
    return number.system != names.CPR or names_a_citizen(number.value)


def _knows(hub: Hub, work: UnitOfWork, by: Party, citizen: str) -> bool:
    """It leads a plan of the citizen, or has registered a consent."""
    led = work.plans.of_citizen(citizen, SYSTEM, hub.clock())
    given = work.resources.decisions_by(by.id)
    return any(p.lead == by.id for p in led) or any(d.citizen_id == citizen for d in given)

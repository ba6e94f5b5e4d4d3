"""A document in the format to a PlanUpdate: the shared part, as the lead's system has it."""

from __future__ import annotations

from typing import Final

from adapters.ki_plan_xml import rules
from adapters.ki_plan_xml.document import PATH, read
from adapters.ki_plan_xml.reading import Reader, defaulted_status
from hub.contract import CitizenRef, Context, Identifier, Loss, PlanUpdate
from hub.fhir import names
from hub.fhir.bundles import reachable

PART: Final = "shared"
_SYSTEMS: Final = {
    "SORIdentifier": names.SOR,
    "LocalUnitIdentifier": names.LOCAL_UNIT,
    "GLNIdentifier": names.GLN,
    "ProviderIdentifier": names.YDERNUMMER,
}
_LOOSE: Final = "nothing in the plan refers to it"


def parse(body: bytes, context: Context) -> PlanUpdate:
    """The update that the document makes.

    Resources: the CarePlan (KiPlan), then everything it refers to. Ids are the hub's own where
    the document has them; an item without one is new, and the same for the same text.
    """
    opened = read(body, context.local)
    reader = Reader(opened.root, context.id_for)
    rules.check(reader)
    plan = reader.shared()
    incoming = reader.incoming
    key = f"CarePlan/{plan['id']}"
    resources = {key: plan} | incoming.resources
    kept = reachable(resources, [key])
    header = reader.content["MessageHeader"]
    base = header.get("BaseVersion")
    claimed, claimed_at = _claimed(reader)
    patient = next(r for k, r in resources.items() if k.startswith("Patient/"))
    return PlanUpdate(
        part=PART,
        citizen=CitizenRef(
            tuple(Identifier(i["system"], i["value"]) for i in patient["identifier"])
        ),
        resources=tuple(r for k, r in resources.items() if k in kept),
        case=header.get("CaseIdentifier"),
        plan_id=header.get("SharedPlanIdentifier"),
        base_version=int(base) if base else None,
        complete=True,
        ordered=True,
        claimed_sender=claimed,
        claimed_at=claimed_at,
        issues=rules.warnings(reader),
        losses=(
            *opened.losses,
            *incoming.losses,
            *defaulted_status(reader.content),
            *rules.approval_losses(reader.content),
            *_loose(reader, kept),
        ),
        not_shared=tuple(incoming.not_shared),
        places=incoming.places,
    )


def _claimed(reader: Reader) -> tuple[tuple[Identifier, ...], str | None]:
    """Whom the document names as its sender, and where; a first version comes from the lead."""
    header = reader.content["MessageHeader"]
    named, at = header.get("Sender"), f"{PATH}/MessageHeader/Sender"
    if not named:
        if header.get("SharedPlanIdentifier"):
            return (), None
        _, lead, place = rules.leads(reader)[0]
        named, at = rules.unit_of(reader.content, lead), f"{place}/UnitReferenceIdentifier"
    return tuple(Identifier(_SYSTEMS[n], v) for n, v in rules.unit_numbers(named)), at


def _loose(reader: Reader, kept: set[str]) -> list[Loss]:
    places = reader.incoming.places
    return [Loss(places[k], "dropped", _LOOSE) for k in reader.incoming.resources if k not in kept]

"""A behandlingsplan document to a PlanUpdate, by the tables in mappings/behandlingsplan/."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from adapters.behandlingsplan import rules
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.reading import Reading, with_items
from adapters.xml_plan.rules import item_key, members
from adapters.xml_plan.schema import Schema
from hub.contract import Context, PlanUpdate
from hub.mapping import mappings_folder

FORMAT: Final = XmlFormat(
    "behandlingsplan",
    Schema(
        Path(__file__).with_name("behandlingsplan-1.0.xsd"),
        versions="https://ki-hub.example/xml/behandlingsplan/",
        roots=("TreatmentPlan",),
        items=frozenset(
            {"Goal", "TreatmentEffort", "Medicine", "SomaticFinding", "JournalNote", "SectionCode"}
        ),
    ),
)
PART: Final = "behandlingsplan"
_FOLDER = mappings_folder("behandlingsplan")


def parse(body: bytes, context: Context) -> PlanUpdate:
    """The update that the document makes.

    Resources: CarePlan (KiSectorPlan), Patient, Organization, PractitionerRole, the Goals, and an
    Observation for the citizen's wishes. Raises what :meth:`XmlFormat.opened` and the tables raise.
    """
    opened = FORMAT.opened(body, context.local)
    content = FORMAT.content(opened.root)
    rules.check(content)
    reading = Reading(
        content, rules.ROOT, _FOLDER, context.id_for, local=context.local, losses=[*opened.losses]
    )
    patient, unit = reading.patient(), reading.unit()
    doctor = reading.person("ResponsibleDoctor", unit, key="doctor")
    goals, wishes = reading.goals(patient), reading.wishes(patient)
    plan = with_items(
        reading.plan(patient, unit, doctor),
        goals=goals,
        activities=[*_efforts(reading), *reading.follow_up()],
        notes=wishes,
    )
    resources = (plan, patient, unit, doctor, *goals, *wishes)
    return reading.update(PART, resources, rules.warnings(content))


def _efforts(reading: Reading) -> list[dict[str, Any]]:
    return [
        reading.activity(
            "effort",
            f"TreatmentEfforts/TreatmentEffort[{number}]",
            item,
            key=f"effort/{item_key(item, 'EffortIdentifier', number)}",
            default=item["EffortTypeCode"] != rules.MEDICAL,
        )
        for number, item in enumerate(
            members(reading.content, "TreatmentEfforts", "TreatmentEffort"), 1
        )
    ]

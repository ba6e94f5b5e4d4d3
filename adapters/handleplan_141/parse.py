"""A handleplan-141 document to a PlanUpdate, by the tables in mappings/handleplan-141/."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from adapters.handleplan_141 import rules
from adapters.xml_plan.document import XmlFormat
from adapters.xml_plan.reading import Reading, link, with_items
from adapters.xml_plan.rules import item_key, members
from adapters.xml_plan.schema import Schema
from hub.contract import Context, PlanUpdate, Resource
from hub.fhir import names
from hub.mapping import mappings_folder

FORMAT: Final = XmlFormat(
    "handleplan-141",
    Schema(
        Path(__file__).with_name("handleplan-141-1.0.xsd"),
        versions="https://ki-hub.example/xml/handleplan-141/",
        roots=("ActionPlan",),
        items=frozenset(
            {
                "Goal",
                "Effort",
                "GoalIdentifierReference",
                "SpecialMatter",
                "ProviderHandOver",
                "CaseNote",
                "SectionCode",
            }
        ),
    ),
)
PART: Final = "handleplan-141"
_FOLDER = mappings_folder("handleplan-141")


def parse(body: bytes, context: Context) -> PlanUpdate:
    """The update that the document makes.

    Resources: CarePlan (KiSectorPlan), Patient, Organization, PractitionerRole, the Goals, and an
    Observation for the duration, each special matter, and the citizen's wishes and perspective.
    Raises what :meth:`XmlFormat.opened` and the tables raise.
    """
    opened = FORMAT.opened(body, context.local)
    content = FORMAT.content(opened.root)
    rules.check(content)
    reading = Reading(
        content, rules.ROOT, _FOLDER, context.id_for, local=context.local, losses=[*opened.losses]
    )
    patient, unit = reading.patient(), reading.unit()
    caseworker = reading.person("ResponsibleCaseworker", unit, key="caseworker")
    goals = reading.goals(patient)
    plan = reading.plan(patient, unit, caseworker)
    notes = [
        _duration(reading, plan, patient, unit),
        *_special_matters(reading, patient, unit),
        *reading.wishes(patient),
        *reading.optional_note("perspective", "CitizenPerspective", patient, patient),
    ]
    activities = [*_efforts(reading, goals), *reading.follow_up()]
    with_items(plan, goals=goals, activities=activities, notes=notes)
    resources = (plan, patient, unit, caseworker, *goals, *notes)
    return reading.update(PART, resources, rules.warnings(content))


def _duration(reading: Reading, plan: Resource, patient: Resource, unit: Resource) -> Resource:
    """The expected duration in words; it goes where the purpose and the period go."""
    item = reading.content["ExpectedDuration"]
    note = reading.note("duration", "ExpectedDuration", item, patient, unit)
    marks = {names.COORDINATION, names.SECTION}
    note["extension"] += [dict(e) for e in plan["extension"] if e["url"] in marks]
    return note


def _special_matters(reading: Reading, patient: Resource, unit: Resource) -> list[Resource]:
    found = []
    for number, item in enumerate(members(reading.content, "SpecialMatters", "SpecialMatter"), 1):
        at = f"SpecialMatters/SpecialMatter[{number}]"
        key = f"special-matter/{item_key(item, 'SpecialMatterIdentifier', number)}"
        note = reading.note("special-matter", at, item, patient, unit, key=key)
        reading.mark(note, at, default=False)
        found.append(note)
    return found


def _efforts(reading: Reading, goals: list[Resource]) -> list[dict[str, Any]]:
    """The efforts, each with the goals it serves; the schema knows every goal referred to."""
    by_identifier = {
        item["GoalIdentifier"]: goal
        for item, goal in zip(members(reading.content, "Goals", "Goal"), goals, strict=True)
        if "GoalIdentifier" in item
    }
    found = []
    for number, item in enumerate(members(reading.content, "Efforts", "Effort"), 1):
        effort = reading.activity(
            "effort",
            f"Efforts/Effort[{number}]",
            item,
            key=f"effort/{item_key(item, 'EffortIdentifier', number)}",
            default=item.get("LegalParagraphCode") not in rules.WHEREABOUTS,
        )
        served = dict.fromkeys(item.get("GoalIdentifierReference", ()))
        if served:
            effort["detail"]["goal"] = [link(by_identifier[name]) for name in served]
        found.append(effort)
    return found

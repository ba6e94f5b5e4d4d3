"""A behandlingsplan document to a PlanUpdate, by the tables in mappings/behandlingsplan/."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapters.behandlingsplan import rules
from adapters.behandlingsplan.document import Record, read, record
from hub.contract import CitizenRef, Context, Identifier, Loss, PlanUpdate, Resource
from hub.fhir import names
from hub.mapping import load_table, mappings_folder

PART = "behandlingsplan"
_ROOT = "/TreatmentPlan"
_FOLDER = mappings_folder("behandlingsplan")


def parse(body: bytes, context: Context) -> PlanUpdate:
    """The update that the document makes.

    Resources: CarePlan (KiSectorPlan), Patient, Organization, PractitionerRole, the Goals, and an
    Observation for the citizen's wishes. Ids are made from the case and the item's own
    identifier or place, so a new version of a document keeps them. Raises what
    :func:`adapters.behandlingsplan.document.read` and the tables raise.
    """
    content = record(read(body))
    rules.check(content)
    header = content["MessageHeader"]
    reading = _Reading(content, str(header["CaseIdentifier"]), context.id_for)
    resources = reading.resources()
    patient = resources[1]
    base = header.get("BaseVersion")
    return PlanUpdate(
        part=PART,
        citizen=CitizenRef(
            tuple(Identifier(i["system"], i["value"]) for i in patient["identifier"])
        ),
        resources=resources,
        case=reading.case,
        plan_id=header.get("SharedPlanIdentifier"),
        base_version=int(base) if base else None,
        claimed_sender=(Identifier(names.SOR, str(header["SenderSORIdentifier"])),),
        claimed_at=f"{_ROOT}/MessageHeader/SenderSORIdentifier",
        issues=rules.warnings(content),
        losses=tuple(reading.losses),
        not_shared=tuple(reading.not_shared),
    )


@dataclass
class _Reading:
    """One document being read: the tables' findings gather here."""

    content: Record
    case: str
    id_for: Callable[[str], str]
    losses: list[Loss] = field(default_factory=list)
    not_shared: list[Loss] = field(default_factory=list)

    def resources(self) -> tuple[Resource, ...]:
        """One CarePlan first, then everything it refers to."""
        patient = self._resource("patient", self.content["Citizen"], f"{_ROOT}/Citizen")
        unit = self._resource("unit", self.content["ResponsibleUnit"], f"{_ROOT}/ResponsibleUnit")
        doctor = self._doctor(unit)
        goals = self._goals(patient)
        wishes = self._wishes(patient)
        plan = self._resource("plan", self.content, _ROOT)
        self.losses += rules.marked(plan, default=True, at=f"{_ROOT}/Purpose")
        plan["identifier"][0]["assigner"] = _link(unit)
        plan["subject"] = _link(patient)
        plan["author"] = _link(unit)
        plan["contributor"] = [_link(doctor)]
        if goals:
            plan["goal"] = [_rank(n) | _link(goal) for n, goal in enumerate(goals, 1)]
        activities = [*self._efforts(), *self._follow_up()]
        if activities:
            plan["activity"] = [_ranked(a, n) for n, a in enumerate(activities, 1)]
        if wishes:
            plan["supportingInfo"] = [_link(wishes[0])]
        return (plan, patient, unit, doctor, *goals, *wishes)

    def _doctor(self, unit: Resource) -> Resource:
        place = f"{_ROOT}/ResponsibleUnit/ResponsibleDoctor"
        doctor = self._resource(
            "doctor", self.content["ResponsibleUnit"]["ResponsibleDoctor"], place
        )
        doctor["organization"] = _link(unit)
        return doctor

    def _goals(self, patient: Resource) -> list[Resource]:
        found = []
        for number, item in enumerate(rules.goals(self.content), 1):
            place = f"{_ROOT}/Goals/Goal[{number}]"
            key = f"goal/{rules.item_key(item, 'GoalIdentifier', number)}"
            goal = self._resource("goal", item, place, key)
            goal["subject"] = _link(patient)
            self.losses += rules.marked(goal, default=False, at=place)
            found.append(goal)
        return found

    def _efforts(self) -> list[dict[str, Any]]:
        found = []
        for number, item in enumerate(rules.efforts(self.content), 1):
            place = f"{_ROOT}/TreatmentEfforts/TreatmentEffort[{number}]"
            activity = self._element("effort", item, place)
            key = f"effort/{rules.item_key(item, 'EffortIdentifier', number)}"
            shared = item["EffortTypeCode"] != rules.MEDICAL
            self.losses += rules.marked(activity, default=shared, at=place)
            found.append({"id": self._id(key)} | activity)
        return found

    def _follow_up(self) -> list[dict[str, Any]]:
        if "NextFollowUp" not in self.content:
            return []
        place = f"{_ROOT}/NextFollowUp"
        activity = self._element("follow-up", self.content["NextFollowUp"], place)
        self.losses += rules.marked(activity, default=True, at=place)
        return [{"id": self._id("follow-up")} | activity]

    def _wishes(self, patient: Resource) -> list[Resource]:
        if "CitizenWishes" not in self.content:
            return []
        place = f"{_ROOT}/CitizenWishes"
        note = self._resource("wishes", self.content["CitizenWishes"], place)
        self.losses += rules.marked(note, default=False, at=place)
        note["subject"] = _link(patient)
        note["performer"] = [_link(patient)]
        note["effectiveDateTime"] = self.content["PlanVersion"]["VersionDateTime"]
        return [note]

    def _resource(self, table: str, item: Record, at: str, key: str = "") -> Resource:
        made = self._element(table, item, at)
        return {"resourceType": made["resourceType"], "id": self._id(key or table)} | made

    def _element(self, table: str, item: Record, at: str) -> dict[str, Any]:
        rows = load_table(_FOLDER / f"{table}.yaml")
        made, losses, not_shared = rows.forward(item, at=at, first=1)
        self.losses += losses
        self.not_shared += not_shared
        return made

    def _id(self, key: str) -> str:
        return self.id_for(f"{self.case}/{key}")


def _link(resource: Resource) -> dict[str, Any]:
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def _rank(number: int) -> dict[str, Any]:
    return {"extension": [{"url": names.RANK, "valuePositiveInt": number}]}


def _ranked(activity: dict[str, Any], number: int) -> dict[str, Any]:
    activity["extension"] = [*_rank(number)["extension"], *activity.get("extension", ())]
    return activity

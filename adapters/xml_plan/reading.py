"""A document being read by its tables: ids, marks and findings gather here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adapters.xml_plan.document import Record
from adapters.xml_plan.rules import item_key, marked, members
from adapters.xml_plan.said import said_of_others
from hub.codes import LocalCodes
from hub.contract import CitizenRef, Identifier, Loss, PlanUpdate, Resource
from hub.errors import Issue
from hub.fhir import names
from hub.mapping import load_table, mappings_folder

COMMON: Final = mappings_folder("xml-plan")
"""Tables of the elements that the formats have in common."""


@dataclass
class Reading:
    """One document. Ids are made from the case and the item's own identifier or place, so a new
    version of a document keeps them."""

    content: Record
    root: str
    """Path of the root element."""
    folder: Path
    """The format's own tables."""
    id_for: Callable[[str], str]
    alone: bool = False
    """The document is for its owner only: without a mark nothing is marked, and nothing is lost."""
    local: LocalCodes | None = None
    """What its sender keeps to itself, besides what the tables keep."""
    losses: list[Loss] = field(default_factory=list)
    not_shared: list[Loss] = field(default_factory=list)

    @property
    def case(self) -> str:
        """The sender's own case id."""
        return str(self.content["MessageHeader"]["CaseIdentifier"])

    def update(
        self, part: str, resources: tuple[Resource, ...], issues: tuple[Issue, ...]
    ) -> PlanUpdate:
        """The update; ``resources`` begin with the CarePlan and the Patient."""
        header = self.content["MessageHeader"]
        base = header.get("BaseVersion")
        found = resources[1]["identifier"]
        return PlanUpdate(
            part=part,
            citizen=CitizenRef(tuple(Identifier(i["system"], i["value"]) for i in found)),
            resources=resources,
            case=self.case,
            plan_id=header.get("SharedPlanIdentifier"),
            base_version=int(base) if base else None,
            claimed_sender=(Identifier(names.SOR, str(header["SenderSORIdentifier"])),),
            claimed_at=self._at("MessageHeader/SenderSORIdentifier"),
            issues=issues,
            losses=tuple(self.losses),
            not_shared=tuple(self.not_shared),
            said_of_others=said_of_others(
                self.content.get("OtherPlans", {}), self._at("OtherPlans")
            ),
        )

    def patient(self) -> Resource:
        """The citizen."""
        return self.resource("patient", "Citizen", self.content["Citizen"], COMMON)

    def unit(self) -> Resource:
        """The owning unit."""
        return self.resource("unit", "ResponsibleUnit", self.content["ResponsibleUnit"])

    def person(self, name: str, unit: Resource, *, key: str) -> Resource:
        """The person in the unit who answers for the plan; ``name`` is the element's."""
        record = self.content["ResponsibleUnit"][name]
        found = self.resource("person", f"ResponsibleUnit/{name}", record, COMMON, key=key)
        found["organization"] = link(unit)
        return found

    def plan(self, patient: Resource, unit: Resource, person: Resource) -> Resource:
        """The CarePlan without its items; its mark is the purpose's."""
        plan = self.resource("plan", "", self.content)
        self.mark(plan, "Purpose", default=True)
        plan["identifier"][0]["assigner"] = link(unit)
        plan["subject"] = link(patient)
        plan["author"] = link(unit)
        plan["contributor"] = [link(person)]
        return plan

    def goals(self, patient: Resource) -> list[Resource]:
        """The goals, in order."""
        found = []
        for number, item in enumerate(members(self.content, "Goals", "Goal"), 1):
            at = f"Goals/Goal[{number}]"
            key = f"goal/{item_key(item, 'GoalIdentifier', number)}"
            goal = self.resource("goal", at, item, COMMON, key=key)
            goal["subject"] = link(patient)
            self.mark(goal, at, default=False)
            found.append(goal)
        return found

    def activity(
        self, table: str, at: str, item: Record, *, key: str, default: bool
    ) -> dict[str, Any]:
        """One activity of the CarePlan, marked."""
        activity = self.element(table, at, item, self.folder)
        self.mark(activity, at, default=default)
        return {"id": self._id(key)} | activity

    def follow_up(self) -> list[dict[str, Any]]:
        """The next follow-up, if one is planned."""
        item = self.content.get("NextFollowUp")
        if item is None:
            return []
        return [self.activity("follow-up", "NextFollowUp", item, key="follow-up", default=True)]

    def wishes(self, patient: Resource) -> list[Resource]:
        """The citizen's own wishes, as a status note by the citizen."""
        return self.optional_note("wishes", "CitizenWishes", patient, patient, COMMON)

    def optional_note(
        self,
        table: str,
        name: str,
        patient: Resource,
        by: Resource,
        folder: Path | None = None,
    ) -> list[Resource]:
        """A status note from an element that may be absent; not marked unless its author did."""
        item = self.content.get(name)
        if item is None:
            return []
        note = self.note(table, name, item, patient, by, folder=folder)
        self.mark(note, name, default=False)
        return [note]

    def note(
        self,
        table: str,
        at: str,
        item: Record,
        patient: Resource,
        by: Resource,
        *,
        key: str = "",
        folder: Path | None = None,
    ) -> Resource:
        """A status note about the citizen by someone, as of this version of the plan."""
        note = self.resource(table, at, item, folder, key=key)
        note["subject"] = link(patient)
        note["performer"] = [link(by), *note.get("performer", ())]
        note.setdefault("effectiveDateTime", self.content["PlanVersion"]["VersionDateTime"])
        return note

    def resource(
        self, table: str, at: str, item: Record, folder: Path | None = None, *, key: str = ""
    ) -> Resource:
        """A resource by its table; ``at`` is the record's path below the root."""
        made = self.element(table, at, item, folder or self.folder)
        return {"resourceType": made["resourceType"], "id": self._id(key or table)} | made

    def element(self, table: str, at: str, item: Record, folder: Path) -> dict[str, Any]:
        """A resource without an id, or a part of one."""
        rows = load_table(folder / f"{table}.yaml").keeping_back(self.local)
        made, losses, not_shared = rows.forward(item, at=self._at(at), first=1)
        self.losses += losses
        self.not_shared += not_shared
        return made

    def mark(self, element: dict[str, Any], at: str, *, default: bool) -> None:
        """The author's mark for coordination, or the format's default for it."""
        defaulted = marked(element, default=default and not self.alone, at=self._at(at))
        self.losses += [] if self.alone else defaulted

    def _at(self, at: str) -> str:
        return f"{self.root}/{at}" if at else self.root

    def _id(self, key: str) -> str:
        return self.id_for(f"{self.case}/{key}")


def link(resource: Resource) -> dict[str, Any]:
    """A reference to it."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}


def with_items(
    plan: Resource,
    *,
    goals: list[Resource],
    activities: Iterable[dict[str, Any]],
    notes: list[Resource],
) -> Resource:
    """The CarePlan with its ordered items; an empty list is left out."""
    if goals:
        plan["goal"] = [_rank(n) | link(goal) for n, goal in enumerate(goals, 1)]
    ranked = [_ranked(a, n) for n, a in enumerate(activities, 1)]
    if ranked:
        plan["activity"] = ranked
    if notes:
        plan["supportingInfo"] = [link(note) for note in notes]
    return plan


def _rank(number: int) -> dict[str, Any]:
    return {"extension": [{"url": names.RANK, "valuePositiveInt": number}]}


def _ranked(activity: dict[str, Any], number: int) -> dict[str, Any]:
    activity["extension"] = [*_rank(number)["extension"], *activity.get("extension", ())]
    return activity

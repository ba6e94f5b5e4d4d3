"""A valid document as FHIR resources: the shared part, and annex J where it is asked for.

Nothing is judged here (see :mod:`adapters.ki_plan_xml.rules`), so that a render can read back
what it wrote and tell what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from adapters.ki_plan_xml import items, meetings, people
from adapters.ki_plan_xml.document import FORMAT, PATH, q
from adapters.ki_plan_xml.scope import Incoming, Record
from hub.contract import Loss, Resource
from hub.fhir import names
from hub.fhir.extract import codes, extensions

_KINDS = (
    "CitizenContact", "ProfessionalContact", "RelativeContact", "UnitContact", "NamedContact",
)  # fmt: skip


class Reader:
    """One document. After :meth:`shared`, ``incoming`` holds resources, losses and the rest."""

    def __init__(self, root: etree._Element, id_for: Callable[[str], str]) -> None:
        self.content: Record = FORMAT.content(root)
        self.incoming = Incoming(_scope(self.content), id_for)
        self.contacts: list[tuple[str, Record, str]] = _contacts(root)
        """Element name, record and path, in document order."""

    def shared(self) -> Resource:
        """The CarePlan of the shared part; everything it refers to is in ``incoming``."""
        incoming, content = self.incoming, self.content
        patient = people.read_citizen(incoming, content["Citizen"], f"{PATH}/Citizen")
        subject = {"reference": incoming.add(patient)}
        people.read_units(incoming, self._list("Units", "Unit"), f"{PATH}/Units")
        plan = incoming.element("plan", content, PATH)
        plan = {"resourceType": "CarePlan", "id": self._plan_id()} | plan
        plan.setdefault("status", "active")
        plan["subject"] = dict(subject)
        team, lead = self._team(patient, subject)
        plan["careTeam"] = [{"reference": incoming.add(team)}]
        if lead:
            plan["author"] = lead
        self._doctor(patient)
        self._lists(plan, subject)
        plan["supportingInfo"] = self._supporting(subject)
        self._next_meeting(plan)
        for number, record in enumerate(self._list("Postscripts", "Postscript"), 1):
            made = incoming.element(
                "postscript", record, f"{PATH}/Postscripts/Postscript[{number}]"
            )
            plan.setdefault("extension", []).append({"url": names.POSTSCRIPT} | made)
        return {k: v for k, v in plan.items() if v != []}

    def sector_plans(self) -> list[Resource]:
        """Annex J: the CarePlans, and what they refer to in ``incoming``."""
        found = []
        for number, record in enumerate(self._list("SectorPlans", "SectorPlan"), 1):
            at = f"{PATH}/SectorPlans/SectorPlan[{number}]"
            found.append(self._sector_plan(record, at))
        return found

    def _plan_id(self) -> str:
        named = self.content["MessageHeader"].get("SharedPlanIdentifier")
        return str(named or self.incoming.id_for(f"{self.incoming.key}/CarePlan"))

    def _list(self, group: str, name: str) -> list[Record]:
        found = self.content.get(group)
        return list(found.get(name, ())) if isinstance(found, Mapping) else []

    def _team(
        self, patient: Resource, subject: Mapping[str, Any]
    ) -> tuple[Resource, dict[str, Any] | None]:
        """The CareTeam, and its lead."""
        at = f"{PATH}/Contacts"
        found = self.content["Contacts"]
        # A section without contacts is no record.
        record = {k: v for k, v in (found or {}).items() if k not in _KINDS}
        team = self.incoming.resource("team", record, at, "TeamIdentifier")
        participants: list[dict[str, Any]] = []
        lead = None
        for kind, contact, place in self.contacts:
            member = people.read_contact(self.incoming, kind, contact, place, patient)
            for number, membership in enumerate(contact.get("Membership", ()), 1):
                here = f"{place}/Membership[{number}]"
                made = meetings.read_membership(self.incoming, membership or {}, here)
                member_of = f"CareTeam/{team['id']}#participant[{len(participants)}]"
                self.incoming.places[member_of] = here
                participants.append(made | {"member": dict(member)})
                if "lead" in codes(made.get("role", ()), names.ROLE):
                    lead = dict(member)
        team["subject"] = dict(subject)
        if participants:
            team["participant"] = participants
        return team, lead

    def _doctor(self, patient: Resource) -> None:
        links = [
            self.incoming.link(r) for r in self.content["Citizen"].get("GeneralPractitioner", ())
        ]
        if links:
            patient["generalPractitioner"] = links

    def _supporting(self, subject: dict[str, Any]) -> list[dict[str, Any]]:
        found = [
            meetings.read_meeting(self.incoming, record, f"{PATH}/Meetings/Meeting[{i}]")
            for i, record in enumerate(self._list("Meetings", "Meeting"), 1)
        ]
        found += [
            items.read_note(self.incoming, record, f"{PATH}/StatusNotes/StatusNote[{i}]", subject)
            for i, record in enumerate(self._list("StatusNotes", "StatusNote"), 1)
        ]
        return [{"reference": key} for key in found]

    def _lists(self, plan: Resource, subject: dict[str, Any]) -> None:
        self._fill(
            plan,
            subject,
            (self._list("Challenges", "Challenge"), f"{PATH}/Challenges/Challenge"),
            (self._list("Goals", "Goal"), f"{PATH}/Goals/Goal"),
            (self._list("Interventions", "Intervention"), f"{PATH}/Interventions/Intervention"),
        )

    def _fill(
        self,
        plan: Resource,
        subject: dict[str, Any],
        challenges: tuple[list[Record], str],
        goals: tuple[list[Record], str],
        interventions: tuple[list[Record], str],
    ) -> None:
        """The three ordered lists; each as records and the path of its elements."""
        incoming = self.incoming
        plan["addresses"] = [
            {"extension": [items.read_rank(record, i)]}
            | {"reference": items.read_challenge(incoming, record, f"{at}[{i}]", subject)}
            for records, at in [challenges]
            for i, record in enumerate(records, 1)
        ]
        known: dict[str, str] = {}
        plan["goal"] = []
        for i, record in enumerate(goals[0], 1):
            key = items.read_goal(incoming, record, f"{goals[1]}[{i}]", subject)
            known[record.get("GoalIdentifier", "")] = key
            rank = items.read_rank(record, i)
            plan["goal"].append({"extension": [rank], "reference": key})
        plan["activity"] = []
        for i, record in enumerate(interventions[0], 1):
            made = items.read_intervention(incoming, record, f"{interventions[1]}[{i}]", known)
            made["extension"] = [items.read_rank(record, i), *made.get("extension", ())]
            plan["activity"].append(made)

    def _next_meeting(self, plan: Resource) -> None:
        section = self.content.get("NextMeeting")
        records = section.get("Convener", []) if isinstance(section, Mapping) else []
        made = meetings.read_conveners(self.incoming, records, f"{PATH}/NextMeeting")
        if not made:
            return
        found = extensions(plan, names.NEXT_MEETING)
        if not found:
            found = [{"url": names.NEXT_MEETING, "extension": []}]
            plan.setdefault("extension", []).append(found[0])
        found[0]["extension"] += made

    def _sector_plan(self, record: Record, at: str) -> Resource:
        incoming = self.incoming
        plan = incoming.resource("sector-plan", record, at, "SectorPlanIdentifier", at)
        owner = incoming.link(record, "UnitReferenceIdentifier")
        if owner:
            plan["author"] = owner
        subject = {"reference": next(k for k in incoming.resources if k.startswith("Patient/"))}
        plan["subject"] = subject
        self._fill(
            plan,
            subject,
            (record.get("Challenge", []), f"{at}/Challenge"),
            (record.get("Goal", []), f"{at}/Goal"),
            (record.get("Intervention", []), f"{at}/Intervention"),
        )
        plan["supportingInfo"] = [
            {"reference": items.read_note(incoming, note, f"{at}/StatusNote[{i}]", subject)}
            for i, note in enumerate(record.get("StatusNote", ()), 1)
        ]
        made = {k: v for k, v in plan.items() if v != []}
        incoming.add(made)
        return made


def _scope(content: Record) -> str:
    """What the ids of new items are made from: the case, else the hub's plan, else the citizen."""
    header, citizen = content["MessageHeader"], content["Citizen"]
    number = next((str(v) for k, v in citizen.items() if k.endswith("RegistrationIdentifier")), "")
    return str(header.get("CaseIdentifier") or header.get("SharedPlanIdentifier") or number)


def defaulted_status(content: Record) -> list[Loss]:
    """The plan's own status, where the document does not give it."""
    registration = content.get("Registration")
    if isinstance(registration, Mapping) and registration.get("PlanStatusCode"):
        return []
    at = f"{PATH}/Registration/PlanStatusCode"
    return [Loss(at, "defaulted", "not given; the format's default was set")]


def _contacts(root: etree._Element) -> list[tuple[str, Record, str]]:
    section = root.find(q("Contacts"))
    found = []
    seen: dict[str, int] = {}
    for element in section if section is not None else ():
        name = etree.QName(element).localname
        if name in _KINDS:
            seen[name] = seen.get(name, 0) + 1
            record = FORMAT.content(element)
            found.append((name, record, f"{PATH}/Contacts/{name}[{seen[name]}]"))
    return found

"""Read canonical resources as the plan's own words, in order.

Every renderer reads through this module, so that they agree on what a plan says. Inputs are the
resources of a :class:`hub.contract.PlanView`; shapes: docs/canonical-model.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.contract import Resource
from hub.fhir import names
from hub.fhir.extract import (
    codes,
    extension_value,
    extensions,
    full_name,
    has_code,
    sections,
)
from hub.fhir.words import (
    Challenge,
    Contact,
    Convener,
    Intervention,
    Meeting,
    NextMeeting,
    Objective,
    Postscript,
    SectorPlan,
    StatusNote,
)

Resources = Mapping[str, Resource]


class PlanReader:
    """A view's resources as the plan's own words. Nothing is invented or left out."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.plan: Resource = self._the_plan()

    def _the_plan(self) -> Resource:
        for resource in self.resources.values():
            if resource["resourceType"] == "CarePlan" and has_code(
                resource.get("category", ()), names.CATEGORY, "ki-plan"
            ):
                return resource
        return {"resourceType": "CarePlan"}

    def at(self, reference: str | None) -> Resource:
        """The resource behind a reference, or an empty one."""
        return self.resources.get(reference or "", {})

    @property
    def patient(self) -> Resource:
        """The citizen."""
        subject = self.plan.get("subject", {}).get("reference")
        if subject in self.resources:
            return self.resources[subject]
        return next((r for k, r in self.resources.items() if k.startswith("Patient/")), {})

    @property
    def cpr(self) -> str:
        """The citizen's number, ten digits; a replacement number if there is no CPR."""
        found = self.patient.get("identifier", ())
        for wanted in (names.CPR, names.X_ECPR, *names.D_ECPR):
            for identifier in found:
                if identifier.get("system") == wanted:
                    return str(identifier.get("value", ""))
        return ""

    @property
    def consent_as_written(self) -> str:
        """What the form says about consent; permits nothing by itself."""
        return str(extension_value(self.plan, names.CONSENT_AS_WRITTEN) or "")

    def challenges(self, plan: Resource | None = None) -> tuple[Challenge, ...]:
        """The plan's challenges (or a sector plan's problems), in order."""
        found = []
        for i, link in enumerate((plan or self.plan).get("addresses", ()), 1):
            condition = self.at(link.get("reference"))
            if not condition:
                continue
            label = condition.get("code", {}).get("text", "") or _displays(condition.get("code"))
            notes = [n.get("text", "") for n in condition.get("note", ())]
            found.append(
                Challenge(
                    rank=int(extension_value(link, names.RANK) or i),
                    label=label if notes else "",
                    text=_joined(condition["note"]) if notes else label,
                    sections=sections(condition),
                    path=link["reference"],
                )
            )
        return tuple(sorted(found, key=lambda c: c.rank))

    def goals(self, plan: Resource | None = None) -> tuple[Objective, ...]:
        """The goals, in order."""
        found = []
        for i, link in enumerate((plan or self.plan).get("goal", ()), 1):
            goal = self.at(link.get("reference"))
            if not goal:
                continue
            found.append(
                Objective(
                    rank=int(extension_value(link, names.RANK) or i),
                    text=str(goal.get("description", {}).get("text", "")),
                    sections=sections(goal),
                    reference=link["reference"],
                    path=link["reference"],
                )
            )
        return tuple(sorted(found, key=lambda g: g.rank))

    def interventions(self, plan: Resource | None = None) -> tuple[Intervention, ...]:
        """The interventions, in order, each with the ranks of its goals."""
        ranks = {g.reference: g.rank for g in self.goals(plan)}
        source = plan or self.plan
        found = []
        for i, activity in enumerate(source.get("activity", ()), 1):
            detail = activity.get("detail", {})
            period = detail.get("scheduledPeriod", {})
            start, end = period.get("start"), period.get("end")
            written = extension_value(detail, names.TIME_AS_WRITTEN)
            spoken = " – ".join(x for x in (start, end) if x)
            found.append(
                Intervention(
                    rank=int(extension_value(activity, names.RANK) or i),
                    text=str(detail.get("description", "")) or _displays(detail.get("code")),
                    goals=tuple(
                        ranks[g["reference"]]
                        for g in detail.get("goal", ())
                        if g.get("reference") in ranks
                    ),
                    performers=tuple(
                        p.get("display") or self.name_of(p.get("reference"))
                        for p in detail.get("performer", ())
                    ),
                    time=str(written or detail.get("scheduledString") or spoken),
                    start=start,
                    end=end,
                    success_criterion=str(extension_value(activity, names.SUCCESS_CRITERION) or ""),
                    fallback=str(extension_value(activity, names.FALLBACK) or ""),
                    follow_up=tuple(
                        str(n["text"]) for n in activity.get("progress", ()) if n.get("text")
                    ),
                    status=str(detail.get("status", "")),
                    code_text=_displays(detail.get("code")),
                    sections=sections(activity),
                    path=f"CarePlan/{source.get('id')}#activity.{activity.get('id', i)}",
                )
            )
        return tuple(sorted(found, key=lambda a: a.rank))

    def status_notes(self, plan: Resource | None = None) -> tuple[StatusNote, ...]:
        """The actors' own words, in document order."""
        found = []
        for reference in self._supporting(plan, "Observation"):
            note = self.at(reference)
            label = extension_value(note, names.ACTOR_LABEL)
            performer: Mapping[str, Any] = next(iter(note.get("performer", ())), {})
            text = note.get("valueString") or note.get("valueCodeableConcept", {}).get("text", "")
            found.append(
                StatusNote(
                    actor=str(
                        label
                        or performer.get("display")
                        or self.name_of(performer.get("reference"))
                        or _displays(note.get("code"))
                    ),
                    text=str(text),
                    sections=sections(note),
                    path=reference,
                )
            )
        return tuple(found)

    def meeting(self) -> Meeting | None:
        """The latest meeting: the one that the plan as it stands was made at."""
        held = [self._meeting(r, self.at(r)) for r in self._supporting(None, "Appointment")]
        return max(held, key=lambda m: m.date, default=None)

    def _meeting(self, path: str, appointment: Resource) -> Meeting:
        present, declined = [], []
        by_role: dict[str, list[str]] = {"chair": [], "minutes": []}
        for p in appointment.get("participant", ()):
            actor = p.get("actor", {})
            who = actor.get("display") or self.name_of(actor.get("reference"))
            if p.get("status") == "declined":
                declined.append((who, str(extension_value(p, names.REASON) or "")))
                continue
            present.append(who)
            for role in codes(p.get("type", ()), names.ROLE):
                by_role.get(role, []).append(who)
        start = str(appointment.get("start", ""))
        date = extension_value(appointment, names.MEETING_DATE) or start
        return Meeting(
            date=str(date)[:10],
            present=tuple(present),
            declined=tuple(declined),
            start=start,
            end=str(appointment.get("end", "")),
            chair=tuple(by_role["chair"]),
            minutes=tuple(by_role["minutes"]),
            path=path,
        )

    def next_meeting(self) -> NextMeeting | None:
        """The next meeting, as written."""
        for found in extensions(self.plan, names.NEXT_MEETING):
            conveners = tuple(
                Convener(_part(c, "who"), _part(c, "from"), _part(c, "until"))
                for c in extensions(found, "convener")
            )
            return NextMeeting(
                time=_part(found, "time"),
                earliest=_part(found, "earliest") or None,
                latest=_part(found, "latest") or None,
                place=_part(found, "place"),
                conveners=conveners,
            )
        return None

    def postscripts(self) -> tuple[Postscript, ...]:
        """What was added after the meeting."""
        return tuple(
            Postscript(_part(e, "text"), _part(e, "author"), _part(e, "date"))
            for e in extensions(self.plan, names.POSTSCRIPT)
        )

    def contacts(self) -> tuple[Contact, ...]:
        """Everyone in the care team, in order."""
        found = []
        for link in self.plan.get("careTeam", ()):
            for participant in self.at(link.get("reference")).get("participant", ()):
                member = participant.get("member", {})
                resource = self.at(member.get("reference"))
                organization = self._unit_of(member.get("reference"))
                found.append(
                    Contact(
                        roles=tuple(codes(participant.get("role", ()), names.ROLE)),
                        name=member.get("display") or self.name_of(member.get("reference")),
                        title=_joined(_list(resource.get("code")))
                        or _joined(resource.get("relationship", ())),
                        unit=str(self.at(organization).get("name", "")),
                        phone=_telecom(resource, "phone"),
                        email=_telecom(resource, "email"),
                        reference=str(member.get("reference", "")),
                        organization=organization,
                    )
                )
        return tuple(found)

    def sector_plans(self) -> tuple[SectorPlan, ...]:
        """The sectors' own plans, as far as this view holds them."""
        found = []
        for key, resource in self.resources.items():
            if resource["resourceType"] != "CarePlan":
                continue
            kinds = codes(resource.get("category", ()), names.SECTOR_KIND)
            if not kinds:
                continue
            author = resource.get("author", {})
            found.append(
                SectorPlan(
                    kind=kinds[0],
                    owner=author.get("display") or self.name_of(author.get("reference")),
                    owner_reference=str(author.get("reference", "")),
                    purpose=str(resource.get("description", "")),
                    start=resource.get("period", {}).get("start"),
                    end=resource.get("period", {}).get("end"),
                    problems=self.challenges(resource),
                    goals=self.goals(resource),
                    interventions=self.interventions(resource),
                    notes=self.status_notes(resource),
                    reference=key,
                )
            )
        return tuple(found)

    def name_of(self, reference: str | None) -> str:
        """A person's, function's or unit's name as written."""
        resource = self.at(reference)
        kind = resource.get("resourceType")
        if kind == "PractitionerRole":
            practitioner = resource.get("practitioner", {})
            return str(
                practitioner.get("display")
                or self.name_of(practitioner.get("reference"))
                or _joined(_list(resource.get("code")))
            )
        if kind == "Organization":
            return str(resource.get("name", ""))
        return full_name(resource) or _joined(resource.get("relationship", ()))

    def _supporting(self, plan: Resource | None, kind: str) -> list[str]:
        links = (plan or self.plan).get("supportingInfo", ())
        return [
            r
            for link in links
            if (r := str(link.get("reference", ""))).startswith(f"{kind}/") and r in self.resources
        ]

    def _unit_of(self, reference: str | None) -> str | None:
        if reference and reference.startswith("Organization/"):
            return reference
        found = self.at(reference).get("organization", {}).get("reference")
        return str(found) if found else None


def _list(value: Any) -> list[dict[str, Any]]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _joined(concepts: Sequence[Mapping[str, Any]]) -> str:
    """Their texts; a single one as it is, so that it is still known where it came from."""
    texts = [c.get("text", "") for c in concepts]
    return str(texts[0]) if len(texts) == 1 else " ".join(texts)


def _displays(value: Mapping[str, Any] | None) -> str:
    if not value:
        return ""
    return str(value.get("text") or " ".join(c.get("display", "") for c in value.get("coding", ())))


def _part(element: Mapping[str, Any], url: str) -> str:
    return str(extension_value(element, url) or "")


def _telecom(resource: Mapping[str, Any], system: str) -> str | None:
    for contact in resource.get("telecom", ()):
        if contact.get("system") == system:
            return str(contact.get("value", ""))
    return None

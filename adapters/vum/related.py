"""Other parties' efforts as RelatedCarePlan entries, "til orientering".

The slot that KL FFB messaging 1.0.0 has for other authorities' plans: a CarePlan in
``OrderCarePlan.supportingInfo`` with a CareTeam of organisations and plain CarePlan interventions
``basedOn`` it. It is uncoded; the words that are added stand in :mod:`adapters.vum.words`. Every
entry carries an identifier of the hub's own system, so that the next issue replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.vum import codes, units, words
from adapters.vum.record import table
from adapters.vum.urls import (
    COORDINATING_AUTHORITY,
    PARTICIPANT_ROLE,
    RELATED_PLAN_ID,
    profile,
)
from hub.contract import Loss, PlanView, Resource
from hub.fhir.reading import PlanReader
from hub.fhir.words import Contact, Intervention, SectorPlan

_ACTIVITY_STATUS: Final = "http://hl7.org/fhir/care-plan-activity-status"

Addressed = dict[str, Any]
"""A Bundle entry: fullUrl and resource."""


@dataclass
class Related:
    """The entries being added to one order."""

    view: PlanView
    reader: PlanReader
    subject: str
    """fullUrl of the citizen in the receiver's own order."""
    id_for: Callable[[str], str]
    entries: list[Addressed] = field(default_factory=list)
    plans: list[str] = field(default_factory=list)
    """fullUrls of the related plans, for supportingInfo."""
    losses: list[Loss] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """``Type/id`` of the view's resources whose content was carried or accounted for."""

    def add(self, key: str, resource: Resource) -> str:
        """Add an entry marked as the hub's; returns its fullUrl. Same key, same entry."""
        url = f"urn:uuid:{self.id_for(f'related/{key}')}"
        if all(entry["fullUrl"] != url for entry in self.entries):
            kind = resource["resourceType"]
            mark = {"system": RELATED_PLAN_ID, "value": key}
            rest = {k: v for k, v in resource.items() if k not in {"resourceType", "identifier"}}
            identifiers = [mark, *resource.get("identifier", ())]
            made = {"resourceType": kind, "identifier": identifiers, **rest}
            self.entries.append({"fullUrl": url, "resource": made})
        return url

    def lose(self, path: str, reason: str, *, coarsened: bool = False) -> None:
        """Report what the related plan cannot hold."""
        self.losses.append(Loss(path, "coarsened" if coarsened else "dropped", reason))


def related_plans(
    view: PlanView, reader: PlanReader, subject: str, id_for: Callable[[str], str]
) -> Related:
    """One related plan for the shared plan and one for each other sector plan in the view."""
    related = Related(view, reader, subject, id_for)
    if reader.plan.get("id"):
        _shared_plan(related)
    for plan in reader.sector_plans():
        if plan.reference != view.own_part:
            _sector_plan(related, plan)
    return related


def _shared_plan(related: Related) -> None:
    reader = related.reader
    plan = reader.plan
    key = f"CarePlan/{plan['id']}"
    team = units.team_of_plan(reader, related.view.lead)
    for unit in team:
        people = {c.reference for c in unit.contacts}
        named = {reader.at(p).get("practitioner", {}).get("reference", "") for p in people}
        related.used |= {unit.reference} | people | named
    text = [
        *_lead_lines(reader.contacts()),
        *words.numbered(words.CHALLENGES, _challenges(reader)),
        *words.numbered(words.GOALS, ((g.rank, g.text) for g in reader.goals())),
        *_next_meeting_lines(reader),
    ]
    url = _plan(related, key, words.SHARED_PLAN, text, team)
    for item in reader.interventions():
        _intervention(related, key, url, item)
    _account_lists(related, key, plan)
    if reader.next_meeting():
        related.lose(f"{key}.extension(next-meeting)", "carried as text", coarsened=True)


def _sector_plan(related: Related, plan: SectorPlan) -> None:
    reader = related.reader
    source = reader.at(plan.reference)
    team = units.team_of_sector(reader, plan)
    related.used |= {unit.reference for unit in team}
    text = [
        *words.line(words.PURPOSE, plan.purpose),
        *words.numbered(words.CHALLENGES, _problems(plan)),
        *words.numbered(words.GOALS, ((g.rank, g.text) for g in plan.goals)),
    ]
    title = f"{plan.kind}, {plan.owner}" if plan.owner else plan.kind
    url = _plan(related, plan.reference, title, text, team)
    for item in plan.interventions:
        _intervention(related, plan.reference, url, item)
    _account_lists(related, plan.reference, source)


def _plan(
    related: Related,
    key: str,
    title: str,
    text: Iterable[str],
    team: list[units.Unit],
) -> str:
    rows, _ = table("related-plan").backward(related.reader.at(key))
    members = [_participant(related, unit) for unit in team]
    team_url = related.add(
        f"{key}/team",
        {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": related.subject},
            **({"participant": members} if members else {}),
        },
    )
    lines = "\n".join(text)
    url = related.add(
        key,
        {
            "resourceType": "CarePlan",
            "meta": {"profile": [profile("relatedCarePlan")]},
            "intent": "plan",
            **rows,
            "title": f"{words.FOR_INFORMATION}: {title}",
            **({"description": f"{words.FOR_INFORMATION}\n{lines}"} if lines else {}),
            "subject": {"reference": related.subject},
            "careTeam": [{"reference": team_url}],
        },
    )
    related.plans.append(url)
    related.used.add(key)
    return url


def _participant(related: Related, unit: units.Unit) -> dict[str, Any]:
    url = related.add(unit.reference, units.organization(unit))
    member = {"member": {"reference": url}}
    if not unit.leads:
        return member
    coordinating = {"coding": [{"system": PARTICIPANT_ROLE, "code": COORDINATING_AUTHORITY}]}
    return {"role": [coordinating], **member}


def _intervention(related: Related, key: str, plan: str, item: Intervention) -> None:
    """One effort as a plain CarePlan; what has no element of its own stands as text."""
    status = item.status or "unknown"
    pair = codes.table("intervention-status").backward(
        status, system=_ACTIVITY_STATUS, at=f"{item.path}.status"
    )
    goals = ", ".join(str(rank) for rank in item.goals)
    period = {k: v for k, v in (("start", item.start), ("end", item.end)) if v}
    said = item.code_text if item.code_text != item.text else ""
    notes = [
        *([said] if said else []),
        *words.line(words.GOALS, goals),
        *words.line(words.TIME, item.time if not period or item.time not in _spoken(item) else ""),
        *words.line(words.SUCCESS, item.success_criterion),
        *words.line(words.FALLBACK, item.fallback),
        *(line for note in item.follow_up for line in words.line(words.FOLLOW_UP, note)),
    ]
    detail = {
        "code": {"text": f"{words.FOR_INFORMATION}: {item.text}"},
        "status": status,
        **({"performer": [{"display": p} for p in item.performers]} if item.performers else {}),
        **({"description": "\n".join(notes)} if notes else {}),
    }
    resource = {
        "resourceType": "CarePlan",
        "basedOn": [{"reference": plan}],
        "status": pair.source_code,
        "intent": "plan",
        "subject": {"reference": related.subject},
        **({"period": period} if period else {}),
        "activity": [{"detail": detail}],
    }
    related.add(f"{key}/{item.path.rpartition('.')[2]}", resource)
    _account_intervention(related, item)


def _spoken(item: Intervention) -> set[str]:
    """How the reader says a period when nobody wrote it in words."""
    return {" – ".join(x for x in (item.start, item.end) if x)}


def _account_intervention(related: Related, item: Intervention) -> None:
    if item.goals:
        reason = "the goals it serves are carried as numbers in the text"
        related.lose(f"{item.path}.goal", reason, coarsened=True)
    if item.success_criterion:
        related.lose(f"{item.path}.success-criterion", "carried as text", coarsened=True)
    if item.fallback:
        related.lose(f"{item.path}.fallback", "carried as text", coarsened=True)
    if item.follow_up:
        related.lose(f"{item.path}.progress", "carried as text", coarsened=True)
    if item.sections:
        related.lose(f"{item.path}.section", "FFB has no place for sections")


def _account_lists(related: Related, key: str, plan: Mapping[str, Any]) -> None:
    """Challenges and goals are carried as numbered text; their labels are not."""
    for name, what in (("addresses", "challenges"), ("goal", "goals")):
        links = [link.get("reference", "") for link in plan.get(name, ())]
        related.used |= set(links)
        if links:
            reason = f"the {what} and their order are carried as numbered text"
            related.lose(f"{key}.{name}", reason, coarsened=True)
        for reference in links:
            if any(
                "section" in e.get("url", "")
                for e in related.reader.at(reference).get("extension", ())
            ):
                related.lose(f"{reference}.section", "FFB has no place for sections")


def _challenges(reader: PlanReader) -> Iterable[tuple[int, str]]:
    return ((c.rank, f"{c.label}: {c.text}" if c.label else c.text) for c in reader.challenges())


def _problems(plan: SectorPlan) -> Iterable[tuple[int, str]]:
    return ((p.rank, f"{p.label}: {p.text}" if p.label else p.text) for p in plan.problems)


def _lead_lines(contacts: Iterable[Contact]) -> list[str]:
    for contact in contacts:
        if "lead" in contact.roles:
            said = [contact.name, contact.title, contact.unit, contact.phone]
            return words.line(words.LEAD, ", ".join(x for x in said if x))
    return []


def _next_meeting_lines(reader: PlanReader) -> list[str]:
    meeting = reader.next_meeting()
    if meeting is None:
        return []
    conveners = [", ".join(x for x in (c.who, c.since, c.until) if x) for c in meeting.conveners]
    return [
        *words.line(words.NEXT_MEETING, meeting.time or meeting.earliest),
        *words.line(words.AT_THE_EARLIEST, meeting.earliest if meeting.time else ""),
        *words.line(words.AT_THE_LATEST, meeting.latest),
        *words.line(words.PLACE, meeting.place),
        *words.line(words.CONVENER, "; ".join(conveners)),
    ]

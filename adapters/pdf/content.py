"""A plan view as the values the templates print; nothing is added, nothing is judged.

The shape (JSON, all leaves text, truth values or lists) is what ``plan.typ`` and
``citizen.typ`` read. Sections A-J: the national template (Sundhedsstyrelsen 2014), see the
headings in ``plan.typ``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapters.pdf import words
from hub.contract import PlanView, Resource
from hub.fhir import names
from hub.fhir.extract import codes, extension_value, extensions, full_name, is_protected
from hub.fhir.reading import PlanReader
from hub.fhir.words import (
    Challenge,
    Contact,
    Intervention,
    Meeting,
    NextMeeting,
    Objective,
    SectorPlan,
    StatusNote,
)

RELATIVES = frozenset({"relative", "spokesperson"})


def content(view: PlanView, now: datetime) -> dict[str, Any]:
    """Everything the templates print of this view; ``now`` is the time of printing."""
    reader = PlanReader(view.resources)
    # The citizen's own line in the care team repeats the Patient, telephone number included.
    people = [_contact(c) for c in reader.contacts() if not c.reference.startswith("Patient/")]
    return {
        "approved": view.approved,
        "printed": printed_at(now),
        "version": str(view.version),
        "plan_id": view.plan_id,
        "citizen": _citizen(reader),
        "consent": reader.consent_as_written,
        "lead": next((p for p in people if p["lead"]), None),
        "lead_unit": _lead_unit(view),
        "people": [p for p in people if not p["lead"] and not p["relative"]],
        "relatives": [p for p in people if p["relative"]],
        "meeting": _meeting(reader.meeting()),
        "notes": [_note(n, reader) for n in reader.status_notes()],
        "challenges": [_challenge(c) for c in reader.challenges()],
        "goals": [_goal(g, reader) for g in reader.goals()],
        "interventions": [_intervention(i) for i in reader.interventions()],
        "next": _next(reader.next_meeting()),
        "decision": _decision(view.approval),
        "postscripts": [
            {"text": p.text, "author": p.author, "date": words.day(p.date)}
            for p in reader.postscripts()
        ],
        "registration": _registration(reader.plan),
        "sector_plans": [_sector_plan(p, reader) for p in reader.sector_plans()],
    }


def printed_at(now: datetime) -> str:
    """The time of printing on the Danish wall clock: ``23. november 2026 kl. 16.00``."""
    here = now.astimezone(words.COPENHAGEN)
    return f"{words.day(here.date().isoformat())} kl. {here:%H.%M}"


def _citizen(reader: PlanReader) -> dict[str, Any]:
    """Stamoplysninger. A telephone number can lead to an address, so protection covers it."""
    patient = reader.patient
    hidden = is_protected(patient)
    found = {c.get("system"): str(c.get("value", "")) for c in reversed(_telecoms(patient))}
    return {
        "name": full_name(patient),
        "cpr": words.cpr(reader.cpr),
        "address": "beskyttet adresse" if hidden else _address(patient),
        "phone": "beskyttet" if hidden else words.telephone(found.get("phone")),
        "email": found.get("email", ""),
    }


def _telecoms(resource: Resource) -> list[dict[str, Any]]:
    return list(resource.get("telecom", ()))


def _address(patient: Resource) -> str:
    for address in patient.get("address", ()):
        if address.get("text"):
            return str(address["text"])
        town = " ".join(x for x in (address.get("postalCode"), address.get("city")) if x)
        return ", ".join([*address.get("line", ()), *([town] if town else [])])
    return ""


def _lead_unit(view: PlanView) -> dict[str, str] | None:
    if view.lead is None:
        return None
    return {"name": view.lead.name, "phone": words.telephone(view.lead.phone)}


def _contact(contact: Contact) -> dict[str, Any]:
    roles = [words.word(words.ROLES, r, at=contact.reference) for r in contact.roles]
    relative = bool(RELATIVES & set(contact.roles))
    told = {contact.name.lower(), *roles}
    return {
        "lead": "lead" in contact.roles,
        "relative": relative,
        "roles": words.upper_first(", ".join(roles)),
        "title": "" if contact.title.lower() in told else contact.title,
        "name": contact.name,
        "unit": contact.unit if contact.unit != contact.name else "",
        "phone": words.telephone(contact.phone),
        "email": contact.email or "",
    }


def _meeting(meeting: Meeting | None) -> dict[str, Any] | None:
    if meeting is None:
        return None
    hours = [words.clock(t) for t in (meeting.start, meeting.end)]
    return {
        "date": words.day(meeting.date),
        "hours": f"kl. {'–'.join(h for h in hours if h)}" if any(hours) else "",
        "present": list(meeting.present),
        "declined": [{"who": who, "reason": reason} for who, reason in meeting.declined],
        "chair": list(meeting.chair),
        "minutes": list(meeting.minutes),
    }


def _labels(sections: tuple[str, ...], path: str) -> str:
    return ", ".join(words.word(words.SECTIONS, s, at=path) for s in sections)


def _note(note: StatusNote, reader: PlanReader) -> dict[str, str]:
    return {
        "actor": note.actor,
        "text": note.text,
        "date": words.day(reader.at(note.path).get("effectiveDateTime")),
        "sections": _labels(note.sections, note.path),
    }


def _challenge(challenge: Challenge) -> dict[str, str]:
    return {
        "number": f"{challenge.rank}.",
        "label": challenge.label,
        "text": challenge.text,
        "sections": _labels(challenge.sections, challenge.path),
    }


def _goal(goal: Objective, reader: PlanReader) -> dict[str, str]:
    resource = reader.at(goal.reference)
    state = str(resource.get("lifecycleStatus", ""))
    horizons = codes(resource.get("category", ()), names.HORIZON)
    return {
        "number": f"{goal.rank}.",
        "text": goal.text,
        "horizon": ", ".join(words.word(words.HORIZONS, h, at=goal.path) for h in horizons),
        "state": words.ENDED_GOALS.get(state, ""),
        "sections": _labels(goal.sections, goal.path),
    }


def _intervention(intervention: Intervention) -> dict[str, str]:
    period = words.span(intervention.start, intervention.end)
    spoken = " – ".join(x for x in (intervention.start, intervention.end) if x)
    written = intervention.time if intervention.time != spoken else ""
    named = intervention.code_text if intervention.code_text != intervention.text else ""
    status = intervention.status
    return {
        "goals": words.numbers(intervention.goals),
        "name": named,
        "text": intervention.text,
        "performers": ", ".join(intervention.performers),
        "time": written or period,
        "period": period if written else "",
        "success": intervention.success_criterion,
        "fallback": intervention.fallback,
        "follow_up": "\n".join(intervention.follow_up),
        "status": words.word(words.STATUSES, status, at=intervention.path) if status else "",
        "sections": _labels(intervention.sections, intervention.path),
    }


def _next(meeting: NextMeeting | None) -> dict[str, Any] | None:
    if meeting is None:
        return None
    return {
        "time": meeting.time,
        "window": _window(meeting.earliest, meeting.latest),
        "place": meeting.place,
        "conveners": [
            {
                "who": c.who,
                "when": ", ".join(
                    x for x in (c.since and f"fra {c.since}", c.until and f"indtil {c.until}") if x
                ),
            }
            for c in meeting.conveners
        ],
    }


def _window(earliest: str | None, latest: str | None) -> str:
    parts = (
        earliest and f"tidligst {words.day(earliest)}",
        latest and f"senest {words.day(latest)}",
    )
    return ", ".join(p for p in parts if p)


def _decision(approval: Resource | None) -> dict[str, Any] | None:
    """The citizen's own answer with what the citizen wants first, as registered (template H)."""
    if approval is None:
        return None
    at = f"Consent/{approval.get('id')}"
    answer = extension_value(approval, names.extension("decision"))
    mode = extension_value(approval, names.extension("mode"))
    said = [words.word(words.ANSWERS, answer, at=at), words.word(words.MODES, mode, at=at)]
    return {
        "said": ", ".join([*said, words.day(approval.get("dateTime"))]),
        "conditions": [_condition(c) for c in extensions(approval, names.extension("condition"))],
    }


def _condition(condition: Resource) -> str:
    """``text (egen læge; ikke opfyldt)``: what is wanted, whom it holds back, and if it is met."""
    held = str(extension_value(condition, "holds-back") or "gp")
    met = extension_value(condition, "met")
    by = extension_value(condition, "met-by")
    state = f"opfyldt {words.day(met)}" if met else "ikke opfyldt"
    who = words.ROLES.get(held, held)
    told = "; ".join([who, f"{state}, {by}" if met and by else state])
    return f"{extension_value(condition, 'text') or 'ikke angivet'} ({told})"


def _registration(plan: Resource) -> dict[str, Any]:
    """Niveau, forankring, indstilling and case ids: the coordinators' registration data."""
    anchoring = extension_value(plan, names.ANCHORING)
    level = extension_value(plan, names.LEVEL)
    proposals = extensions(plan, names.PROPOSAL)
    proposal = proposals[0] if proposals else {}
    return {
        "level": "" if level is None else str(level),
        "anchoring": words.word(words.ANCHORINGS, anchoring, at="CarePlan/ki-anchoring")
        if anchoring
        else "",
        "proposed": words.day(extension_value(proposal, "date")),
        "proposed_by": str(extension_value(proposal, "by") or ""),
        "created": words.day(plan.get("created")),
        "period": words.span(
            plan.get("period", {}).get("start"), plan.get("period", {}).get("end")
        ),
        "cases": [str(i["value"]) for i in plan.get("identifier", ()) if i.get("value")],
    }


def _sector_plan(plan: SectorPlan, reader: PlanReader) -> dict[str, Any]:
    return {
        "kind": words.KINDS.get(plan.kind, words.upper_first(plan.kind.replace("-", " "))),
        "owner": plan.owner,
        "purpose": plan.purpose,
        "period": words.span(plan.start, plan.end),
        "problems": [_challenge(c) for c in plan.problems],
        "goals": [_goal(g, reader) for g in plan.goals],
        "interventions": [_intervention(i) for i in plan.interventions],
        "notes": [_note(n, reader) for n in plan.notes],
    }

"""Status notes, challenges, goals and interventions (D to G), both ways.

The functions say what no table row can: which element holds a text that may have a label, how a
time as written stands beside a period, and who is meant by a reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.ki_plan_xml.scope import Incoming, Outgoing, Record, filled, identifier, ranked
from hub.contract import Loss, Resource
from hub.fhir import names
from hub.fhir.extract import extension_value
from hub.mapping.trace import defaulted

_DEFAULTED: Final = "not given; the format's default was set"


def read_note(incoming: Incoming, record: Record, at: str, subject: dict[str, Any]) -> str:
    """One actor's own words: an Observation."""
    words = (record.get("ActorName", ""), record.get("NoteText", ""))
    note = incoming.resource("status-note", record, at, "StatusNoteIdentifier", *words)
    note["subject"] = dict(subject)
    actor = incoming.link(record)
    if actor:
        note["performer"] = [actor]
    return incoming.add(note)


def written_note(outgoing: Outgoing, note: Resource) -> Record:
    """The note with its actor, if it is someone the document names."""
    performers = note.get("performer", ())
    actor = next((outgoing.actor(p.get("reference")) for p in performers), None)
    record = outgoing.record("status-note", note)
    return record | filled(
        StatusNoteIdentifier=identifier(note["id"]), ActorReferenceIdentifier=actor
    )


def read_challenge(incoming: Incoming, record: Record, at: str, subject: dict[str, Any]) -> str:
    """A Condition; with a label, the label is its code and the text its note."""
    label, text = record.get("LabelText", ""), record["ChallengeText"]
    made = incoming.resource("challenge", record, at, "ChallengeIdentifier", label, text)
    made["code"] = {"text": label or text}
    if label:
        made["note"] = [{"text": text}]
    made["subject"] = dict(subject)
    return incoming.add(made)


def written_challenge(outgoing: Outgoing, condition: Resource) -> Record:
    """The challenge; a note without a label is the text, as the canonical model has it."""
    record = outgoing.record("challenge", condition)
    notes = [str(n.get("text", "")) for n in condition.get("note", ())]
    code = condition.get("code", {})
    label = code.get("text") or next((c.get("display") for c in code.get("coding", ())), None)
    text = " ".join(notes) if notes else str(label or "")
    return record | filled(
        ChallengeIdentifier=identifier(condition["id"]),
        LabelText=label if notes else None,
        ChallengeText=text,
    )


def read_goal(incoming: Incoming, record: Record, at: str, subject: dict[str, Any]) -> str:
    """A Goal; without a status it is agreed on."""
    made = incoming.resource("goal", record, at, "GoalIdentifier", record.get("GoalText", ""))
    _default(incoming, made, "lifecycleStatus", "accepted", f"{at}/GoalStatusCode")
    made["subject"] = dict(subject)
    return incoming.add(made)


def written_goal(outgoing: Outgoing, goal: Resource) -> Record:
    """The goal."""
    return outgoing.record("goal", goal) | {"GoalIdentifier": identifier(goal["id"])}


def read_intervention(
    incoming: Incoming, record: Record, at: str, goals: Mapping[str, str]
) -> dict[str, Any]:
    """A CarePlan.activity without its rank; ``goals`` leads from identifier to ``Goal/id``.

    An identifier that is not the hub's is kept as it stands: an activity is known by it within
    its plan alone.
    """
    made = incoming.element("intervention", record, at)
    detail = made.setdefault("detail", {})
    _default(incoming, detail, "status", "unknown", f"{at}/InterventionStatusCode")
    links = [{"reference": goals[g]} for g in record.get("GoalReferenceIdentifier", ())]
    if links:
        detail["goal"] = links
    performers = [
        incoming.link(r) | filled(display=r.get("ResponsibleName") or None)
        for r in record.get("Responsible", ())
    ]
    if any(performers):
        detail["performer"] = [p for p in performers if p]
    written = record.get("TimeText")
    if written and "scheduledPeriod" in detail:
        detail["extension"] = [{"url": names.TIME_AS_WRITTEN, "valueString": written}]
    elif written:
        detail["scheduledString"] = written
    own = str(record.get("InterventionIdentifier", ""))
    if not own or own.startswith("urn:uuid:"):
        words = (record.get("InterventionTypeText", ""), record.get("InterventionText", ""))
        own = incoming.id("activity", own, f"{at}/InterventionIdentifier", *words)
    return {"id": own} | made


def written_intervention(outgoing: Outgoing, activity: Mapping[str, Any]) -> Record:
    """The intervention with the goals it serves and who answers for it."""
    detail = activity.get("detail", {})
    record = outgoing.record("intervention", activity)
    coded = " ".join(c.get("display", "") for c in detail.get("code", {}).get("coding", ()))
    record.setdefault("InterventionTypeText", coded.strip() or None)
    written = extension_value(detail, names.TIME_AS_WRITTEN) or detail.get("scheduledString")
    goals = [
        outgoing.goals[g["reference"]]
        for g in detail.get("goal", ())
        if g.get("reference") in outgoing.goals
    ]
    responsible = [
        r
        for p in detail.get("performer", ())
        if (r := filled(
            ActorReferenceIdentifier=outgoing.actor(p.get("reference")),
            ResponsibleName=p.get("display"),
        ))
    ]  # fmt: skip
    return record | filled(
        InterventionIdentifier=identifier(str(activity["id"])) if "id" in activity else None,
        GoalReferenceIdentifier=goals,
        Responsible=responsible,
        TimeText=written,
    )


def read_rank(record: Record, position: int) -> dict[str, Any]:
    """The rank its author set, else the place in the document."""
    return ranked(int(record.get("RankNumber") or position))


def _default(incoming: Incoming, element: dict[str, Any], name: str, value: str, at: str) -> None:
    if name not in element:
        element[name] = value
        defaulted(element, name, at)
        incoming.losses.append(Loss(at, "defaulted", _DEFAULTED))

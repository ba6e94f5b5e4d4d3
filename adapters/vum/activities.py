"""What is done: the order's interventions and its own follow-up, as activities of the sector plan.

Row-like elements are in mappings/vum/intervention.yaml and mappings/vum/order-activity.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from adapters.vum import codes
from adapters.vum.message import Entry
from adapters.vum.record import Reading, Record, dropped, marked
from adapters.vum.urls import CARE_SOCIAL, COORDINATING_AUTHORITY, PARTICIPANT_ROLE
from hub.contract import Loss
from hub.fhir import names

_STATUS: Final = "http://hl7.org/fhir/request-status"
_ACTIVITY_STATUS: Final = "http://hl7.org/fhir/care-plan-activity-status"
_OVERRULING: Final = frozenset({"on-hold", "revoked", "completed", "entered-in-error"})
"""What an intervention's CarePlan.status says about an activity that has its own status."""
_AUTHORITIES: Final = frozenset({COORDINATING_AUTHORITY, "samarbejdende-myndighed"})
"""Roles in a team that do not perform."""

Performers = list[dict[str, Any]]
Goals = Mapping[int, dict[str, str]]
"""Entry index to the reference inside the hub."""


def activity_status(plan: str, own: str | None, at: str) -> tuple[str, list[Loss]]:
    """The one status of an activity, from its plan's and its own.

    Both are required in R4 and may disagree. A plan that is on hold, over or withdrawn overrules
    an activity that says otherwise; else the activity's own word counts.
    """
    pair = codes.table("intervention-status").forward(plan, system=_STATUS, at=f"{at}.status")
    if own is not None:
        place = f"{at}.activity[0].detail.status"
        codes.table("intervention-status").backward(own, system=_ACTIVITY_STATUS, at=place)
    if own is not None and (plan not in _OVERRULING or own in _activity_statuses(plan)):
        return own, []
    losses = [] if pair.lossless else [Loss(f"{at}.status", "coarsened", pair.comment)]
    if own is not None and own != pair.target_code:
        losses.append(dropped(f"{at}.activity[0].detail.status", "overruled by the plan's status"))
    return pair.target_code, losses


def _activity_statuses(plan: str) -> set[str]:
    pairs = codes.table("intervention-status").pairs
    return {p.target_code for p in pairs if p.source_code == plan}


def intervention(
    reading: Reading, entry: Entry, goals: Goals, performers: Performers
) -> dict[str, Any]:
    """Intervention → one activity; ``performers`` perform it where it names none."""
    record = Record(reading, entry)
    for name in ("subject", "basedOn"):
        record.links(name)
    detail = record.rest["activity"][0]["detail"]
    status, losses = activity_status(
        record.take("status") or "unknown", detail.pop("status", None), entry.at
    )
    reading.losses += losses
    read = _read(record, detail, "activity[0].detail", goals)
    marks = record.marks(shared=True, inside="activity")
    made = record.finish("intervention")
    rows = made.get("activity", [{}])[0].get("detail", {})
    shared = {"performer": performers} if performers else {}
    new_id = reading.id_for(f"{reading.case}/activity/{entry.key}")
    return {
        "id": new_id,
        "extension": marks,
        "detail": {**shared, **read, "status": status, **rows},
    }


def own(record: Record, number: int, activity: dict[str, Any], goals: Goals) -> dict[str, Any]:
    """An activity of the order itself, which in KL's model is its next follow-up; read to pieces.

    Empty where it has no detail and only refers elsewhere, which is lost.
    """
    at = f"activity[{number}]"
    detail = activity.get("detail")
    if detail is None:
        record.lose(at, "an activity is read by its detail only")
        return {}
    place = f"{record.entry.at}.{at}"
    follows_up = codes.FOLLOW_UP in codes.in_system(detail.get("code", {}), CARE_SOCIAL)
    marks = marked([(activity, place)], shared=True)
    read = _read(record, detail, f"{at}.detail", goals)
    rows = record.finish("order-activity", of=activity, at=at).get("detail", {})
    key = activity.pop("id", number)
    return {
        "id": record.reading.id_for(f"{record.reading.case}/own-activity/{key}"),
        "extension": marks,
        "detail": {**({"kind": "Appointment"} if follows_up else {}), **read, **rows},
    }


def _read(record: Record, detail: dict[str, Any], at: str, goals: Goals) -> dict[str, Any]:
    """Code, performers and goals of an activity, taken out of its detail."""
    reading = record.reading
    made: dict[str, Any] = {}
    if "code" in detail:
        place = f"{record.entry.at}.{at}.code"
        made["code"], losses = codes.carried(detail.pop("code"), place)
        reading.losses += losses
    performers = []
    for i, reference in enumerate(detail.pop("performer", ())):
        record.lose_links_extra(reference, f"{at}.performer[{i}]")
        performers.append(_performer(reading, reference))
    linked = []
    for i, reference in enumerate(detail.pop("goal", ())):
        record.lose_links_extra(reference, f"{at}.goal[{i}]")
        target = reading.message.find(reference)
        if target is not None and target.index in goals:
            linked.append(goals[target.index])
        else:
            record.lose(f"{at}.goal[{i}]", "the plan's purpose is not a goal")
    made |= {"goal": linked} if linked else {}
    return made | ({"performer": performers} if performers else {})


def _performer(reading: Reading, reference: dict[str, Any]) -> dict[str, Any]:
    unit = reading.message.find(reference)
    if unit is not None and unit.type == "Organization":
        return unit_as_performer(unit)
    return {k: reference[k] for k in ("display", "identifier") if k in reference}


def unit_as_performer(unit: Entry) -> dict[str, Any]:
    """An Organization as a performer: its name as written, and its SOR code if it has one."""
    sor = [
        {"system": i["system"], "value": i["value"]}
        for i in unit.resource.get("identifier", ())
        if i.get("system") == names.SOR and i.get("value")
    ]
    name = unit.resource.get("name")
    return {**({"identifier": sor[0]} if sor else {}), **({"display": name} if name else {})}


def team_performers(reading: Reading, teams: Iterable[Entry]) -> Performers:
    """The units of the order's only ServicePerformer team: they perform what names no other.

    With several teams the format does not say which performs what, so none is named. Units that
    take part as an authority (koordinerende- or samarbejdende-myndighed) do not perform.
    """
    found = list(teams)
    if len(found) != 1:
        return []
    performers = []
    for participant in found[0].resource.get("participant", ()):
        roles = {
            c for r in participant.get("role", ()) for c in codes.in_system(r, PARTICIPANT_ROLE)
        }
        unit = reading.message.find(participant.get("member"))
        if unit and unit.type == "Organization" and not roles & _AUTHORITIES:
            performers.append(unit_as_performer(unit))
    return performers

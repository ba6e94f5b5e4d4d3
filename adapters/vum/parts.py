"""Each resource of an order as the sector plan's resource: one function for each role.

Every function takes the whole entry apart through a :class:`~adapters.vum.record.Record`, so that
nothing is left unaccounted for. Row-like elements are in mappings/vum/*.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from adapters.dk_core import CITIZEN_SYSTEMS
from adapters.vum import codes
from adapters.vum.message import Entry
from adapters.vum.record import Reading, Record, dropped
from adapters.vum.urls import CARE_SOCIAL, CONDITION_RANK
from hub.contract import Identifier, Loss, Party, Resource
from hub.fhir import names
from hub.fhir.extract import extension_value

_NAME: Final = ("use", "text", "family", "given", "prefix", "suffix")
_STATUS: Final = "http://hl7.org/fhir/request-status"
_ACTIVITY_STATUS: Final = "http://hl7.org/fhir/care-plan-activity-status"
_OVERRULING: Final = frozenset({"on-hold", "revoked", "completed", "entered-in-error"})
"""What an intervention's CarePlan.status says about an activity that has its own status."""

Performers = list[dict[str, Any]]


def citizen_ids(entry: Entry) -> tuple[Identifier, ...]:
    """The citizen's CPR or replacement numbers, as written."""
    return tuple(
        Identifier(i["system"], i["value"])
        for i in entry.resource.get("identifier", ())
        if i.get("system") in CITIZEN_SYSTEMS and i.get("value")
    )


def citizen(reading: Reading, entry: Entry) -> Resource:
    """Citizen → Patient: numbers, official name, confidentiality."""
    record = Record(reading, entry)
    numbers = citizen_ids(entry)
    for i, identifier in enumerate(record.take("identifier") or ()):
        if identifier.get("system") not in CITIZEN_SYSTEMS:
            record.lose(f"identifier[{i}]", "only the CPR or replacement number is carried")
        else:
            known = ("use", "type", "system", "value")
            record.lose_extra(identifier, known, f"identifier[{i}]")
    name = _official_name(record)
    security = record.security()
    made = record.finish("citizen")
    profile = {"meta": {"profile": [names.KI_PATIENT], **security.get("meta", {})}}
    return {
        "resourceType": "Patient",
        "id": patient_id(reading, entry),
        **profile,
        **{k: v for k, v in made.items() if k != "resourceType"},
        "identifier": [{"system": n.system, "value": n.value} for n in numbers],
        **({"name": [name]} if name else {}),
    }


def _official_name(record: Record) -> dict[str, Any]:
    """The name for official use, else the first; empty if the citizen has none."""
    spoken = record.take("name") or []
    chosen = next((n for n in spoken if n.get("use") == "official"), spoken[0] if spoken else {})
    for i, name in enumerate(spoken):
        if name is chosen:
            record.lose_extra(name, _NAME, f"name[{i}]")
        else:
            record.lose(f"name[{i}]", "the official name is carried")
    return {key: chosen[key] for key in _NAME if key in chosen}


def patient_id(reading: Reading, entry: Entry) -> str:
    """The hub's id for the citizen: the same in every case of the sender."""
    number = citizen_ids(entry)[0]
    return reading.id_for(f"Patient/{number.system}|{number.value}")


def owner(sender: Party, new_id: str) -> Resource:
    """The sending unit → Organization; who owns the plan is the channel's word, not the text's."""
    found = [i for i in sender.identifiers if i.system in names.UNIT_SYSTEMS]
    identifiers = found or [Identifier(names.LOCAL_UNIT, sender.id)]
    return {
        "resourceType": "Organization",
        "id": new_id,
        "meta": {"profile": [names.KI_ORGANIZATION]},
        "identifier": [{"system": i.system, "value": i.value} for i in identifiers],
        "name": sender.name,
    }


def purpose(reading: Reading, entry: Entry) -> str | None:
    """InterventionPurpose → the plan's description."""
    record = Record(reading, entry)
    record.links("subject")
    made = record.finish("purpose")
    return made.get("description")


def goal(reading: Reading, entry: Entry, subject: dict[str, str]) -> Resource:
    """InterventionGoal, CitizenObjective, delmål → Goal, with its KL category."""
    record = Record(reading, entry)
    record.links("subject")
    category = []
    for i, concept in enumerate(record.take("category") or ()):
        made, losses = codes.carried(concept, f"{entry.at}.category[{i}]")
        category.append(made)
        reading.losses += losses
    targets = _targets(record)
    marks, security = record.marks(shared=True), record.security()
    made = record.finish("goal")
    return {
        "resourceType": "Goal",
        "id": reading.new_id(entry),
        "meta": {"profile": [names.KI_GOAL], **security.get("meta", {})},
        "extension": marks,
        **{k: v for k, v in made.items() if k != "resourceType"},
        "category": category,
        "subject": subject,
        **({"target": targets} if targets else {}),
    }


def _targets(record: Record) -> list[dict[str, Any]]:
    """What the goal is measured by, but for the assessed level, which stays with the owner."""
    kept = []
    for i, target in enumerate(record.take("target") or ()):
        at = f"{record.entry.at}.target[{i}]"
        if codes.SEVERITY in codes.in_system(target.get("measure", {}), CARE_SOCIAL):
            reason = "The assessed level stays with the owner"
            record.reading.not_shared.append(dropped(at, reason))
            continue
        made = {k: target[k] for k in ("detailString", "dueDate") if k in target}
        for name in ("measure", "detailCodeableConcept"):
            concept, losses = codes.carried(target.get(name, {}), f"{at}.{name}")
            record.reading.losses += losses
            made |= {name: concept} if concept else {}
        record.reading.losses += [dropped(f"{at}.{k}") for k in target if k not in made]
        kept += [made] if made else []
    return kept


def condition(reading: Reading, entry: Entry, subject: dict[str, str], *, shared: bool) -> Resource:
    """TargetGroup (shared), FFB condition and diagnosis (not shared) → Condition."""
    record = Record(reading, entry)
    record.links("subject")
    concepts = {
        name: made
        for name in ("clinicalStatus", "verificationStatus", "severity", "code")
        if (made := record.concept(name))
    }
    notes = []
    for i, note in enumerate(record.take("note") or ()):
        reading.losses += [dropped(f"{entry.at}.note[{i}].{k}") for k in note if k != "text"]
        if note.get("text"):
            notes.append({"text": note["text"]})
    marks, security = record.marks(shared=shared), record.security()
    made = record.finish("target-group" if shared else "condition")
    return {
        "resourceType": "Condition",
        "id": reading.new_id(entry),
        **security,
        "extension": marks,
        **concepts,
        "subject": subject,
        **{k: v for k, v in made.items() if k != "resourceType"},
        **({"note": notes} if notes else {}),
    }


def evaluation(reading: Reading, entry: Entry, subject: dict[str, str]) -> Resource:
    """Evaluation and MatterOfInterest (not shared) → Observation."""
    record = Record(reading, entry)
    record.links("subject")
    concepts = {n: made for n in ("code", "valueCodeableConcept") if (made := record.concept(n))}
    marks, security = record.marks(shared=False), record.security()
    made = record.finish("evaluation")
    return {
        "resourceType": "Observation",
        "id": reading.new_id(entry),
        **security,
        "extension": marks,
        **{k: v for k, v in made.items() if k != "resourceType"},
        **concepts,
        "subject": subject,
    }


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
    reading: Reading, entry: Entry, goals: dict[int, dict[str, str]], performers: Performers
) -> dict[str, Any]:
    """Intervention → one activity. ``goals``: entry index to the reference inside the hub."""
    record = Record(reading, entry)
    for name in ("subject", "basedOn"):
        record.links(name)
    detail = record.rest["activity"][0]["detail"]
    status, losses = activity_status(
        record.take("status") or "unknown", detail.pop("status", None), entry.at
    )
    reading.losses += losses
    made_detail: dict[str, Any] = {}
    if "code" in detail:
        place = f"{entry.at}.activity[0].detail.code"
        made_detail["code"], losses = codes.carried(detail.pop("code"), place)
        reading.losses += losses
    own = []
    for i, reference in enumerate(detail.pop("performer", ())):
        record.lose_links_extra(reference, f"activity[0].detail.performer[{i}]")
        own.append(_performer(reading, reference))
    linked = []
    for i, reference in enumerate(detail.pop("goal", ())):
        record.lose_links_extra(reference, f"activity[0].detail.goal[{i}]")
        target = reading.message.find(reference)
        if target is not None and target.index in goals:
            linked.append(goals[target.index])
        else:
            record.lose(f"activity[0].detail.goal[{i}]", "the plan's purpose is not a goal")
    marks = record.marks(shared=True, inside="activity")
    made = record.finish("intervention")
    rows = made.get("activity", [{}])[0].get("detail", {})
    made_detail |= {"status": status, **rows}
    if linked:
        made_detail["goal"] = linked
    if own or performers:
        made_detail["performer"] = own or performers
    new_id = reading.id_for(f"{reading.case}/activity/{entry.key}")
    return {"id": new_id, "extension": marks, "detail": made_detail}


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
        roles = [
            c.get("code", "") for r in participant.get("role", ()) for c in r.get("coding", ())
        ]
        unit = reading.message.find(participant.get("member"))
        if unit and unit.type == "Organization" and not any(r.endswith("myndighed") for r in roles):
            performers.append(unit_as_performer(unit))
    return performers


def ranked(reading: Reading, link: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """A reference to a target group with the rank it was given (1 primary, 2 secondary)."""
    rank = extension_value(link, CONDITION_RANK)
    made: dict[str, Any] = {}
    if rank is not None:
        made["extension"] = [{"url": names.RANK, "valuePositiveInt": rank}]
    return {**made, **reading.reference(entry)}

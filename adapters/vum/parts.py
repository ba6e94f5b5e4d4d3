"""Each resource of an order as the sector plan's resource: one function for each role.

Every function takes the whole entry apart through a :class:`~adapters.vum.record.Record`, so that
nothing is left unaccounted for. Row-like elements are in mappings/vum/*.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.dk_core import CITIZEN_SYSTEMS
from adapters.vum import codes
from adapters.vum.message import Entry
from adapters.vum.record import Reading, Record, dropped
from adapters.vum.urls import CARE_SOCIAL, CONDITION_RANK, FFB
from hub.contract import Identifier, Party, Resource
from hub.fhir import names
from hub.fhir.extract import extension_value

_NAME: Final = ("use", "text", "family", "given", "prefix", "suffix")


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
        if _is_level(target):
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


def _is_level(target: Mapping[str, Any]) -> bool:
    """By what it measures, or, where a sender left that out, by the level itself."""
    level = codes.in_system(target.get("detailCodeableConcept", {}), FFB)
    measured = codes.in_system(target.get("measure", {}), CARE_SOCIAL)
    return codes.SEVERITY in measured or bool(set(level) & codes.value_set("KLSeveritiesFFB"))


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


def ranked(reading: Reading, link: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """A reference to a target group with the rank it was given (1 primary, 2 secondary)."""
    rank = extension_value(link, CONDITION_RANK)
    made: dict[str, Any] = {}
    if isinstance(rank, int) and not isinstance(rank, bool):
        made["extension"] = [{"url": names.RANK, "valuePositiveInt": rank}]
    return {**made, **reading.reference(entry)}

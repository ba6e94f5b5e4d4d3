"""The sectors' documents for fresh, fictitious citizens, made from the published samples."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

import hub
from hub.fhir import names
from hub.fhir.decided import pointing_at
from hub.fhir.extract import extension_value, extensions, has_code
from hub.mapping import mappings_folder

EXAMPLES = Path(hub.__file__).parents[1] / "fhir_profiles" / "examples"

KARLA = "0201609996"
BO = "1507729995"
"""The numbers in the samples: from the test range, where digits 7 to 9 are 999."""

CASES = re.compile(r"(?:PSYK|VUM|SAG|RUS|PCN|HAV)-20\d\d-\d+|bp-20\d\d-\d+-\d+")


@dataclass(frozen=True)
class Citizen:
    """A citizen made up for one run."""

    number: str
    """A CPR number of the test range."""
    sample: str
    """The number it stands in for."""
    run: str
    """Makes case and message ids of this run its own."""

    def rewrite(self, document: bytes) -> bytes:
        """The sample document, about this citizen."""
        text = document.decode("utf-8").replace(self.sample, self.number)
        return CASES.sub(lambda m: f"{m[0]}-{self.run}", text).encode("utf-8")


def fresh(sample: str, chance: random.Random) -> Citizen:
    """Born on a random day, test range, same sex as the sample."""
    born = datetime(1960, 1, 1) + timedelta(days=chance.randrange(14_000))
    last = chance.randrange(5) * 2 + int(sample[-1]) % 2
    return Citizen(
        f"{born:%d%m%y}999{last}", sample, uuid.UUID(int=chance.getrandbits(128)).hex[:8]
    )


def sample(format_: str, name: str, citizen: Citizen) -> bytes:
    """A document from ``mappings/<format>/samples``."""
    path = mappings_folder(format_) / "samples" / name
    return citizen.rewrite(path.read_bytes())


def example(name: str, citizen: Citizen) -> dict[str, Any]:
    """A resource or bundle from ``fhir_profiles/examples``."""
    path = EXAMPLES / name
    found: dict[str, Any] = json.loads(citizen.rewrite(path.read_bytes()))
    return found


def consent(name: str, citizen: Citizen, now: datetime) -> dict[str, Any]:
    """The citizen's consent, given last week, for a year."""
    made = example(name, citizen)
    given = now - timedelta(days=7)
    made["dateTime"] = given.isoformat(timespec="seconds")
    made["provision"]["period"] = {
        "start": given.date().isoformat(),
        "end": (given + timedelta(days=364)).date().isoformat(),
    }
    return made


def approval(name: str, citizen: Citizen, plan: str, version: int, now: datetime) -> dict[str, Any]:
    """The citizen's decision on one plan version."""
    made = example(name, citizen)
    made["dateTime"] = now.isoformat(timespec="seconds")
    made["provision"] = pointing_at(f"CarePlan/{plan}/_history/{version}")
    return made


def shared_plan(name: str, citizen: Citizen) -> dict[str, Any]:
    """The lead's bundle after the meeting, before anything was added to it."""
    bundle = example(name, citizen)
    plan = bundle["entry"][0]["resource"]
    plan["extension"] = [e for e in plan["extension"] if e["url"] != names.POSTSCRIPT]
    return bundle


def agreed(bundle: dict[str, Any]) -> dict[str, Any]:
    """What was agreed at the meeting, in order, whatever ids and addresses it has."""
    found = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    found |= {f"{r['resourceType']}/{r['id']}": r for r in found.values() if "id" in r}
    plan = next(
        r for r in found.values() if has_code(r.get("category", ()), names.CATEGORY, "ki-plan")
    )
    told = [found[x["reference"]] for x in plan["supportingInfo"]]
    goals = [x["reference"] for x in plan["goal"]]
    return {
        "meetings": [len(r["participant"]) for r in told if r["resourceType"] == "Appointment"],
        "notes": [
            (extension_value(r, names.ACTOR_LABEL), r["valueString"])
            for r in told
            if r["resourceType"] == "Observation"
        ],
        "challenges": [
            (found[x["reference"]]["code"], found[x["reference"]].get("note"))
            for x in plan["addresses"]
        ],
        "goals": [found[reference]["description"]["text"] for reference in goals],
        "interventions": [
            (a["detail"]["description"], [goals.index(g["reference"]) for g in a["detail"]["goal"]])
            for a in plan["activity"]
        ],
        "next meeting": list(_words(extensions(plan, names.NEXT_MEETING))),
    }


def _words(value: Any) -> Iterator[Any]:
    """Every primitive value but references: those are the hub's own."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name != "reference":
                yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    else:
        yield value


def of_other_authorities(order: bytes) -> list[dict[str, Any]]:
    """The plans of other authorities that a VUM order tells of (RelatedCarePlan)."""
    found = [e["resource"] for e in json.loads(order)["entry"]]
    return [r for r in found if "relatedCarePlan" in str(r.get("meta", {}).get("profile"))]


def changed_plan(bundle: dict[str, Any]) -> dict[str, Any]:
    """The lead has reworded the first goal; nobody has approved that yet."""
    made: dict[str, Any] = json.loads(json.dumps(bundle))
    goal = next(e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == "Goal")
    goal["description"]["text"] += UNAPPROVED
    return made


UNAPPROVED = " (tilføjet efter mødet)"
"""Marks shared content that no citizen has approved; must never reach the GP."""


def next_version(document: bytes, number: int) -> bytes:
    """The region's plan with its first coordinated effort reworded, as a new message."""
    root = etree.fromstring(document)
    ns = {"p": root.tag[1:].partition("}")[0]}
    effort = root.find(".//p:TreatmentEffort/p:EffortText", ns)
    message = root.find(".//p:MessageIdentifier", ns)
    assert effort is not None
    assert message is not None
    effort.text = f"{effort.text} Justeret {number}. gang."
    message.text = f"{message.text}-{number}"
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")

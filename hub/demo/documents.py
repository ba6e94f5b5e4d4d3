"""The sectors' documents for fresh, fictitious citizens, made from the published samples."""

from __future__ import annotations

import json
import random
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import etree

import hub
from hub.fhir import names
from hub.fhir.decided import pointing_at
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

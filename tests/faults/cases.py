"""The citizens of a run, and the documents about them; every change carries a token of its own."""

from __future__ import annotations

import json
import random
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from hub.demo import documents
from hub.demo.documents import KARLA, Citizen

RUS, PSYK, SOCIAL = "rus-havneby", "psyk-nordstrand", "social-havneby"
COORDINATOR, OTHER, GP = "koord-havneby", "koord-nordstrand", "laege-havnegade"
EVERYONE = frozenset({RUS, PSYK, SOCIAL, COORDINATOR, OTHER, GP})
PARTS = {RUS: "shared", PSYK: "psyk", SOCIAL: "social"}
TOKEN = re.compile(r"\bt-(shared|psyk|social)-[0-9a-f]{10}\b")
_UNITS = {
    "999000000101": PSYK, "999000000202": SOCIAL, "999000000203": RUS, "999000000305": GP,
    COORDINATOR: COORDINATOR, OTHER: OTHER,
}  # fmt: skip


@dataclass(eq=False)
class Case:
    """One citizen. What a decision does is known to whoever holds ``deciding``."""

    name: str
    citizen: Citizen
    plan: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    """What came into the plan when it was made, by part."""
    permits: frozenset[str] = frozenset()
    deciding: Lock = field(default_factory=Lock)
    writing: dict[str, Lock] = field(default_factory=lambda: {p: Lock() for p in PARTS.values()})
    """A sector's own people do not send two documents of one case at a time."""


def fresh(name: str, chance: random.Random, taken: set[str]) -> Case:
    """A citizen nobody else of the run is."""
    while True:
        citizen = documents.fresh(KARLA, chance)
        if citizen.number not in taken:
            taken.add(citizen.number)
            return Case(name, citizen)


def token(part: str, chance: random.Random) -> str:
    """Found nowhere else."""
    return f"t-{part}-{chance.getrandbits(40):010x}"


def tokens_in(text: str) -> dict[str, str]:
    """Part to its token; the one that was said last where several are."""
    return {match[1]: match[0] for match in TOKEN.finditer(text)}


def consent(case: Case, permits: frozenset[str]) -> dict[str, Any]:
    """The citizen's consent to exactly these units; none at all is a withdrawal."""
    made = documents.consent("consent-1.json", case.citizen, datetime.now(UTC))
    made["id"] = f"samtykke-{case.citizen.run}"
    # Other words each time: a form in the same words is taken for a resend.
    made["extension"][1]["valueString"] = f"Erklæring {uuid.uuid4().hex[:12]}"
    made["dateTime"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    if not permits:
        return made | {"status": "inactive"}
    permitted = made["provision"]["provision"]
    made["provision"]["provision"] = [
        p for p in permitted
        if _UNITS[p["actor"][0]["reference"]["identifier"]["value"]] in permits
    ]  # fmt: skip
    return made


def approval(case: Case, version: int) -> dict[str, Any]:
    """The citizen's yes to a version."""
    made = documents.approval(
        "approval-1.json", case.citizen, case.plan, version, datetime.now(UTC)
    )
    return made | {"id": f"godkendelse-{case.citizen.run}-{version}"}


def plan_bundle(case: Case, said: str) -> bytes:
    """The lead's bundle after the meeting."""
    bundle = documents.shared_plan("plan-1.json", case.citizen)
    bundle["entry"][0]["resource"]["title"] = f"Koordinerende indsatsplan {said}"
    return json.dumps(bundle, ensure_ascii=False).encode()


def treatment(case: Case, said: str) -> bytes:
    """The region's plan with its effort reworded, as a new message."""
    made = documents.sample("behandlingsplan", "typical.xml", case.citizen).decode()
    made = re.sub(r"(<EffortText>)", rf"\g<1>{said}. ", made, count=1)
    made = re.sub(r"(<MessageIdentifier>[^<]+)", rf"\g<1>-{said[-10:]}", made, count=1)
    return made.encode()


def order(case: Case, said: str) -> bytes:
    """The municipality's order with its first goal reworded, as a new message."""
    bundle = json.loads(documents.sample("vum", "order-minimal.json", case.citizen))
    bundle["id"] = str(uuid.uuid4())
    goal = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Goal")
    goal["description"]["text"] = f"{goal['description']['text']} {said}"
    return json.dumps(bundle, ensure_ascii=False).encode()

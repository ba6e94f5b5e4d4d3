"""What a client must find, read without any client library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.servers.hub import LEAD, LiveHub

CPR = "urn:oid:1.2.208.176.1.2"
NOBODY = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Facts:
    """The plan as it now is, and its surroundings."""

    plan: dict[str, Any]
    patient: str
    """The citizen's ``Patient/id``."""
    plans: frozenset[str]
    """Ids of the citizen's CarePlans: the shared plan and the sectors' own."""
    versions: tuple[str, ...]
    """Newest first."""
    everything: frozenset[str]
    """``Type/id`` of all that belongs to the plan."""
    number: str
    """The citizen's CPR number."""

    @property
    def goals(self) -> frozenset[str]:
        """``Goal/id`` of the plan's goals."""
        return frozenset(g["reference"] for g in self.plan["goal"])


def facts_of(hub: LiveHub) -> Facts:
    """By plain HTTP."""
    with hub.client(LEAD) as client:

        def get(path: str) -> dict[str, Any]:
            answer = client.get(f"/fhir/{path}")
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        plan = get(f"CarePlan/{hub.plan}")
        patient = plan["subject"]["reference"]
        history = get(f"CarePlan/{hub.plan}/_history")
        whole = get(f"CarePlan/{hub.plan}/$everything?_count=200")
        found = get(f"CarePlan?subject={patient}&_count=200")
    return Facts(
        plan=plan,
        patient=patient,
        plans=frozenset(e["resource"]["id"] for e in found["entry"]),
        versions=tuple(e["resource"]["meta"]["versionId"] for e in history["entry"]),
        everything=frozenset(
            f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in whole["entry"]
        ),
        number=hub.citizen.number,
    )

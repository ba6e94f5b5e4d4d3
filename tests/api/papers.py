"""Consents, approvals and documents of the adversary's choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.fhir import names
from hub.fhir.decided import pointing_at
from tests.api.world import (
    APPROVAL_1,
    CONSENT_1,
    CPR_1,
    GP,
    KOORD_OTHER,
    KOORD_OWN,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
)

_ORDER = (PSYK, SOCIAL, RUS, KOORD_OWN, KOORD_OTHER, GP)
"""As the units stand in the published consent."""
Resource = dict[str, Any]


def consent_of(
    name: str,
    units: tuple[str, ...] = _ORDER,
    *,
    kind: str = "permit",
    sections: Mapping[str, tuple[str, ...]] | None = None,
    purposes: tuple[str, ...] = ("make-plan", "exchange", "copy-to-gp"),
    cpr: str = CPR_1,
    **changes: Any,
) -> bytes:
    """A consent with an id; ``sections`` narrows a unit to some sections."""
    resource = json.loads(CONSENT_1) | {"id": name}
    rules = dict(zip(_ORDER, resource["provision"]["provision"], strict=True))
    made = [rules[u] | {"type": kind} for u in units]
    for unit, rule in zip(units, made, strict=True):
        for code in (sections or {}).get(unit, ()):
            rule.setdefault("securityLabel", []).append(names.coding(names.SECTION_CODE, code))
    resource["provision"]["provision"] = made
    resource["category"] = [names.concept(names.CONSENT_PURPOSE, p) for p in purposes]
    for holder in (resource["patient"], resource["performer"][0]):
        holder["identifier"]["value"] = cpr
    return json.dumps(resource | changes).encode()


def during(start: str, end: str) -> Resource:
    """A consent's provision with that period, to be passed as ``provision``."""
    provision: Resource = json.loads(CONSENT_1)["provision"]
    return provision | {"period": {"start": start, "end": end}}


def approval_of(
    plan: str,
    version: int = 1,
    decision: str = "yes",
    *,
    holds: tuple[str, ...] = (),
    met: str | None = None,
    **changes: Any,
) -> bytes:
    """The published approval with conditions that hold back."""
    resource = json.loads(APPROVAL_1)
    resource["extension"][0]["valueCode"] = decision
    resource["provision"] = pointing_at(f"CarePlan/{plan}/_history/{version}")
    for held in holds:
        parts: list[Resource] = [
            {"url": "text", "valueString": "Først efter næste samtale"},
            {"url": "holds-back", "valueCode": held},
        ]
        if met is not None:
            parts.append({"url": "met", "valueDateTime": met})
        resource["extension"].append({"url": names.extension("condition"), "extension": parts})
    return json.dumps(resource | changes).encode()


def plan_with_team(roles: dict[str, tuple[str, ...]], **changes: Any) -> bytes:
    """The lead's plan; ``roles`` gives a unit's people other roles, none takes them out.

    Keys are the identifier values of the units.
    """
    bundle = json.loads(PLAN_1)
    by_url = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    (team,) = [r for r in by_url.values() if r["resourceType"] == "CareTeam"]
    kept = []
    for participant in team["participant"]:
        unit = _unit_value(by_url, participant["member"]["reference"])
        if unit not in roles:
            kept.append(participant)
        elif roles[unit]:
            given = [names.concept(names.ROLE, code) for code in roles[unit]]
            kept.append(participant | {"role": given})
    team["participant"] = kept
    bundle["entry"][0]["resource"] |= changes
    return json.dumps(bundle).encode()


def _unit_value(by_url: dict[str, Resource], reference: str) -> str:
    found = by_url[reference]
    unit = by_url.get(found.get("organization", {}).get("reference", ""), found)
    if unit["resourceType"] != "Organization":
        return ""
    return str(unit["identifier"][0]["value"])


SOR = {PSYK: "999000000101", SOCIAL: "999000000202", RUS: "999000000203", GP: "999000000305"}


def sector_plan(
    unit: str,
    *,
    case: str,
    kind: str = "handleplan-141",
    own: str = "",
    part_of: str = "",
    text: str = "En indsats i egen sektor",
    numbers: tuple[str, ...] = (CPR_1,),
) -> bytes:
    """A unit's own plan as a FHIR Bundle; ``own`` is the CarePlan's id at the hub's address."""
    base = "http://127.0.0.1:8080/fhir"
    plan_url = f"{base}/CarePlan/{own}" if own else "urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c01"
    patient_url = "urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c02"
    unit_url = "urn:uuid:3b0ff6a2-0d8c-4a5c-9e59-9f8a1f6f0c03"
    mark = {"url": names.COORDINATION, "valueBoolean": True}
    plan: Resource = {
        "resourceType": "CarePlan",
        "meta": {"profile": [names.KI_SECTOR_PLAN]},
        "extension": [mark],
        "identifier": [{"system": "https://sag.example", "value": case}],
        "status": "active",
        "intent": "plan",
        "category": [names.concept(names.SECTOR_KIND, kind)],
        "description": text,
        "subject": {"reference": patient_url},
        "author": {"reference": unit_url},
        "activity": [
            {
                "id": "a-1",
                "extension": [mark],
                "detail": {"status": "in-progress", "description": text},
            }
        ],
    }
    if own:
        plan["id"] = own
    if part_of:
        plan["partOf"] = [{"reference": f"{base}/CarePlan/{part_of}"}]
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": names.CPR, "value": n} for n in numbers],
        "name": [{"family": "Nygaard", "given": ["Karla", "Testine"]}],
    }
    organization = {
        "resourceType": "Organization",
        "identifier": [{"system": names.SOR, "value": SOR[unit]}],
        "name": "Enheden",
    }
    entries = [
        {"fullUrl": u, "resource": r}
        for u, r in ((plan_url, plan), (patient_url, patient), (unit_url, organization))
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return json.dumps(bundle).encode()

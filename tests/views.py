"""Plan views and parties for tests, made from the published example bundles.

A view is made as the hub makes it: every entry gets an id (here the uuid of its fullUrl), and
every ``urn:uuid:`` reference becomes ``Type/id``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from hub.contract import Identifier, Party, PlanView, Resource
from hub.errors import Issue
from hub.fhir import names
from hub.fhir.validation import EmbeddedValidator
from hub.runtime.registry import Registry

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "fhir_profiles" / "examples"
PLAN_1 = EXAMPLES / "plan-1.json"
"""Lead at Havneby Rusmiddelcenter; labelled challenges; an unknown phone ("telefon?")."""
PLAN_2 = EXAMPLES / "plan-2.json"
"""Lead at Psykiatrisk Center Nordstrand; no phone; one intervention for two goals."""

VALIDATOR = EmbeddedValidator(coded=Registry().profiles)
"""As the hub has it."""

_SYSTEMS = {
    "sor": names.SOR,
    "local": names.LOCAL_UNIT,
    "gln": names.GLN,
    "cvr": names.CVR,
    "ydernummer": names.YDERNUMMER,
    "kommunekode": names.KOMMUNEKODE,
}


def check(resource: Resource) -> list[Issue]:
    """What an adapter's context has for a validator."""
    return VALIDATOR.check([resource])


def errors_in(*resources: Resource, profile: str | None = None) -> list[Issue]:
    """What makes them invalid."""
    found = VALIDATOR.check(resources, profile=profile)
    return [i for i in found if i.severity in {"error", "fatal"}]


def view_of(bundle_path: Path | str, **kw: Any) -> PlanView:
    """The view that a bundle's content gives.

    ``kw`` replaces any field of :class:`PlanView`; without it: plan id = the plan's uuid,
    version 1, approved, lead = the demo party of the author's unit (None if it is no party).
    """
    bundle = json.loads(Path(bundle_path).read_text(encoding="utf-8"))
    resources = resources_of(bundle)
    plan = next(iter(resources.values()))
    fields: dict[str, Any] = {
        "plan_id": plan["id"],
        "version": 1,
        "resources": resources,
        "approved": True,
        "lead": _lead_of(plan, resources),
    }
    return PlanView(**(fields | kw))


def resources_of(bundle: dict[str, Any]) -> dict[str, Resource]:
    """``Type/id`` to resource, in the bundle's order, references rewritten to ``Type/id``."""
    short = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{_uuid(entry['fullUrl'])}"
        for entry in bundle["entry"]
    }
    return {
        short[entry["fullUrl"]]: {
            "resourceType": entry["resource"]["resourceType"],
            "id": _uuid(entry["fullUrl"]),
            **_rewritten(entry["resource"], short),
        }
        for entry in bundle["entry"]
    }


@lru_cache(maxsize=1)
def parties() -> dict[str, Party]:
    """The demo's parties by id, from ``hub/demo/parties.yaml``."""
    content = yaml.safe_load((ROOT / "hub" / "demo" / "parties.yaml").read_text(encoding="utf-8"))
    return {row["id"]: _party(row) for row in content["parties"]}


def find_party(identifiers: tuple[Identifier, ...]) -> Party | None:
    """The demo party that one of the unit identifiers names; fits ``Context.find_party``."""
    wanted = {(i.system, i.value) for i in identifiers if i.system in names.UNIT_SYSTEMS}
    return next(
        (p for p in parties().values() if wanted & {(i.system, i.value) for i in p.identifiers}),
        None,
    )


def _uuid(full_url: str) -> str:
    return full_url.removeprefix("urn:uuid:")


def _rewritten(value: Any, short: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            k: short.get(v, v) if k == "reference" and isinstance(v, str) else _rewritten(v, short)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_rewritten(v, short) for v in value]
    return value


def _lead_of(plan: Resource, resources: dict[str, Resource]) -> Party | None:
    role = resources.get(plan.get("author", {}).get("reference", ""), {})
    unit = resources.get(role.get("organization", {}).get("reference", ""), {})
    return find_party(
        tuple(Identifier(i["system"], i["value"]) for i in unit.get("identifier", ()))
    )


def _party(row: dict[str, Any]) -> Party:
    return Party(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        organisation=row["organisation"],
        identifiers=tuple(Identifier(_SYSTEMS[k], v) for k, v in row["identifiers"].items()),
        phone=row.get("phone"),
    )

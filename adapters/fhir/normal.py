"""Resources in the hub's form: no server metadata, no narrative, everything ranked and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.fhir.rules import rank_of
from adapters.fhir.terms import PLAN_ID
from hub.contract import Resource
from hub.fhir import names

_SERVER_META = {"versionId", "lastUpdated"}


def normal_resource(resource: Resource, id: str) -> Resource:
    """A copy with its hub id, without narrative and without what a server sets in meta."""
    made: Resource = {"resourceType": resource["resourceType"], "id": id}
    for name, value in resource.items():
        if name in {"resourceType", "id", "text"}:
            continue
        if name == "meta":
            kept = {k: v for k, v in value.items() if k not in _SERVER_META}
            # The hub's own mark on what it sent; it says nothing when it comes back.
            _keep(kept, "tag", lambda t: t.get("system") != names.DECISION_CODE)
            if kept:
                made["meta"] = kept
            continue
        made[name] = value
    return made


def normal_plan(plan: Resource, activity_id: Callable[[int], str]) -> Resource:
    """A copy with ranks by order, ids on interventions, and without the hub's own stamps.

    Document order is the priority where no rank is given (canonical model, E to G). The plan id,
    the base version and partOf are in the update itself; ``partOf`` is set when it is attached.
    """
    made: Resource = {k: v for k, v in plan.items() if k != "partOf"}
    _keep(made, "identifier", lambda i: i.get("system") != PLAN_ID)
    _keep(made, "extension", lambda e: e.get("url") != names.BASE_VERSION)
    for name in ("addresses", "goal", "activity"):
        if name in made:
            made[name] = [_ranked(item, i) for i, item in enumerate(made[name], 1)]
    if "activity" in made:
        made["activity"] = [
            item if "id" in item else {"id": activity_id(i)} | item
            for i, item in enumerate(made["activity"], 1)
        ]
    return made


def _ranked(item: dict[str, Any], number: int) -> dict[str, Any]:
    if rank_of(item) is not None:
        return item
    rank = {"url": names.RANK, "valuePositiveInt": number}
    others = [e for e in item.get("extension", ()) if e.get("url") != names.RANK]
    return item | {"extension": [rank, *others]}


def _keep(resource: Resource, name: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    if name in resource:
        resource[name] = [x for x in resource[name] if wanted(x)]
        if not resource[name]:
            del resource[name]

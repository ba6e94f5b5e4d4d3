"""What parties do with a copy of the plan: they get it, write in it, and send it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from hub.fhir.codec import parse_json
from hub.model.party import SYSTEM
from hub.services.hub import Hub
from hub.services.state import plan_state
from hub.services.views import build_view
from tests.api.world import World

Bundle = dict[str, Any]
Resource = dict[str, Any]


def copy_for(hub: Hub, plan: str, who: str, version: int | None = None) -> Bundle:
    """The Bundle that a receiver of the format ``fhir`` gets."""
    with hub.store.reading() as work:
        found = work.plans.get(plan, SYSTEM, hub.clock())
        assert found is not None
        directory = work.parties.directory()
        state = plan_state(work, found, directory, hub.clock())
        reduced = build_view(work, state, version or found.head, who, hub.clock())
    assert reduced is not None
    party = directory.get(who)
    assert party is not None
    assert reduced.view.lead is not None
    context = hub.context(directory, reduced.view.lead, f"{who}/{plan}")
    made = hub.adapters.adapter("fhir").render(reduced.view, party, context)
    bundle: Bundle = json.loads(made.body)
    shared = ("KiSectorPlan",)
    bundle["entry"] = [
        e for e in bundle["entry"] if not any(s in str(e["resource"].get("meta")) for s in shared)
    ]
    return bundle


def send(world: World, who: str, bundle: Bundle, **more: str) -> httpx.Response:
    return world.post("/documents/fhir", who, json.dumps(bundle).encode(), **more)


def resources(bundle: Bundle, kind: str) -> list[Resource]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def care_plan(bundle: Bundle) -> Resource:
    return resources(bundle, "CarePlan")[0]


def goals(bundle: Bundle) -> list[Resource]:
    """In the plan's order."""
    by_url = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    by_key = {f"{r['resourceType']}/{r['id']}": r for r in by_url.values()}
    links = [g["reference"] for g in care_plan(bundle)["goal"]]
    return [by_url.get(x) or by_key[x] for x in links]


def without_base(bundle: Bundle) -> Bundle:
    """As a system sends it that keeps no version."""
    care_plan(bundle).get("meta", {}).pop("versionId", None)
    return bundle


def says_of(hub: Hub, plan: str) -> str:
    """Everything the shared part says, as JSON."""
    with hub.store.reading() as work:
        part = work.plans.part_by_id(plan)
        assert part is not None
        return json.dumps(work.plans.resources(part.members), ensure_ascii=False, default=str)


def says(world: World, plan: str, who: str) -> Bundle:
    """What the plan says now."""
    answer = world.get(f"/fhir/CarePlan/{plan}/$everything", who)
    assert answer.status_code == 200, answer.text
    found: Bundle = parse_json(answer.content)
    return found


def head(world: World, plan: str) -> int:
    with world.hub.store.reading() as work:
        found = work.plans.get(plan, SYSTEM, world.clock())
    assert found is not None
    return found.head


def shared_part(world: World, plan: str) -> dict[str, Resource]:
    """Every resource of the shared part as it is stored."""
    with world.hub.store.reading() as work:
        part = work.plans.part_by_id(plan)
        assert part is not None
        return work.plans.resources(part.members)


def whole_plan(world: World, plan: str) -> dict[str, tuple[Any, ...]]:
    """Every part's members."""
    with world.hub.store.reading() as work:
        return {p.id: p.members for p in work.plans.parts(plan)}


def note_of(bundle: Bundle, label: str) -> Resource:
    """The status note of an actor, as labelled."""
    return next(o for o in resources(bundle, "Observation") if label in json.dumps(o["extension"]))


def changed(bundle: Bundle, change: Callable[[Bundle], Any]) -> Bundle:
    made: Bundle = json.loads(json.dumps(bundle))
    change(made)
    return made

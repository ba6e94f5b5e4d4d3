"""Subscriptions as a party writes them."""

from __future__ import annotations

import json
from typing import Any

import httpx

from hub.model.subscription import BACKPORT, PLAN_CHANGE
from tests.api.world import PSYK, World, changed_plan
from tests.servers.hook import Hook

SECRET = "Bearer not-for-the-operator"
EXTENSION = f"{BACKPORT}/StructureDefinition/backport-"


def subscription(
    endpoint: str,
    topic: str = PLAN_CHANGE,
    *,
    content: str | None = None,
    filters: tuple[str, ...] = (),
    heartbeat: int | None = None,
    **channel: Any,
) -> dict[str, Any]:
    """A whole one; ``channel`` replaces parts of its channel."""
    made: dict[str, Any] = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Follow the plans we take part in",
        "criteria": topic,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "header": [f"Authorization: {SECRET}"],
        }
        | channel,
    }
    if content is not None:
        said = {"url": f"{EXTENSION}payload-content", "valueCode": content}
        made["channel"]["_payload"] = {"extension": [said]}
    if heartbeat is not None:
        made["channel"]["extension"] = [
            {"url": f"{EXTENSION}heartbeat-period", "valueUnsignedInt": heartbeat}
        ]
    if filters:
        made["_criteria"] = {
            "extension": [{"url": f"{EXTENSION}filter-criteria", "valueString": f}
                          for f in filters]
        }  # fmt: skip
    return made


def create(world: World, who: str, resource: dict[str, Any]) -> httpx.Response:
    headers = {"Content-Type": "application/fhir+json"}
    body = json.dumps(resource).encode()
    return world.request("POST", "/fhir/Subscription", who, content=body, headers=headers)


def put(
    world: World, who: str, resource: dict[str, Any], match: str | None = None
) -> httpx.Response:
    headers = {"Content-Type": "application/fhir+json"}
    if match is not None:
        headers["If-Match"] = match
    url = f"/fhir/Subscription/{resource['id']}"
    return world.request("PUT", url, who, content=json.dumps(resource).encode(), headers=headers)


def subscribed(world: World, hook: Hook, who: str = PSYK, **more: Any) -> str:
    """The id of an active one."""
    answer = create(world, who, subscription(hook.url, **more))
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    world.work()
    assert state(world, made, who)["status"] == "active"
    return made


def state(world: World, made: str, who: str = PSYK) -> dict[str, Any]:
    answer = world.get(f"/fhir/Subscription/{made}", who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def publish(world: World, who: str, number: int) -> None:
    """Another version of the plan, a minute later."""
    world.clock.advance(minutes=1)
    answer = world.post("/documents/fhir", who, changed_plan(description=f"Udgave {number}"))
    assert answer.status_code == 200, answer.text

"""Who plays in the scenario, and what every step is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.demo.documents import Citizen
from hub.demo.operator import Browser
from hub.demo.sectors import Answer, HttpChannel, Received, Sector, until

XML = "application/xml"
JSON = "application/fhir+json"
GP = "laege-havnegade"
READERS = ("psyk-nordstrand", "social-havneby", "rus-havneby", "koord-havneby", "koord-nordstrand")


class StepFailed(Exception):
    """A step did not happen as it should."""


@dataclass
class World:
    """Everyone in the scenario, and what is known of it so far."""

    sectors: dict[str, Sector]
    operator: HttpChannel
    console: Browser
    now: Callable[[], datetime]
    plans: list[str] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)

    def close(self) -> None:
        """Everyone goes home."""
        self.operator.close()
        self.console.close()
        for sector in self.sectors.values():
            sector.close()

    def deliveries(self, plan: str) -> list[dict[str, Any]]:
        """As the operator sees them."""
        found: list[dict[str, Any]] = self.operator.call(
            "GET", "/operations/deliveries", params={"plan": plan}
        ).json()
        return found

    def to(self, plan: str, receiver: str) -> list[dict[str, Any]]:
        """Deliveries of one receiver, oldest version first."""
        mine = [d for d in self.deliveries(plan) if d["receiver"] == receiver]
        return sorted(mine, key=lambda d: d["version"])

    def plan(self, plan: str) -> dict[str, Any]:
        """Versions, parts, hops."""
        found: dict[str, Any] = self.operator.call("GET", f"/operations/plans/{plan}").json()
        return found


def check(condition: object, what: str) -> None:
    """The step stands or falls with this."""
    if not condition:
        raise StepFailed(what)


def receive_all(world: World, plan: str, version: int, parties: tuple[str, ...]) -> None:
    """Every party collects and receipts until it has been delivered the version (or a newer)."""
    for party in parties:
        sector = world.sectors[party]

        def done(sector: Sector = sector) -> bool | None:
            for message in sector.collect():
                sector.confirm(message)
            states = {d["version"]: d["state"] for d in world.to(plan, sector.id)}
            waiting = {"due", "sending", "sent", "retry_at"} & set(states.values())
            arrived = any(v >= version and s == "delivered" for v, s in states.items())
            return True if arrived and not waiting else None

        until(f"{party} has version {version}", done)


def newest(sector: Sector, format_: str) -> Received:
    """The last document of that format the sector received."""
    return next(r for r in reversed(sector.received) if r.format == format_)


class Story:
    """What both citizens' stories share."""

    def __init__(self, world: World, citizen: Citizen) -> None:
        self.world = world
        self.citizen = citizen
        self.plan = ""

    def sector(self, name: str) -> Sector:
        """One of the sectors."""
        return self.world.sectors[name]

    def publish(self, party: str, format_: str, body: bytes, media_type: str) -> Answer:
        """Send under an id of its own, as every real system does."""
        return self.sector(party).publish(format_, body, media_type)

    def take_plan(self, answer: Answer) -> None:
        """Note the plan the answer names."""
        check(answer.status == 200, f"the shared plan was answered {answer}")
        self.plan = answer.location.split("/")[3]
        self.world.plans.append(self.plan)


def first(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first, if there is one."""
    return found[0] if found else None


def when(delivery: dict[str, Any], state: str) -> str | None:
    """When the delivery came into that state."""
    return next((e["at"] for e in delivery["history"] if e["state"] == state), None)

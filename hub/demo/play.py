"""Plays the scenario on a running hub and reports what happened."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.demo import documents
from hub.demo.operator import Browser
from hub.demo.scenario import steps
from hub.demo.sectors import Channel, GaveUp, HttpChannel, Sector
from hub.demo.stage import StepFailed, World

ON_THE_BROKER = frozenset({"psyk-nordstrand", "social-havneby", "rus-havneby"})
"""Parties whose endpoint is their queue on the broker, where there is one."""
OPERATOR = "drift"


@dataclass(frozen=True)
class Played:
    """The report, and the step that failed, if one did."""

    report: dict[str, Any]
    failed: str | None


def world(base: str, credentials: Mapping[str, str], broker: str = "") -> World:
    """Every sector's system, connected; ``broker`` is the AMQP URL, empty without one."""
    sectors = {}
    for party, secret in credentials.items():
        if party == OPERATOR:
            continue
        http = HttpChannel(base, secret)
        channel: Channel = http
        if broker and party in ON_THE_BROKER:
            from hub.demo.amqp import AmqpChannel  # noqa: PLC0415  (pika is slow to load)

            channel = AmqpChannel(broker, party, secret)
        sectors[party] = Sector(party, http, channel)
    secret = credentials[OPERATOR]
    console = Browser(base, secret)
    return World(sectors, HttpChannel(base, secret), console, lambda: datetime.now(UTC))


def play(
    world: World,
    *,
    seed: int | None = None,
    begin: Callable[[str], None] = lambda _: None,
    done: Callable[[str], None] = lambda _: None,
) -> Played:
    """Every step in order, for two fresh citizens; stops at the first that does not happen."""
    chance = random.Random(seed)  # noqa: S311  (birthdays of people who do not exist)
    karla = documents.fresh(documents.KARLA, chance)
    bo = documents.fresh(documents.BO, chance)
    failed = None
    for title, act in steps(world, karla, bo):
        begin(title)
        failed = _failure(title, act)
        if failed is not None:
            break
        done(title)
    return Played(report(world) | {"failed": failed}, failed)


def _failure(title: str, act: Callable[[], None]) -> str | None:
    try:
        act()
    except (StepFailed, GaveUp) as e:
        return f"{title}: {e}"
    return None


def report(world: World) -> dict[str, Any]:
    """What the operator's interface says of this run's plans."""
    deliveries: list[dict[str, Any]] = []
    losses: list[dict[str, Any]] = []
    for plan in world.plans:
        deliveries += reversed(world.deliveries(plan))
        losses += world.operator.call("GET", "/operations/losses", params={"plan": plan}).json()
    return {
        "plans": [world.plan(plan) for plan in world.plans],
        "deliveries": deliveries,
        "losses": [
            {k: loss[k] for k in ("delivery", "document", "path", "kind", "reason")}
            for loss in losses
        ],
        "duplicates": world.duplicates,
        "blocked": [
            {"receiver": d["receiver"], "reason": e["reason"], "delivery": d["delivery"]}
            for d in deliveries
            for e in d["history"]
            if e["state"] == "blocked"
        ],
    }

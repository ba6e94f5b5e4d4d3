"""Receivers behind endpoints of their own, and what the hub knows of those that fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.model.breaker import BreakerPolicy
from hub.model.party import SYSTEM
from hub.model.records import Delivery
from hub.sending import Endpoint
from hub.services.queries import deliveries
from tests.api.world import OPERATOR, World
from tests.servers.hook import Hook


def reached_at(
    world: World, party: str, address: str, transport: str = "https", **changes: object
) -> None:
    """Its copies go there, each version, and it gives no receipts."""
    with world.hub.store.writing() as unit:
        known = unit.parties.get(party)
        assert known is not None
        first = replace(
            known.subscriptions[0], format="fhir", receipt=False, versions="every-version"
        )
        endpoint = Endpoint(transport, address)
        wanted = replace(known, endpoint=endpoint, subscriptions=(first,), **changes)  # type: ignore[arg-type]
        unit.parties.save(wanted, world.clock())
        unit.commit()


def of(world: World, receiver: str) -> list[Delivery]:
    """Oldest first."""
    found = deliveries(world.hub, SYSTEM, receiver=receiver)
    return sorted((d for d in found if not d.about), key=lambda d: d.version)


def failing(world: World, hook: Hook, *parties: str, failures: int = 3) -> None:
    """Those parties are behind one endpoint that answers 503."""
    pause = BreakerPolicy(failures, timedelta(minutes=1), timedelta(minutes=5))
    world.hub = replace(world.hub, breaker=pause)
    hook.code = 503
    for party in parties:
        reached_at(world, party, f"{hook.url}/{party}")
    world.consent()
    world.publish_plan()
    world.work()


def shut(world: World) -> list[tuple[str, int, list[str]]]:
    answer = world.get("/operations/endpoints", OPERATOR)
    assert answer.status_code == 200, answer.text
    rows = answer.json()
    return [(r["state"], r["failures"], r["parties"]) for r in rows]

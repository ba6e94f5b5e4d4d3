"""A format that re-issues its receiver's own document waits for one; nobody's letter dies of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from hub.model.party import Subscription
from hub.services.admin import PartyEntry, apply_parties
from tests.api.world import ORDER, PSYK, SOCIAL, TREATMENT, World, send


def of(world: World, receiver: str) -> list[tuple[str, str, int]]:
    """Format, state and version of every delivery to the receiver, oldest version first."""
    mine = [d for d in world.deliveries() if d["receiver"] == receiver]
    found = [(d["format"], d["state"], d["version"]) for d in mine]
    return sorted(found, key=lambda row: row[2])


def subscribed(
    world: World,
    party: str,
    *formats: str,
    versions: Literal["latest", "every-version"] = "latest",
) -> None:
    with world.hub.store.reading() as work:
        known = work.parties.get(party)
    assert known is not None
    wanted = tuple(Subscription(format=f, versions=versions) for f in formats)
    entry = PartyEntry(replace(known, subscriptions=wanted))
    apply_parties(world.hub, [entry], [], "pdf", by="test")


def test_it_waits_with_a_task_until_its_receiver_has_sent_its_own(world: World) -> None:
    world.consent()
    world.publish_plan()
    world.work()
    assert of(world, PSYK) == [("behandlingsplan", "blocked", 1)]
    waiting = world.delivery(PSYK)
    assert "own document" in waiting["reason"]
    assert ("own-document", waiting["delivery"]) in world.tasks(PSYK)
    assert world.letters(PSYK) == []

    world.clock.advance(minutes=1)
    assert send(world, "behandlingsplan", TREATMENT).status_code == 200
    world.work()
    assert of(world, PSYK) == [
        ("behandlingsplan", "superseded", 1), ("behandlingsplan", "sent", 2),
    ]  # fmt: skip
    assert [kind for kind, _ in world.tasks(PSYK)] == []
    # Nobody else's document is the region's own.
    assert of(world, SOCIAL)[-1][:2] == ("vum", "blocked")


def test_who_wants_every_version_is_not_left_with_the_ones_that_waited(world: World) -> None:
    subscribed(world, PSYK, "behandlingsplan", versions="every-version")
    world.consent()
    world.publish_plan()
    world.work()
    world.clock.advance(minutes=1)
    send(world, "behandlingsplan", TREATMENT)
    world.work()
    assert [state for _, state, _ in of(world, PSYK)] == ["superseded", "sent"]


def test_a_second_subscription_stands_in_until_then(world: World) -> None:
    subscribed(world, SOCIAL, "vum", "fhir")
    world.consent()
    world.publish_plan()
    world.work()
    assert of(world, SOCIAL) == [("fhir", "sent", 1)]
    (letter,) = world.letters(SOCIAL)
    world.receipt(letter, SOCIAL)
    world.clock.advance(minutes=1)
    assert send(world, "vum", ORDER).status_code == 200
    world.work()
    assert of(world, SOCIAL) == [("fhir", "delivered", 1), ("vum", "sent", 2)]

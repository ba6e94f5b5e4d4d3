"""A party that does not accept a kind of loss gets nothing that has it until a person says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.contract import LossKind
from hub.model.party import Subscription
from hub.services.admin import PartyEntry, apply_parties
from tests.api.world import OPERATOR, ORDER, RUS, SOCIAL, World, changed_plan, send


def refusing(world: World, *kinds: LossKind) -> None:
    """The municipality accepts no such loss of its own format."""
    with world.hub.store.reading() as work:
        known = work.parties.get(SOCIAL)
    assert known is not None
    wanted = (Subscription(format="vum", unacceptable=kinds),)
    apply_parties(world.hub, [PartyEntry(replace(known, subscriptions=wanted))], [], "pdf", by="x")
    with world.hub.store.reading() as work:
        kept = work.parties.get(SOCIAL)
    assert kept is not None
    assert kept.subscriptions == wanted


def published(world: World) -> dict[str, Any]:
    """The plan and the municipality's own document; what became of the municipality's delivery."""
    world.consent()
    send(world, "vum", ORDER)
    world.clock.advance(minutes=1)
    world.publish_plan()
    world.work()
    return world.delivery(SOCIAL)


def accept(world: World, delivery: str, party: str = RUS, **said: str) -> Any:
    body = {"person": "Tove, tovholder", "reason": "Kommunen er ringet op"} | said
    return world.act(delivery, "accept-losses", party, **body)


def test_it_is_held_with_its_losses_and_a_task_of_the_leads(world: World) -> None:
    refusing(world, "dropped")
    held = published(world)
    assert (held["state"], held["attempts"]) == ("held", 0)
    assert held["losses"] > 0
    assert world.letters(SOCIAL) == []
    assert ("losses", held["delivery"]) in world.tasks(RUS)
    assert [kind for kind, _ in world.tasks(SOCIAL)] == []


def test_a_person_of_the_lead_lets_it_go_once_and_every_loss_is_counted_once(world: World) -> None:
    refusing(world, "dropped")
    held = published(world)
    before = held["losses"]
    for _ in range(2):
        assert accept(world, held["delivery"]).status_code == 200
    world.work()
    went = world.delivery(SOCIAL)
    assert (went["state"], went["losses"]) == ("sent", before)
    assert len(world.letters(SOCIAL)) == 1
    assert ("losses", held["delivery"]) not in world.tasks(RUS)
    told = [e["by"] for e in went["history"] if e["state"] == "due"]
    assert told[-1] == f"{RUS}: Tove, tovholder"


def test_nobody_else_lets_it_go(world: World) -> None:
    refusing(world, "dropped")
    held = published(world)
    assert accept(world, held["delivery"], SOCIAL).status_code == 404
    assert accept(world, held["delivery"], reason=" ").status_code == 422
    assert accept(world, held["delivery"], person="").status_code in {400, 422}
    assert accept(world, "nothing").status_code == 404
    world.work()
    assert world.delivery(SOCIAL)["state"] == "held"


def test_only_what_waits_for_it_can_be_let_go(world: World) -> None:
    refusing(world)
    sent = published(world)
    assert sent["state"] == "sent"
    assert accept(world, sent["delivery"]).status_code == 422


def test_a_kind_that_does_not_occur_holds_nothing(world: World) -> None:
    refusing(world, "reordered")
    assert published(world)["state"] == "sent"


def test_a_newer_version_takes_the_place_of_the_held_one(world: World) -> None:
    refusing(world, "dropped")
    first = published(world)
    world.clock.advance(minutes=1)
    world.publish_plan(changed_plan(title="Ny titel"))
    world.work()
    states = {d["version"]: d["state"] for d in world.deliveries() if d["receiver"] == SOCIAL}
    assert states == {first["version"]: "superseded", first["version"] + 1: "held"}
    open_tasks = [d for kind, d in world.tasks(RUS) if kind == "losses"]
    assert first["delivery"] not in open_tasks
    assert len(open_tasks) == 1


def test_the_lead_may_decide_not_to_send_it(world: World) -> None:
    refusing(world, "dropped")
    held = published(world)
    answer = world.act(held["delivery"], "not-sent", RUS, postscript="Kommunen fik den på papir")
    assert answer.status_code == 200
    assert ("losses", held["delivery"]) not in world.tasks(RUS)


@pytest.mark.parametrize("reason", ["", "Aftalt med kommunen"])
def test_the_operator_lets_it_go_with_a_reason(world: World, reason: str) -> None:
    refusing(world, "dropped")
    held = published(world)
    path = f"/operations/deliveries/{held['delivery']}/accept-losses"
    answer = world.request("POST", path, OPERATOR, json={"reason": reason})
    assert answer.status_code == (200 if reason else 400)
    assert world.delivery(SOCIAL)["state"] == ("due" if reason else "held")

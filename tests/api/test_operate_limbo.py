"""Whatever operators, receivers and citizens do, in whatever order: no delivery is in limbo.

Each is final, or scheduled, or a named person's; one message at a time is under way to a receiver;
and none comes after a newer one, but to a receiver that wants every version.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from hub.contract import Receipt
from hub.errors import InputRefused, NotPermitted
from hub.model.delivery import FINAL, UNDER_WAY, State
from hub.model.operate import ACTS
from hub.model.party import CITIZEN, SYSTEM
from hub.model.records import Delivery
from hub.services import acts, admin, mailbox
from hub.services.gate import is_notice
from hub.services.operate import many
from hub.store.operating import Wanted
from tests.api.test_operate import withdraw
from tests.api.world import (
    KOORD_OWN,
    OPERATOR_VIEW,
    PSYK,
    RUS,
    SOCIAL,
    World,
    changed_plan,
)

FULL = bool(os.environ.get("KI_HUB_TEST_FULL"))
SEEDS, STEPS = (20, 80) if FULL else (2, 30)
EVERY_VERSION = {RUS}
"""Of the demo's parties; they tell the order by the number."""
RECEIVERS = (PSYK, SOCIAL, KOORD_OWN, RUS)


@dataclass
class Walk:
    """A random walk, and what has been seen on it."""

    world: World
    plan: str
    random: Random
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Delivery to how often it was sent."""
    newest: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Receiver to the highest number it was sent."""
    refusals: int = 0

    def step(self) -> None:
        """One thing that somebody does."""
        often: list[Callable[[], None]] = [self.act] * 5 + [self.receipt] * 4 + [self.later] * 3
        self.random.choice([*often, self.publish, self.pause, self.citizen, self.hand_over])()
        self.look()

    def act(self) -> None:
        one = self.random.choice(self.deliveries())
        try:
            made = many.begin(
                self.world.hub, OPERATOR_VIEW, self.random.choice(ACTS), Wanted(ids=(one.id,)),
                reason="Prøve",
            )  # fmt: skip
        except InputRefused:
            self.refusals += 1
            return
        many.advance(self.world.hub, made)

    def receipt(self) -> None:
        party = self.random.choice(RECEIVERS)
        outcome = self.random.choice(["ok", "ok", "transient", "permanent"])
        with self.world.hub.store.reading() as work:
            found = work.parties.get(party)
        assert found is not None
        for letter in mailbox.waiting(self.world.hub, found.party)[:1]:
            mailbox.receipt(self.world.hub, found.party, Receipt(letter.id, outcome))  # type: ignore[arg-type]

    def later(self) -> None:
        self.world.clock.advance(minutes=self.random.choice([1, 40, 90]))
        self.world.work()

    def publish(self) -> None:
        self.world.clock.advance(minutes=1)
        title = f"Titel {self.random.random()}"
        answer = self.world.post("/documents/fhir", RUS, changed_plan(title=title))
        assert answer.status_code in {200, 403}, answer.text

    def pause(self) -> None:
        party = self.random.choice(RECEIVERS)
        if self.random.random() < 0.5:
            admin.pause(self.world.hub, party, by="x", reason="y")
        else:
            admin.resume(self.world.hub, party, by="x", reason="y")

    def citizen(self) -> None:
        """Says no to everything, at last; or approves."""
        if self.random.random() < 0.15:
            withdraw(self.world)
        else:
            self.world.approve(self.plan, version=1)

    def hand_over(self) -> None:
        with self.world.hub.store.reading() as work:
            lead = work.parties.get(RUS)
        assert lead is not None
        for one in self.deliveries():
            if one.receiver == CITIZEN and one.state is State.SENT:
                try:
                    acts.hand_over(self.world.hub, lead.party, one.id, "Tove")
                except (InputRefused, NotPermitted):
                    self.refusals += 1

    def deliveries(self) -> list[Delivery]:
        with self.world.hub.store.reading() as work:
            return work.deliveries.listing(SYSTEM)

    def look(self) -> None:
        """What must hold at any moment."""
        with self.world.hub.store.reading() as work:
            asked = {t.delivery_id for t in work.journal.tasks(SYSTEM)}
            rows = work.deliveries.listing(SYSTEM)
            sent = {
                d.id: sum(e.state is State.SENT for e in work.deliveries.history(d.id))
                for d in rows
            }
        assert [d for d in rows if limbo(d, asked)] == []
        plans = [d for d in rows if d.plan_id and not is_notice(d) and not d.subscription]
        for receiver in {d.receiver for d in plans} - {CITIZEN}:
            mine = [d for d in plans if d.receiver == receiver]
            assert len([d for d in mine if d.state in UNDER_WAY]) <= 1
            self.in_order(receiver, [d for d in mine if sent[d.id] > self.sent[d.id]])
        self.sent.update(sent)

    def in_order(self, receiver: str, went: list[Delivery]) -> None:
        """What went since the last look: never a lower number than the receiver had."""
        for one in went if receiver not in EVERY_VERSION else ():
            assert one.sequence is not None
            assert one.sequence >= self.newest[receiver]
            self.newest[receiver] = one.sequence


def limbo(delivery: Delivery, asked: set[str | None]) -> bool:
    """Neither final, nor scheduled, nor a person's."""
    if delivery.state in {State.BLOCKED, State.HELD}:
        return delivery.id not in asked
    if delivery.state is State.DEAD:
        left_so = delivery.reason.startswith("A person decided to leave it so")
        return delivery.id not in asked and not left_so and delivery.ruling is None
    if delivery.state in {State.RETRY_AT, State.SENT}:
        return delivery.retry_at is None and delivery.id not in asked
    # What is due or being sent is taken up by the next worker.
    return delivery.state not in FINAL | {State.DUE, State.SENDING}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_delivery_is_in_limbo_whatever_is_done(planned: World, plan: str, seed: int) -> None:
    walk = Walk(planned, plan, Random(seed))
    walk.look()
    for _ in range(STEPS):
        walk.step()
    for party in RECEIVERS:
        admin.resume(planned.hub, party, by="x", reason="y")
    for _ in range(3):
        planned.clock.advance(hours=2)
        planned.work()
        walk.look()
    # Nobody is paused, and the workers have nothing to do: what is due waits behind another.
    rows = walk.deliveries()
    for one in (d for d in rows if d.state is State.DUE):
        before = {d.receiver for d in rows if d.plan_id == one.plan_id and d.state in UNDER_WAY}
        assert one.receiver in before
    assert walk.refusals

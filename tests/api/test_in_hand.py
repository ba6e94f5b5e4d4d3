"""A document that a worker has in hand is waited for; the sender does not have to ask again."""

from __future__ import annotations

from datetime import timedelta
from threading import Timer

import pytest

from hub.services import process
from hub.services.accept import accept
from hub.services.hub import CANONICAL
from tests.api.world import PLAN_1, RUS, World, send


@pytest.fixture
def claimed(world: World) -> tuple[World, str]:
    """The plan is kept, and another has claimed it a moment before its sender asks."""
    world.consent()
    with world.hub.store.reading() as work:
        sender = work.parties.get(RUS)
    assert sender is not None
    kept = accept(world.hub, sender.party, CANONICAL, PLAN_1, "application/fhir+json").item.id
    with world.hub.store.writing() as work:
        assert work.inbox.claim(kept, world.clock(), world.hub.limits.process_lease)
        work.commit()
    return world, kept


def test_its_sender_gets_the_answer_when_the_other_is_done(claimed: tuple[World, str]) -> None:
    world, kept = claimed

    def give_back() -> None:
        with world.hub.store.writing() as work:
            work.inbox.release(kept, world.clock() - timedelta(seconds=1))
            work.commit()

    Timer(0.5, give_back).start()
    answer = send(world, "fhir", PLAN_1)
    assert (answer.status_code, answer.headers["KI-Hub-Duplicate"]) == (200, "true")
    assert answer.headers["Location"].startswith("/fhir/CarePlan/")


def test_nobody_waits_for_ever(claimed: tuple[World, str]) -> None:
    world, kept = claimed
    assert process.answered(world.hub, kept, patience=0.2).answer is None

"""kill -9 at any step of the scenario: started again, the hub completes it.

Nothing is lost, and nothing reaches a receiver twice without its being able to tell: every
sector tells resends by the delivery id and the steps count what arrived. The short form kills at
seeded steps; with ``KI_HUB_TEST_FULL`` in the environment, at every one.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import closing

import pytest

from hub.demo.play import play, world
from tests.scenarios.deployment import Deployment

STEPS = 15
SHORT = 3
FULL = bool(os.environ.get("KI_HUB_TEST_FULL"))
pytestmark = pytest.mark.timeout(900 if FULL else 280)


class Killer:
    """Kills every process of the hub a random moment after a step began, and starts it again."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._deployment = deployment
        self._chance = random.Random(seed)
        self._wanted = set(range(STEPS)) if FULL else set(self._chance.sample(range(STEPS), SHORT))
        self._step = 0
        self._thread: threading.Thread | None = None

    def begin(self, _title: str) -> None:
        """A step begins; the one before is over, its kill too."""
        self.finish()
        if self._step in self._wanted:
            delay = self._chance.uniform(0.0, 0.6)
            self._thread = threading.Thread(target=self._strike, args=(delay,))
            self._thread.start()
        self._step += 1

    def finish(self) -> None:
        """Wait until the hub is up again."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _strike(self, delay: float) -> None:
        time.sleep(delay)
        self._deployment.kill()
        self._deployment.start()


@pytest.mark.parametrize("seed", [1])
def test_the_scenario_completes_although_the_hub_is_killed(
    deployment: Deployment, broker: str, seed: int
) -> None:
    credentials = deployment.prepare()
    deployment.start()
    killer = Killer(deployment, seed)

    with closing(world(deployment.base, credentials, broker)) as sectors:
        played = play(sectors, seed=seed, begin=killer.begin)
        killer.finish()

    assert played.failed is None
    assert deployment.kills == (STEPS if FULL else SHORT)
    dead = [d for d in played.report["deliveries"] if d["state"] == "dead"]
    assert [d["receiver"] for d in dead] == ["koord-havneby"], "only what its receiver refused"

"""kill -9 in the middle of a write over REST: the answer is had by sending it again.

Nothing is half applied: the version that the write makes is there once, whenever the hub died.
"""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.api.fhir.writing import plan_entries, posted, transaction
from tests.api.world import CONSENT_1, RUS
from tests.scenarios.deployment import Deployment

KILLS = 3
PATIENCE = 60


class Lead:
    """The lead's system: it sends a write again, under its id, until it has the answer."""

    def __init__(self, base: str, credential: str) -> None:
        self._client = httpx.Client(
            base_url=f"{base}/fhir", headers={"Authorization": f"Bearer {credential}"}, timeout=10
        )

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._client.request(method, url, json=body, headers=named)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in {202, 503}:
                return answer
            assert time.monotonic() < until
            time.sleep(0.05)

    def close(self) -> None:
        self._client.close()


def consent() -> dict[str, Any]:
    """The published one, given just now."""
    found: dict[str, Any] = json.loads(CONSENT_1)
    found["provision"].pop("period", None)
    given = datetime.now(UTC) - timedelta(minutes=1)
    return found | {"dateTime": given.isoformat(timespec="seconds")}


def test_a_write_is_done_once_although_the_hub_is_killed(deployment: Deployment) -> None:
    chance = random.Random(7)
    credentials = deployment.prepare()
    deployment.start()
    with closing(Lead(deployment.base, credentials[RUS])) as lead:
        _write_and_kill(deployment, lead, chance)
    assert deployment.kills == KILLS


def _write_and_kill(deployment: Deployment, lead: Lead, chance: random.Random) -> None:
    plan = transaction(*plan_entries(), posted(consent()))
    name = ""
    for number in range(KILLS):
        delay = chance.uniform(0.0, 0.4)
        killer = threading.Thread(target=_strike, args=(deployment, delay))
        killer.start()
        if number == 0:
            answer = lead.send("POST", "", plan, Message_Id="plan-1")
            assert answer.status_code == 200, answer.text
            goals = [e for e in answer.json()["entry"] if "/Goal/" in e["response"]["location"]]
            name = f"Goal/{goals[0]['resource']['id']}"
        else:
            goal = lead.send("GET", name).json()
            changed = goal | {"description": {"text": f"Mål {number}"}}
            match = f'W/"{goal["meta"]["versionId"]}"'
            answer = lead.send("PUT", name, changed, Message_Id=f"put-{number}", If_Match=match)
        killer.join()
        assert answer.status_code == 200, answer.text
        history = lead.send("GET", f"{name}/_history").json()["entry"]
        versions = [int(e["resource"]["meta"]["versionId"]) for e in history]
        assert versions == list(range(number + 1, 0, -1))
    assert lead.send("GET", "CarePlan").json()["total"] == 1


def _strike(deployment: Deployment, delay: float) -> None:
    time.sleep(delay)
    deployment.kill()
    deployment.start()

"""A subscriber with a real endpoint, on both deployments; the hub killed in the middle."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.fhir.subscription_world import subscription
from tests.api.world import CONSENT_1, PSYK, RUS, changed_plan
from tests.scenarios.deployment import Deployment
from tests.servers.hook import Hook

pytestmark = pytest.mark.timeout(240)


class Client:
    """A party over HTTP."""

    def __init__(self, base: str, credential: str) -> None:
        headers = {"Authorization": f"Bearer {credential}"}
        self._http = httpx.Client(base_url=base, headers=headers, timeout=30)

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/fhir+json"}
        answer = self._http.request(method, path, content=content, headers=headers)
        assert answer.is_success, answer.text
        return answer

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def parties(deployment: Deployment) -> Iterator[dict[str, Client]]:
    """The lead and the subscriber, of a hub that is running."""
    credentials = deployment.prepare()
    deployment.start()
    made = {who: Client(deployment.base, credentials[who]) for who in (RUS, PSYK)}
    made[RUS].send("POST", "/fhir/Consent", CONSENT_1)
    yield made
    for client in made.values():
        client.close()


def subscribed(parties: dict[str, Client], hook: Hook, **more: Any) -> str:
    answer = parties[PSYK].send("POST", "/fhir/Subscription", subscription(hook.url, **more))
    made: str = answer.json()["id"]
    until(parties[PSYK], made, "active")
    return made


def until(client: Client, made: str, status: str) -> dict[str, Any]:
    """The subscription, once it stands so."""
    end = time.monotonic() + 60
    while True:
        found: dict[str, Any] = client.send("GET", f"/fhir/Subscription/{made}").json()
        if found["status"] == status:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.05)


def publish(parties: dict[str, Client], name: str) -> str:
    body = changed_plan(description=f"Udgave {name}")
    answer = parties[RUS].send("POST", "/documents/fhir", body)
    return answer.headers["Location"].split("/")[3]


def test_a_plan_is_told_of_broken_and_mended(
    deployment: Deployment, parties: dict[str, Client]
) -> None:
    """To both kinds of endpoint, one after the other of one hub."""
    for channel in ("rest-hook", "message"):
        with Hook() as hook:
            _told_broken_and_mended(deployment, parties, hook, channel)
    log = deployment.log.read_text()
    assert "Bearer not-for-the-operator" not in log
    assert deployment.stop() == [0] * len(deployment.commands)


def _told_broken_and_mended(
    deployment: Deployment, parties: dict[str, Client], hook: Hook, channel: str
) -> None:
    made = subscribed(parties, hook, type=channel)
    plan = publish(parties, f"{channel} 1")
    (event,) = hook.wait("event-notification")
    assert event.number == 1
    assert event.focus is not None
    assert event.focus.endswith(f"/CarePlan/{plan}")
    assert parties[PSYK].send("GET", f"/fhir/CarePlan/{plan}").json()["id"] == plan

    hook.code = 410
    publish(parties, f"{channel} 2")
    broken = until(parties[PSYK], made, "error")
    assert "410" in broken["error"]
    listed = json.loads(deployment.run("subscriptions", "list", "--json"))
    (row,) = [row for row in listed if row["subscription"] == made]
    assert (row["status"], row["error"]) == ("error", broken["error"])

    hook.code = 200
    asked = {k: v for k, v in broken.items() if k != "error"} | {"status": "requested"}
    parties[PSYK].send("PUT", f"/fhir/Subscription/{made}", asked)
    until(parties[PSYK], made, "active")
    publish(parties, f"{channel} 3")
    last = hook.wait("event-notification", 3)[-1]
    assert last.number == 3
    missed = parties[PSYK].send("GET", f"/fhir/Subscription/{made}/$events?eventsSinceNumber=2")
    assert len(missed.json()["entry"]) > 1
    asked["status"] = "off"
    parties[PSYK].send("PUT", f"/fhir/Subscription/{made}", asked)


def test_a_kill_between_freezing_and_answering_tells_twice_at_worst(
    deployment: Deployment, parties: dict[str, Client]
) -> None:
    with Hook() as hook:
        _told_twice_at_worst(deployment, parties, hook)


def _told_twice_at_worst(deployment: Deployment, parties: dict[str, Client], hook: Hook) -> None:
    made = subscribed(parties, hook)
    with hook.held():
        publish(parties, "1")
        hook.wait("event-notification")
        deployment.kill()
    deployment.start()
    publish(parties, "2")
    end = time.monotonic() + 60
    while {g.number for g in hook.of("event-notification")} != {1, 2}:
        assert time.monotonic() < end, [g.number for g in hook.got]
        time.sleep(0.05)

    told = hook.of("event-notification")
    first = [g for g in told if g.number == 1]
    assert len(first) == 2, "its answer was lost, so it came again"
    assert len({(g.body, g.headers["ki-delivery"]) for g in first}) == 1
    assert [g.number for g in told] == sorted(g.number or 0 for g in told), "in order"
    found = parties[PSYK].send("GET", f"/fhir/Subscription/{made}/$status").json()
    assert {"name": "events-since-subscription-start", "valueString": "2"} in (
        found["entry"][0]["resource"]["parameter"]
    )

"""A backup made while the hub runs, everything destroyed, and a hub that goes on from it."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pika
import pytest

from hub.demo import documents
from hub.demo.sectors import HttpChannel
from tests.faults.site import COMMAND
from tests.scenarios.deployment import Deployment
from tests.servers.hub import LEAD, REGION, Told, played
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer, Vhost

pytestmark = pytest.mark.timeout(280)
KARLA = documents.fresh(documents.KARLA, random.Random(7))


def until(look: Callable[[], Any]) -> Any:
    """Look again and again until there is something."""
    end = time.monotonic() + 90
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


def deliveries(deployment: Deployment, receiver: str) -> dict[str, str]:
    """Id to state."""
    rows = json.loads(deployment.run("deliveries", "--json"))
    return {r["delivery"]: r["state"] for r in rows if r["receiver"] == receiver}


def verify(deployment: Deployment, *more: str) -> int:
    asked = [COMMAND, "audit", "verify", *more]
    return subprocess.run(asked, env=deployment.environment(), check=False).returncode


def head(deployment: Deployment) -> str:
    """Of the chain when it has sealed everything that is there now."""

    def sealed() -> str:
        found = json.loads(deployment.run("audit", "verify", "--json"))
        return "" if found["unsealed"] else str(found["head"])

    return until(sealed)


def publish_again(deployment: Deployment, secrets: dict[str, str], title: str) -> None:
    """The lead's next version, acknowledged."""
    bundle = documents.shared_plan("plan-1.json", KARLA)
    bundle["entry"][0]["resource"]["title"] = title
    with closing(HttpChannel(deployment.base, secrets[LEAD])) as channel:
        Told(channel).publishes("fhir", json.dumps(bundle).encode())


def titles(deployment: Deployment, secrets: dict[str, str], plan: str) -> list[str]:
    """Of every version, the oldest first."""
    headers = {"Authorization": f"Bearer {secrets[LEAD]}"}
    history = httpx.get(f"{deployment.base}/fhir/CarePlan/{plan}/_history", headers=headers)
    assert history.status_code == 200
    return [e["resource"]["title"] for e in reversed(history.json()["entry"])]


def waiting(url: str, party: str) -> list[str]:
    """The delivery ids on a party's queue; they stay there."""
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        channel, found = connection.channel(), []
        while (got := channel.basic_get(f"party.{party}.deliveries"))[0] is not None:
            found.append(str(got[1].headers["ki-delivery"]))
        return found


@pytest.fixture
def production(tmp_path: Path, database_url: str, rabbitmq_vhost: Vhost) -> Iterator[Deployment]:
    settings = {
        "KI_HUB_DATABASE_URL": database_url,
        "KI_HUB_BUS_URL": rabbitmq_vhost.url(),
        "KI_HUB_BUS_ADMIN_URL": rabbitmq_vhost.admin_url,
        "KI_HUB_STATIC_CREDENTIALS": "true",
    }
    with Deployment(tmp_path, ("serve", "worker"), settings) as made:
        yield made


def test_a_restored_hub_has_what_was_acknowledged_and_sends_what_the_broker_lost(
    production: Deployment, tmp_path: Path, postgres_server: PostgresServer,
    rabbitmq_server: RabbitServer, rabbitmq_vhost: Vhost,
) -> None:  # fmt: skip
    secrets = production.prepare()
    production.start()
    plan = played(production.base, secrets, KARLA, ())
    on_queue = until(lambda: waiting(rabbitmq_vhost.url(), LEAD))
    known = deliveries(production, LEAD)
    before = head(production)

    dump, definitions = tmp_path / "hub.dump", _definitions(rabbitmq_vhost)
    postgres_server.dump(production.settings["KI_HUB_DATABASE_URL"], dump)
    publish_again(production, secrets, "Efter sikkerhedskopien")
    assert titles(production, secrets, plan)[-1] == "Efter sikkerhedskopien"
    after = head(production)
    production.kill()

    vhost = _broker_anew(rabbitmq_server, rabbitmq_vhost, definitions)
    with postgres_server.database() as url:
        postgres_server.restore(url, dump)
        production.settings |= {"KI_HUB_DATABASE_URL": url, "KI_HUB_BUS_URL": vhost.url()}
        done = json.loads(production.run("restored", "--json"))
        assert done["paused"] == 6
        assert done["looked_for"] >= 1
        production.start()

        assert titles(production, secrets, plan) == [_first_title()]
        assert verify(production, "--head", before) == 0
        assert verify(production, "--head", after) == 1
        until(lambda: "retry_at" in deliveries(production, LEAD).values())
        assert waiting(vhost.url(), LEAD) == waiting(vhost.url(), REGION) == []

        production.run("resume", LEAD, "--reason", "Afgørelser er registreret")
        assert until(lambda: waiting(vhost.url(), LEAD)) == on_queue
        assert set(on_queue) <= set(known)
        assert waiting(vhost.url(), REGION) == []
        publish_again(production, secrets, "Efter genskabelsen")
        assert titles(production, secrets, plan)[-1] == "Efter genskabelsen"
        production.kill()


def _first_title() -> str:
    return str(documents.shared_plan("plan-1.json", KARLA)["entry"][0]["resource"]["title"])


def _definitions(vhost: Vhost) -> dict[str, Any]:
    """As ``/api/definitions`` gives them, of this virtual host: the server is shared."""
    found = httpx.get(f"{vhost.admin_url}/api/definitions", timeout=30).json()
    kept = ("permissions", "queues", "exchanges", "bindings")
    return {"users": found["users"]} | {
        name: [x for x in found[name] if x["vhost"] == vhost.name] for name in kept
    }


def _broker_anew(server: RabbitServer, lost: Vhost, definitions: dict[str, Any]) -> Vhost:
    """An empty virtual host with the definitions; whatever lay on the old one is out of reach."""
    fresh = server.vhost()
    text = json.dumps(definitions).replace(lost.name, fresh.name)
    answer = httpx.post(
        f"{fresh.admin_url}/api/definitions", content=text, timeout=60,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 204, answer.text
    return fresh


def test_the_embedded_hub_goes_on_from_a_copy_of_its_file(tmp_path: Path) -> None:
    with Deployment(tmp_path, ("all",), {}) as deployment:
        secrets = deployment.prepare()
        deployment.start()
        plan = played(deployment.base, secrets, KARLA, ())
        file, copy = tmp_path / "data" / "ki-hub.db", tmp_path / "copy.db"
        with closing(sqlite3.connect(file)) as running:
            running.execute("VACUUM INTO ?", (str(copy),))
        publish_again(deployment, secrets, "Efter sikkerhedskopien")
        deployment.kill()
        for gone in file.parent.glob("ki-hub.db*"):
            gone.unlink()
        copy.rename(file)
        assert json.loads(deployment.run("restored", "--json"))["paused"] == 6
        deployment.start()
        assert titles(deployment, secrets, plan) == [_first_title()]
        assert verify(deployment) == 0
        states = [r["paused"] for r in json.loads(deployment.run("parties", "list", "--json"))]
        assert states == [True] * 6

"""A hub as a real process, in the middle of the plan scenario, for those who meet it over HTTP."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from hub.demo import documents
from hub.demo.documents import Citizen
from tests.scenarios.deployment import Deployment

LEAD, REGION, SOCIAL, GP = "rus-havneby", "psyk-nordstrand", "social-havneby", "laege-havnegade"
JSON, XML = "application/fhir+json", "application/xml"


@dataclass(frozen=True)
class LiveHub:
    """The running hub and what is in it."""

    deployment: Deployment
    secrets: dict[str, str]
    citizen: Citizen
    plan: str
    """Id of the plan, which has three versions and an approval of the first."""

    @property
    def base(self) -> str:
        """The FHIR base address."""
        return f"{self.deployment.base}/fhir"

    @property
    def pid(self) -> int:
        """The one process that serves and works."""
        (process,) = self.deployment.processes
        return process.pid

    def log(self) -> str:
        """Everything it ever wrote."""
        return self.deployment.log.read_text("utf-8")

    def client(self, who: str = LEAD) -> httpx.Client:
        """A client with the party's credential, for addresses below the server's root."""
        headers = {"Authorization": f"Bearer {self.secrets[who]}"}
        return httpx.Client(base_url=self.deployment.base, headers=headers, timeout=60)

    def decision(self, name: str, version: int | None = None) -> dict[str, Any]:
        """A consent of the citizen, or the approval of a plan version."""
        now = datetime.now(UTC)
        if version is None:
            return documents.consent(name, self.citizen, now)
        return documents.approval(name, self.citizen, self.plan, version, now)


@contextmanager
def live_hub(folder: Path, seed: int = 1) -> Iterator[LiveHub]:
    """Start it, play the scenario up to the third version of the plan, and end it afterwards."""
    deployment = Deployment(folder, ("all",), {})
    deployment.settings["KI_HUB_BASE_URL"] = f"{deployment.base}/fhir"
    citizen = documents.fresh(documents.KARLA, random.Random(seed))
    with deployment:
        secrets = deployment.prepare()
        deployment.start()
        empty = LiveHub(deployment, secrets, citizen, "")
        yield LiveHub(deployment, secrets, citizen, _play(empty))


def _play(hub: LiveHub) -> str:
    """The plan scenario as every sector's system does it; gives the plan's id."""
    bundle = documents.shared_plan("plan-1.json", hub.citizen)
    with hub.client(LEAD) as lead, hub.client(REGION) as region, hub.client(SOCIAL) as social:
        _sent(lead, "/fhir/Consent", hub.decision("consent-1.json"))
        order = documents.sample("vum", "order-full.json", hub.citizen)
        treatment = documents.sample("behandlingsplan", "typical.xml", hub.citizen)
        _sent(social, "/documents/vum", order)
        _sent(region, "/documents/behandlingsplan", treatment, XML)
        made = _sent(lead, "/documents/fhir", bundle)
        plan = made.headers["Location"].split("/")[3]
        approved = LiveHub(hub.deployment, hub.secrets, hub.citizen, plan)
        _sent(lead, "/fhir/Consent", approved.decision("approval-1.json", 1))
        for title in ("Planen efter mødet", "Planen efter det næste møde"):
            bundle["entry"][0]["resource"]["title"] = title
            _sent(lead, "/documents/fhir", bundle)
    return plan


def _sent(
    client: httpx.Client, url: str, body: bytes | dict[str, Any], media_type: str = JSON
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = client.post(url, content=content, headers={"Content-Type": media_type})
    assert answer.status_code in {200, 201, 202}, answer.text
    return answer

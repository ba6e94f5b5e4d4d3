"""A hub as a real process, in the middle of the plan scenario, for those who meet it over HTTP."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from hub.demo import documents
from hub.demo.documents import Citizen
from hub.demo.sectors import HttpChannel
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
        return decision(name, self.citizen, self.plan, version)


def decision(
    name: str, citizen: Citizen, plan: str = "", version: int | None = None
) -> dict[str, Any]:
    """A consent of the citizen, or the approval of a plan version, given now."""
    now = datetime.now(UTC)
    if version is None:
        return documents.consent(name, citizen, now)
    return documents.approval(name, citizen, plan, version, now)


@contextmanager
def live_hub(folder: Path, seed: int = 1) -> Iterator[LiveHub]:
    """Start it, play the scenario up to the third version of the plan, and end it afterwards."""
    deployment = Deployment(folder, ("all",), {})
    deployment.settings["KI_HUB_BASE_URL"] = f"{deployment.base}/fhir"
    citizen = documents.fresh(documents.KARLA, random.Random(seed))
    with deployment:
        secrets = deployment.prepare()
        deployment.start()
        yield LiveHub(deployment, secrets, citizen, played(deployment.base, secrets, citizen))


def played(
    base: str,
    secrets: dict[str, str],
    citizen: Citizen,
    titles: Sequence[str] = ("Planen efter mødet", "Planen efter det næste møde"),
) -> str:
    """The plan scenario as every sector's system does it, with a version for each title; gives
    the plan's id."""
    bundle = documents.shared_plan("plan-1.json", citizen)
    order = documents.sample("vum", "order-full.json", citizen)
    treatment = documents.sample("behandlingsplan", "typical.xml", citizen)
    lead, region, social = (Told(HttpChannel(base, secrets[who])) for who in (LEAD, REGION, SOCIAL))
    try:
        lead.decides(decision("consent-1.json", citizen))
        social.publishes("vum", order)
        region.publishes("behandlingsplan", treatment, XML)
        plan = lead.publishes("fhir", _json(bundle)).split("/")[3]
        lead.decides(decision("approval-1.json", citizen, plan, 1))
        for title in titles:
            bundle["entry"][0]["resource"]["title"] = title
            lead.publishes("fhir", _json(bundle))
    finally:
        for one in (lead, region, social):
            one.channel.close()
    return plan


@dataclass(frozen=True)
class Told:
    """A sector that waits for each answer, as its system does, whoever carries the message out."""

    channel: HttpChannel

    def publishes(self, format_: str, body: bytes, media_type: str = JSON) -> str:
        """Where the document went."""
        answer = self.channel.publish(format_, body, media_type, str(uuid.uuid4()))
        assert answer.status in {200, 202}, str(answer)
        return answer.location

    def decides(self, resource: dict[str, Any]) -> None:
        """The citizen's decision is registered."""
        answer = self.channel.post_fhir("Consent", _json(resource), str(uuid.uuid4()))
        assert answer.status == 201, str(answer)


def _json(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource, ensure_ascii=False).encode()

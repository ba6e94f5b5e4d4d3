"""A hub with the demo's parties, and what its users do with it over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from hub.api.app import create_app
from hub.fhir.decided import pointing_at
from hub.fhir.outcome import MOVE
from hub.model.party import SYSTEM, Viewer
from hub.model.records import InboxItem
from hub.runtime.bootstrap import build
from hub.runtime.parties import operator_entries, party_entries
from hub.runtime.parties_file import read_parties
from hub.runtime.settings import Settings
from hub.services.admin import apply_parties
from hub.services.hub import IDS_KEY, Hub
from hub.services.worker import work_once
from hub.store.migrate import migrate
from tests.views import EXAMPLES, ROOT

RUS, PSYK, SOCIAL = "rus-havneby", "psyk-nordstrand", "social-havneby"
KOORD_OWN, KOORD_OTHER, GP = "koord-havneby", "koord-nordstrand", "laege-havnegade"
PARTIES = (RUS, PSYK, SOCIAL, KOORD_OWN, KOORD_OTHER, GP)
OPERATOR = "drift"
CPR_1, CPR_2 = "0201609996", "1507729995"
START = datetime(2026, 9, 20, 10, 0, tzinfo=UTC)

SAMPLES = ROOT / "mappings"
CONSENT_1 = (EXAMPLES / "consent-1.json").read_bytes()
CONSENT_2 = (EXAMPLES / "consent-2.json").read_bytes()
APPROVAL_1 = (EXAMPLES / "approval-1.json").read_bytes()
PLAN_1 = (EXAMPLES / "plan-1.json").read_bytes()
PLAN_2 = (EXAMPLES / "plan-2.json").read_bytes()
TREATMENT = (SAMPLES / "behandlingsplan" / "samples" / "typical.xml").read_bytes()
ORDER = (SAMPLES / "vum" / "samples" / "order-full.json").read_bytes()

OPERATOR_VIEW = Viewer("operator", "Drift Demo")
SENDERS = {
    "fhir": RUS,
    "behandlingsplan": PSYK,
    "vum": SOCIAL,
    "medcom-carecommunication": GP,
}
GOOD = {"fhir": PLAN_1, "behandlingsplan": TREATMENT, "vum": ORDER}

Answer = dict[str, Any]
Found = TypeVar("Found")


def run(work: Coroutine[Any, Any, Found]) -> Found:
    """In a thread of its own: where a browser test ran before, this one has a running loop."""
    with ThreadPoolExecutor(1) as own:
        return own.submit(lambda: asyncio.run(work)).result()


@dataclass
class Clock:
    """The hub's clock, set by the test."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    """One hub and the credentials of everyone."""

    hub: Hub
    secrets: Mapping[str, str]
    clock: Clock
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.hub)

    # HTTP

    def request(
        self,
        method: str,
        url: str,
        who: str | None = None,
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """One request by a party or the operator; None sends no credential."""
        sent = dict(headers or {})
        if who is not None:
            sent["Authorization"] = f"Bearer {self.secrets[who]}"

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
                return await client.request(method, url, content=content, headers=sent, **more)

        return run(go())

    def get(self, url: str, who: str | None = None) -> httpx.Response:
        return self.request("GET", url, who)

    def post(
        self, url: str, who: str, body: bytes = b"", *, message_id: str | None = None
    ) -> httpx.Response:
        headers = {"Message-Id": message_id} if message_id is not None else {}
        return self.request("POST", url, who, content=body, headers=headers)

    def act(self, delivery: str, act: str, who: str, **said: str) -> httpx.Response:
        """Hand over, forward, or decide not to send."""
        body = {"person": "Signe Prøve, koordinator"} | said
        return self.request("POST", f"/deliveries/{delivery}/{act}", who, json=body)

    def receipt(self, delivery: str, who: str, outcome: str = "ok") -> httpx.Response:
        url = f"/mailbox/{delivery}/receipt"
        return self.request("POST", url, who, json={"outcome": outcome})

    # The scenario

    def consent(self, body: bytes = CONSENT_1) -> httpx.Response:
        return self.post("/fhir/Consent", RUS, body)

    def publish_plan(self, body: bytes = PLAN_1) -> str:
        """The lead publishes; gives the plan's id."""
        answer = self.post("/documents/fhir", RUS, body)
        assert answer.status_code == 200, answer.text
        return answer.headers["Location"].split("/")[3]

    def approve(self, plan: str, version: int = 1, decision: str = "yes") -> httpx.Response:
        return self.post("/fhir/Consent", RUS, approval(plan, version, decision))

    def work(self) -> None:
        """The worker, until there is nothing to do now."""
        while work_once(self.hub):
            continue

    # What there is to see

    def deliveries(self) -> list[dict[str, Any]]:
        """Of plans and answers; notices are no copies of a plan."""
        found: list[dict[str, Any]] = self.get("/operations/deliveries", OPERATOR).json()
        return [d for d in found if d["notice"] is None]

    def delivery(self, receiver: str, *, version: int | None = None) -> dict[str, Any]:
        (found,) = [
            d
            for d in self.deliveries()
            if d["receiver"] == receiver and version in {None, d["version"]}
        ]
        return found

    def states(self) -> dict[str, str]:
        return {d["receiver"]: d["state"] for d in self.deliveries()}

    def tasks(self, who: str) -> list[tuple[str, str | None]]:
        """Kind and delivery of every open task."""
        return [(t["kind"], t["delivery"]) for t in self.get("/tasks", who).json()]

    def letters(self, who: str) -> list[str]:
        """Deliveries in the mailbox."""
        return [m["delivery"] for m in self.get("/mailbox", who).json()]

    def copies(self, who: str) -> list[str]:
        """Those of them that are no notices."""
        plain = {d["delivery"] for d in self.deliveries()}
        return [letter for letter in self.letters(who) if letter in plain]

    def inbox(self, answer: httpx.Response, viewer: Viewer = SYSTEM) -> InboxItem:
        """The kept message behind an answer's Location."""
        with self.hub.store.reading() as work:
            found = work.inbox.get(answer.headers["Location"].rpartition("/")[2], viewer)
        assert found is not None
        return found

    def kept(self) -> list[InboxItem]:
        """Every kept message."""
        states = ("received", "applied", "unattached", "refused", "sealed", "set-aside")
        with self.hub.store.reading() as work:
            return work.inbox.listing(SYSTEM, states)  # type: ignore[arg-type]


def founded(folder: Path, *, own_ids: bool = False, **settings: Any) -> World:
    """A new hub in the folder, with the demo's parties."""
    hub, clock = _hub(folder, settings)
    migrate(hub.store.database)
    if not own_ids:
        same_ids(hub)
    file = ROOT / "hub" / "demo" / "parties.yaml"
    read = read_parties(file)
    applied = apply_parties(
        hub,
        party_entries(read, file.parent),
        operator_entries(read, file.parent),
        read.citizen_format,
        by="test",
    )
    return World(hub, applied.secrets, clock)


def same_ids(hub: Hub) -> None:
    """What is the same in two runs has the same ids in both: what fails can be seen to fail again.

    Before the hub's first document.
    """
    with hub.store.writing() as work:
        work.journal.set_meta(IDS_KEY, "the same in every run")
        work.commit()


def opened(folder: Path, secrets: Mapping[str, str], **settings: Any) -> World:
    """A hub on the database that is in the folder."""
    hub, clock = _hub(folder, settings)
    return World(hub, secrets, clock)


def _hub(folder: Path, settings: Mapping[str, Any]) -> tuple[Hub, Clock]:
    clock = Clock()
    plain: dict[str, Any] = {"bus_url": "", "database_url": ""}
    built = build(Settings(data=folder, **(plain | dict(settings))))
    # Retries wait exactly as long as the policy says.
    return replace(built, clock=clock, random=lambda: 0.5), clock


def approval(plan: str, version: int = 1, decision: str = "yes", cpr: str = CPR_1) -> bytes:
    """The published approval, about that plan version."""
    resource = json.loads(APPROVAL_1)
    resource["extension"][0]["valueCode"] = decision
    resource["provision"] = pointing_at(f"CarePlan/{plan}/_history/{version}")
    for holder in (resource["patient"], resource["performer"][0]):
        holder["identifier"]["value"] = cpr
    return json.dumps(resource).encode()


def outcome_of(answer: httpx.Response) -> Answer:
    """The OperationOutcome; anything else is a failure."""
    assert answer.headers["content-type"].startswith("application/fhir+json")
    found: Answer = answer.json()
    assert found["resourceType"] == "OperationOutcome"
    return found


def problem(answer: httpx.Response, status: int, move: str = "sender") -> list[Answer]:
    """The issues of a refusal that says what is wrong and whose move it is."""
    assert answer.status_code == status, answer.text
    found = outcome_of(answer)
    moves = [e["valueCode"] for e in found.get("extension", ()) if e["url"] == MOVE]
    assert not moves or moves == [move]
    issues: list[Answer] = found["issue"]
    assert all(len(i["details"]["text"]) > 10 for i in issues)
    assert all(i["severity"] in {"error", "fatal", "warning", "information"} for i in issues)
    assert any(i["severity"] in {"error", "fatal"} for i in issues)
    return issues


def changed_plan(**changes: Any) -> bytes:
    """The lead's plan with other top-level elements of its CarePlan."""
    bundle = json.loads(PLAN_1)
    bundle["entry"][0]["resource"] |= changes
    return json.dumps(bundle).encode()


def send(world: World, format: str, body: bytes) -> httpx.Response:
    media_type = world.hub.adapters.adapter(format).media_types[0]
    headers = {"Content-Type": media_type}
    url = f"/documents/{format}"
    return world.request("POST", url, SENDERS[format], content=body, headers=headers)


def is_kept_for_the_operator(world: World, answer: httpx.Response, body: bytes) -> None:
    """Refused, with its raw bytes; its sender finds the same answer again."""
    item = world.inbox(answer, OPERATOR_VIEW)
    assert (item.state, item.body) == ("refused", body)
    assert world.get(answer.headers["Location"], item.sender).content == answer.content


def has_a_place(issues: list[Answer]) -> bool:
    """Where it is: an element, a path, or a line or byte in the text."""
    return all(
        i.get("expression")
        or i.get("location")
        or any(word in i["details"]["text"] for word in ("line", "byte"))
        for i in issues
        if i["severity"] == "error"
    )


def coded(format: str) -> bytes:
    """The good document with one code that no table knows."""
    if format == "behandlingsplan":
        return TREATMENT.replace(b"samtaleforloeb", b"brevveksling")
    if format == "fhir":
        return PLAN_1.replace(b'"substance-use"', b'"gardening"')
    return ORDER.replace(b"e459386d-1474-4c31-89c5-c8bc7a25e3d4", b"ukendt-kode-1")

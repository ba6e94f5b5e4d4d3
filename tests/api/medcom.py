"""The GP's system in these tests: what it fetches, and the MedCom messages it sends."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx

from adapters.medcom import acknowledge
from adapters.medcom.message import Message, members, text
from adapters.medcom.narrative import with_narrative
from adapters.medcom.profiles import acknowledgement, care_communication
from hub.fhir.codec import dump_json
from tests.api.world import GP, OPERATOR, World, changed_plan
from tests.unit.medcom.messages import SmallPrinter, reply_to

Json = dict[str, Any]
FORMAT = "medcom-carecommunication"
URL = f"/documents/{FORMAT}"


@dataclass
class Practice:
    """One receiver that is reached by MedCom, and the hub's plan."""

    world: World
    plan: str
    party: str = GP

    def __post_init__(self) -> None:
        self.world.hub = replace(self.world.hub, printer=SmallPrinter([]))

    # The hub's side

    def first(self) -> Json:
        """The citizen approves; the receiver gets its first copy."""
        assert self.world.approve(self.plan).status_code == 201
        self.world.work()
        return self.newest()

    def next(self, title: str, *, approved: bool = True) -> Json:
        """The lead writes a new version, which the citizen approves."""
        self.write(title)
        if approved:
            self.approve()
        self.world.work()
        return self.newest()

    def write(self, title: str) -> None:
        body = changed_plan(title=title)
        answer = self.world.post("/documents/fhir", "rus-havneby", body)
        assert answer.status_code == 200, answer.text

    def approve(self) -> None:
        self.world.clock.advance(minutes=1)
        head = self.world.get(f"/operations/plans/{self.plan}", OPERATOR).json()["head"]
        assert self.world.approve(self.plan, head).status_code == 201

    # The receiver's side

    def messages(self) -> list[Json]:
        """Everything in the mailbox, oldest first; each keeps the coded national rules."""
        found = []
        for delivery in self.world.letters(self.party):
            body = json.loads(self.world.get(f"/mailbox/{delivery}", self.party).content)
            check = acknowledgement if is_answer(body) else care_communication
            assert list(check(body)) == []
            found.append(body)
        return found

    def copies(self) -> list[Json]:
        return [m for m in self.messages() if not is_answer(m)]

    def answers(self) -> list[Json]:
        return [m for m in self.messages() if is_answer(m)]

    def newest(self) -> Json:
        return self.copies()[-1]

    def send(self, bundle: Json) -> httpx.Response:
        headers = {"Content-Type": "application/fhir+json"}
        content = dump_json(bundle)
        return self.world.request("POST", URL, self.party, content=content, headers=headers)

    def acknowledge(self, bundle: Json, code: str = "ok", **kw: Any) -> httpx.Response:
        """The receiver's Acknowledgement of a message."""
        made = acknowledge(bundle, code=code, now=self.world.clock(), id_for=fresh, **kw)
        return self.send(made)

    def reply(self, bundle: Json, spoken: str = "Tak for planen.") -> Json:
        return renamed(reply_to(bundle, spoken))


def fresh(key: str) -> str:
    return str(uuid4())


def is_answer(bundle: Json) -> bool:
    return Message(bundle).event[1] == "acknowledgement-message"


def header(bundle: Json) -> Json:
    found: Json = bundle["entry"][0]["resource"]
    return found


def message_id(bundle: Json) -> str:
    return str(header(bundle)["id"])


def thread_of(bundle: Json) -> str:
    found = members(Message(bundle).communication.get("identifier"))
    return text(found[0], "value")


def activity(bundle: Json) -> str:
    return Message(bundle).activity


def spoken(bundle: Json) -> str:
    payloads = Message(bundle).communication["payload"]
    return "\n".join(p.get("contentString", "") for p in payloads)


def response(bundle: Json) -> tuple[str, str]:
    """What an Acknowledgement says: of which message, and what."""
    found = header(bundle)["response"]
    return found["identifier"], found["code"]


def renamed(bundle: Json, *, envelope: bool = True, message: bool = True) -> Json:
    """The message with a new Bundle.id and, if so wished, a new MessageHeader.id."""
    made = copy.deepcopy(bundle)
    if message:
        body = dump_json(made).replace(message_id(made).encode(), fresh("").encode())
        made = json.loads(body)
    if envelope:
        made["id"] = fresh("")
    for entry in made["entry"]:
        entry["resource"] = with_narrative(entry["resource"])
    return made

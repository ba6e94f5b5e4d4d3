"""The sectors at work: seeded random changes of many citizens' plans, all recorded."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from tests.faults import cases
from tests.faults.asking import Broker, Http, Told
from tests.faults.cases import COORDINATOR, EVERYONE, GP, OTHER, PSYK, RUS, SOCIAL, Case
from tests.faults.recorder import Recorder
from tests.faults.site import Site

JSON, XML = "application/fhir+json", "application/xml"
Publish = Callable[[str, bytes, str, str], Told | None]
_SOME = (
    frozenset({RUS, PSYK, SOCIAL, COORDINATOR, OTHER}),
    frozenset({RUS, SOCIAL, COORDINATOR, OTHER, GP}),
    frozenset({RUS, PSYK, COORDINATOR}),
)
"""What else a citizen says yes to; the lead and its coordinator are always among them."""


@dataclass(frozen=True)
class Sent:
    """A document and its answer."""

    case: str
    party: str
    format: str
    body: bytes
    media_type: str
    message: str
    told: Told


def _status(told: Told | None) -> str:
    if told is None:
        return "unknown"
    if told.status == 412:
        return "stale"
    return "ok" if told.status < 300 else "refused"


@dataclass
class Desk:
    """What the sectors' people have in common: who they know, and where they write it down."""

    site: Site
    recorder: Recorder
    stop: Event
    known: list[Case] = field(default_factory=list)
    answered: list[Sent] = field(default_factory=list)
    """Documents that made a version, the last few."""
    taken: set[str] = field(default_factory=set)
    broken: list[Exception] = field(default_factory=list)
    """Why somebody's thread ended before its time."""
    connections: list[Http] = field(default_factory=list)
    pace: float = 0.6
    """Seconds between one person's acts, on average."""

    def http(self, party: str) -> Http:
        made = Http(self.site.base, self.site.secrets[party])
        self.connections.append(made)
        return made

    def close(self) -> None:
        """Everybody hangs up."""
        for connection in self.connections:
            connection.close()

    def broker(self, party: str) -> Broker:
        return Broker(self.site.amqp(party), party)

    def write(
        self, case: Case, party: str, publish: Publish, format_: str, body: bytes, said: str,
        media_type: str, *, message: str = "", seen: dict[str, str] | None = None,
    ) -> Told | None:  # fmt: skip
        """One document, recorded."""
        message = message or str(uuid.uuid4())
        number = self.recorder.begin(
            kind="write", by=party, case=case.name, plan=case.plan, part=cases.PARTS[party],
            token=said, message=message, seen=seen or {},
        )  # fmt: skip
        told = publish(format_, body, media_type, message)
        named = {"plan": told.plan} if told is not None and told.plan else {}
        version = told.version if told is not None else 0
        self.recorder.end(number, status=_status(told), version=version, why=_why(told), **named)
        if told is not None and told.version:
            sent = Sent(case.name, party, format_, body, media_type, message, told)
            self.answered = [*self.answered[-50:], sent]
        return told

    def decide(self, case: Case, lead: Http, permits: frozenset[str]) -> bool:
        """A consent, or its withdrawal; the caller holds ``case.deciding``."""
        message = str(uuid.uuid4())
        number = self.recorder.begin(
            kind="decide", by=RUS, case=case.name, plan=case.plan, permits=permits, message=message
        )
        told = lead.write("POST", "Consent", cases.consent(case, permits), message)
        self.recorder.end(number, status=_status(told), why=_why(told))
        if told is not None and told.status < 300:
            case.permits = permits
        return told is not None and told.status < 300

    def open_case(self, chance: random.Random, lead: Http, *others: tuple[str, Publish]) -> Case:
        """Consent, the sectors' own plans, then the shared plan that they are attached to."""
        case = cases.fresh(f"case-{len(self.taken) + 1}", chance, self.taken)
        with case.deciding:
            assert self.decide(case, lead, EVERYONE), "the consent of a new citizen"
        for party, publish in others:
            said = cases.token(cases.PARTS[party], chance)
            told = self.publish_own(case, party, publish, said)
            assert _status(told) == "ok", f"{party}: {_why(told)}"
            case.tokens[cases.PARTS[party]] = said
        said = cases.token("shared", chance)
        body = cases.plan_bundle(case, said)
        told = self.write(
            case, RUS, lead.document, "fhir", body, said, JSON, seen=dict(case.tokens)
        )
        assert told is not None, "the shared plan: no answer"
        assert told.plan, f"the shared plan: {_why(told)}"
        case.plan = told.plan
        return case

    def publish_own(self, case: Case, party: str, publish: Publish, said: str) -> Told | None:
        if party == PSYK:
            body = cases.treatment(case, said)
            return self.write(case, party, publish, "behandlingsplan", body, said, XML)
        return self.write(case, party, publish, "vum", cases.order(case, said), said, JSON)

    def retitle(self, case: Case, lead: Http, chance: random.Random) -> Told | None:
        """Somebody of the lead's unit rewrites the title, on the version that was just read."""
        found = lead.ask("GET", f"/fhir/CarePlan/{case.plan}")
        if found is None or found.status != 200:
            return None
        plan = json.loads(found.body)
        base, said = int(plan["meta"]["versionId"]), cases.token("shared", chance)
        message = str(uuid.uuid4())
        number = self.recorder.begin(
            kind="swap", by=RUS, case=case.name, plan=case.plan, part="shared", token=said,
            base=base, message=message,
        )  # fmt: skip
        title = f"Koordinerende indsatsplan {said}"
        path = f"CarePlan/{case.plan}"
        told = lead.write("PUT", path, plan | {"title": title}, message, base)
        self.recorder.end(
            number, status=_status(told), version=told.version if told else 0, why=_why(told)
        )
        return told

    def probe(self, case: Case, lead: Http, chance: random.Random) -> str:
        """The token of a change that is acknowledged now; empty if it was not."""
        told = self.retitle(case, lead, chance)
        if told is None or told.status != 200:
            return ""
        return cases.tokens_in(json.loads(told.body)["title"])["shared"]

    def read(self, case: Case, lead: Http) -> None:
        """The whole plan, as the lead may see it."""
        number = self.recorder.begin(kind="read", by=RUS, case=case.name, plan=case.plan)
        told = lead.ask("GET", f"/fhir/CarePlan/{case.plan}/$everything?_count=200")
        if told is None or told.status != 200:
            self.recorder.end(number, status=_status(told) if told is None else "refused")
            return
        entries = [e["resource"] for e in json.loads(told.body)["entry"]]
        version = next(int(r["meta"]["versionId"]) for r in entries if r.get("id") == case.plan)
        seen = cases.tokens_in(told.body.decode())
        self.recorder.end(number, status="ok", version=version, seen=seen)

    def approve(self, case: Case, lead: Http) -> None:
        """The citizen approves what the plan says now; the caller holds ``case.deciding``."""
        found = lead.ask("GET", f"/fhir/CarePlan/{case.plan}")
        if found is None or found.status != 200:
            return
        base, message = int(json.loads(found.body)["meta"]["versionId"]), str(uuid.uuid4())
        number = self.recorder.begin(
            kind="approve", by=RUS, case=case.name, plan=case.plan, base=base, message=message
        )
        told = lead.write("POST", "Consent", cases.approval(case, base), message)
        self.recorder.end(number, status=_status(told), why=_why(told))

    # Who does it

    def lead(self, seed: int) -> None:
        """One person of the lead's unit, who also registers what citizens decide."""
        chance, http = random.Random(seed), self.http(RUS)
        while not self._pause(chance):
            case, dice = chance.choice(self.known), chance.random()
            if dice < 0.5:
                self.retitle(case, http, chance)
            elif dice < 0.72:
                self.read(case, http)
            elif case.deciding.acquire(blocking=False):
                try:
                    self._decisions(case, http, chance, dice)
                finally:
                    case.deciding.release()
        http.close()

    def _decisions(self, case: Case, http: Http, chance: random.Random, dice: float) -> None:
        if not case.permits:
            self.decide(case, http, chance.choice((EVERYONE, *_SOME)))
        elif dice < 0.84:
            self.approve(case, http)
        elif dice < 0.92:
            self.decide(case, http, frozenset())
        else:
            self.decide(case, http, chance.choice((EVERYONE, *_SOME)))

    def sector(self, party: str, seed: int) -> None:
        """A sector's system publishes its own plan anew, on the broker."""
        chance, broker = random.Random(seed), self.broker(party)
        while not self._pause(chance):
            case = chance.choice(self.known)
            with case.writing[cases.PARTS[party]]:
                said = cases.token(cases.PARTS[party], chance)
                self.publish_own(case, party, broker.document, said)
        broker.drop()

    def newcomers(self, seed: int, most: int) -> None:
        """New citizens come all the time."""
        chance, lead = random.Random(seed), self.http(RUS)
        psyk, social = self.http(PSYK), self.http(SOCIAL)
        while not self.stop.wait(chance.uniform(6, 18) * self.pace) and len(self.known) < most:
            others = ((PSYK, psyk.document), (SOCIAL, social.document))
            self.known.append(self.open_case(chance, lead, *others))

    def persons(self) -> None:
        """Whoever has a task to forward does it; the citizen's copies wait for the end."""
        http = self.http(COORDINATOR)
        while not self.stop.wait(1.0):
            found = http.once("GET", "/tasks")
            for task in found.json() if found is not None and found.is_success else ():
                if task["kind"] == "forward":
                    path = f"/deliveries/{task['delivery']}/forward"
                    http.once("POST", path, json={"person": "Koordinatoren"})
        http.close()

    def _pause(self, chance: random.Random) -> bool:
        return self.stop.wait(chance.expovariate(1 / self.pace))


def _why(told: Told | None) -> str:
    """What the hub says is wrong, which holds no value of a document."""
    if told is None or told.status < 300:
        return ""
    try:
        outcome: dict[str, Any] = json.loads(told.body)
    except ValueError:
        return str(told.status)
    texts = [i.get("details", {}).get("text", "") for i in outcome.get("issue", ())]
    return f"{told.status} {' '.join(texts)}"


def threads(desk: Desk, seed: int, most: int) -> list[Thread]:
    """Everyone, not started."""
    work: list[tuple[str, Callable[[], None]]] = [
        ("lead-1", lambda: desk.lead(seed * 10 + 1)),
        ("lead-2", lambda: desk.lead(seed * 10 + 2)),
        ("psyk", lambda: desk.sector(PSYK, seed * 10 + 3)),
        ("social", lambda: desk.sector(SOCIAL, seed * 10 + 4)),
        ("newcomers", lambda: desk.newcomers(seed * 10 + 5, most)),
        ("persons", desk.persons),
    ]
    return [Thread(target=_told, args=(desk, act), name=name, daemon=True) for name, act in work]


def _told(desk: Desk, act: Callable[[], None]) -> None:
    """Nobody ends unseen: a sector that does nothing finds nothing."""
    try:
        act()
    except Exception as error:
        desk.broken.append(error)
        raise

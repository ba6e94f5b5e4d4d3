"""The main job, step by step, through the published interfaces; every step checks itself.

Two citizens. Karla's plan goes the whole way; Bo's stops at the GP because a person decides so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.demo import documents
from hub.demo.documents import UNAPPROVED, Citizen
from hub.demo.gp import acknowledgement, plan_text
from hub.demo.operator import Browser
from hub.demo.sectors import Answer, HttpChannel, Received, Sector, until

XML = "application/xml"
JSON = "application/fhir+json"
GP = "laege-havnegade"
READERS = ("psyk-nordstrand", "social-havneby", "rus-havneby", "koord-havneby", "koord-nordstrand")


class StepFailed(Exception):
    """A step did not happen as it should."""


@dataclass
class World:
    """Everyone in the scenario, and what is known of it so far."""

    sectors: dict[str, Sector]
    operator: HttpChannel
    console: Browser
    now: Callable[[], datetime]
    plans: list[str] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)

    def close(self) -> None:
        """Everyone goes home."""
        self.operator.close()
        self.console.close()
        for sector in self.sectors.values():
            sector.close()

    def deliveries(self, plan: str) -> list[dict[str, Any]]:
        """As the operator sees them."""
        found: list[dict[str, Any]] = self.operator.call(
            "GET", "/operations/deliveries", params={"plan": plan}
        ).json()
        return found

    def to(self, plan: str, receiver: str) -> list[dict[str, Any]]:
        """Deliveries of one receiver, oldest version first."""
        mine = [d for d in self.deliveries(plan) if d["receiver"] == receiver]
        return sorted(mine, key=lambda d: d["version"])

    def plan(self, plan: str) -> dict[str, Any]:
        """Versions, parts, hops."""
        found: dict[str, Any] = self.operator.call("GET", f"/operations/plans/{plan}").json()
        return found


Step = tuple[str, Callable[[], None]]


def check(condition: object, what: str) -> None:
    """The step stands or falls with this."""
    if not condition:
        raise StepFailed(what)


def steps(world: World, karla: Citizen, bo: Citizen) -> Iterator[Step]:
    """Every step in order, with what to call it."""
    first, second = Karla(world, karla), Bo(world, bo)
    yield "The citizen's consent is registered", first.consent
    yield "The region publishes its behandlingsplan, before there is a plan", first.region
    yield "The municipality publishes its VUM order", first.municipality
    yield "The lead publishes the shared plan; the sector plans join it", first.shared_plan
    yield "The citizen's copy is made first, and a person hands it over", first.hand_over
    yield "The lead's coordinator gets the plan and forwards it", first.forward
    yield "The region publishes an update; everyone gets their own document again", first.update
    yield "The GP's copy is blocked until the citizen approves", first.blocked
    yield "The approval releases it once; the GP's system acknowledges it", first.approved
    yield "A sector update keeps the approval and carries no unapproved content", first.later
    yield "The same bytes again change nothing and get the same answer", first.again
    yield "A second citizen: a plan made during an admission", second.make
    yield "An oral approval with a condition; time releases nothing", second.condition
    yield "A person records that the GP's copy is not sent, and that is final", second.not_sent
    yield "A receiver refuses a copy; the operator sees why, and everything else", second.seen


def receive_all(world: World, plan: str, version: int, parties: tuple[str, ...]) -> None:
    """Every party collects and receipts until it has been delivered the version (or a newer)."""
    for party in parties:
        sector = world.sectors[party]

        def done(sector: Sector = sector) -> bool | None:
            for message in sector.collect():
                sector.confirm(message)
            states = {d["version"]: d["state"] for d in world.to(plan, sector.id)}
            waiting = {"due", "sending", "sent", "retry_at"} & set(states.values())
            arrived = any(v >= version and s == "delivered" for v, s in states.items())
            return True if arrived and not waiting else None

        until(f"{party} has version {version}", done)


def newest(sector: Sector, format_: str) -> Received:
    """The last document of that format the sector received."""
    return next(r for r in reversed(sector.received) if r.format == format_)


class _Story:
    """What both citizens' stories share."""

    def __init__(self, world: World, citizen: Citizen) -> None:
        self.world = world
        self.citizen = citizen
        self.plan = ""

    def sector(self, name: str) -> Sector:
        """One of the sectors."""
        return self.world.sectors[name]

    def publish(self, party: str, format_: str, body: bytes, media_type: str) -> Answer:
        """Send under an id of its own, as every real system does."""
        return self.sector(party).publish(format_, body, media_type)

    def take_plan(self, answer: Answer) -> None:
        """Note the plan the answer names."""
        check(answer.status == 200, f"the shared plan was answered {answer}")
        self.plan = answer.location.split("/")[3]
        self.world.plans.append(self.plan)


class Karla(_Story):
    """Lead in the municipal substance treatment centre; approves her plan in writing."""

    def consent(self) -> None:
        """Step 2: who, which units, written, when, period."""
        made = documents.consent("consent-1.json", self.citizen, self.world.now())
        answer = self.sector("rus-havneby").decide(made)
        check(answer.status == 201, f"the consent was answered {answer}")

    def region(self) -> None:
        """Step 3: kept, shown to nobody."""
        self.first_plan = documents.sample("behandlingsplan", "typical.xml", self.citizen)
        self.first_id = f"{self.citizen.run}-1"
        self.first_answer = self.sector("psyk-nordstrand").publish(
            "behandlingsplan", self.first_plan, XML, self.first_id
        )
        check(self.first_answer.status == 202, "a document without a plan is kept, unattached")

    def municipality(self) -> None:
        """Step 4: a message Bundle of full size."""
        self.order = documents.sample("vum", "order-full.json", self.citizen)
        answer = self.publish("social-havneby", "vum", self.order, JSON)
        check(answer.status == 202, f"the order was answered {answer}")

    def shared_plan(self) -> None:
        """Step 5: the sector plans are attached."""
        self.bundle = documents.shared_plan("plan-1.json", self.citizen)
        body = json.dumps(self.bundle, ensure_ascii=False).encode()
        self.take_plan(self.publish("rus-havneby", "fhir", body, JSON))
        parts = {(p["kind"], p["owner"]) for p in self.world.plan(self.plan)["parts"]}
        check(
            parts
            == {
                ("shared", "rus-havneby"),
                ("behandlingsplan", "psyk-nordstrand"),
                ("vum", "social-havneby"),
            },
            "the sector plans are attached to the shared plan",
        )
        lead = self.sector("rus-havneby").http
        kept = lead.call("GET", f"/fhir/CarePlan/{self.plan}/$everything").json()
        sent, read = documents.agreed(self.bundle), documents.agreed(kept)
        for what, said in sent.items():
            check(said and read[what] == said, f"{what}: as the meeting had it, in order")

    def hand_over(self) -> None:
        """Step 6a: nobody has a copy before the citizen's own is made."""
        lead = self.sector("rus-havneby")
        task = until("the hand-over task", lambda: _first(lead.tasks("hand-over", self.plan)))
        result = lead.act(task["delivery"], "hand-over", person="Tovholderen")
        check(result["status"] == 200, "the hand-over is recorded")
        receive_all(self.world, self.plan, 1, ("psyk-nordstrand", "social-havneby", "rus-havneby"))
        rows = self.world.deliveries(self.plan)
        made = {d["receiver"]: at for d in rows if (at := _when(d, "sending")) is not None}
        check(made["citizen"] == min(made.values()), "the citizen's copy is made first")

    def forward(self) -> None:
        """Step 6b: two recorded hops."""
        own = self.sector("koord-havneby")
        blocked = self.world.to(self.plan, "koord-nordstrand")
        check(blocked and blocked[0]["state"] == "blocked", "the other coordinator waits")
        receive_all(self.world, self.plan, 1, ("koord-havneby",))
        task = until("the task to forward", lambda: _first(own.tasks("forward", self.plan)))
        result = own.act(task["delivery"], "forward", person="Koordinatoren i Havneby")
        check(result["status"] == 200, "forwarding is recorded")
        receive_all(self.world, self.plan, 1, ("koord-nordstrand",))
        hops = [(h["from"], h["to"]) for h in self.world.plan(self.plan)["hops"]]
        check(
            hops == [("rus-havneby", "koord-havneby"), ("koord-havneby", "koord-nordstrand")],
            "two hops are recorded",
        )

    def update(self) -> None:
        """Step 7: each owner's own document is re-issued with the others' efforts."""
        update = documents.sample("behandlingsplan", "typical-update.xml", self.citizen)
        self.update_document = update
        answer = self.publish("psyk-nordstrand", "behandlingsplan", update, XML)
        check(answer.status == 200, f"the update was answered {answer}")
        receive_all(self.world, self.plan, 2, READERS)
        order = newest(self.sector("social-havneby"), "vum").body
        own = {str(r) for r in documents.of_other_authorities(self.order)}
        added = [r for r in documents.of_other_authorities(order) if str(r) not in own]
        check("Til orientering" in str(added), "the others' efforts are added, til orientering")
        check("Psykiatrisk Center Nordstrand" in str(added), "the region's are among them")
        plan = newest(self.sector("psyk-nordstrand"), "behandlingsplan").body.decode()
        check("Havneby Kommune" in plan, "the municipality's part is in the region's plan")
        losses = self.losses()
        check(any(loss["delivery"] for loss in losses), "what was lost is named")

    def blocked(self) -> None:
        """Step 8a: with a reason and a task; nothing has reached the GP."""
        copies = self.world.to(self.plan, GP)
        check(copies and all(c["state"] in {"blocked", "superseded"} for c in copies), "blocked")
        check("approv" in copies[-1]["reason"], "the reason names the approval")
        check(self.sector("rus-havneby").tasks("approve", self.plan), "a person is asked")
        check(not self.sector(GP).collect(), "the GP has received nothing")

    def approved(self) -> None:
        """Step 8b: once, as a MedCom CareCommunication with a PDF."""
        made = documents.approval("approval-1.json", self.citizen, self.plan, 1, self.world.now())
        answer = self.sector("rus-havneby").decide(made)
        check(answer.status == 201, f"the approval was answered {answer}")
        self.acknowledge(1)

    def acknowledge(self, number: int) -> Received:
        """The GP's system fetches the copy, files it and acknowledges it."""
        gp = self.sector(GP)
        before = len(gp.received)
        until("the GP's copy", lambda: gp.collect() or None)
        check(len(gp.received) == before + 1, "exactly one copy reached the GP")
        message = gp.received[-1]
        ack = acknowledgement(message.body, self.world.now())
        answer = gp.publish("medcom-carecommunication", ack, JSON)
        check(answer.status == 200, f"the acknowledgement was answered {answer}")
        delivered = [c for c in self.world.to(self.plan, GP) if c["state"] == "delivered"]
        check(len(delivered) == number, "the acknowledgement settles it")
        check(not gp.collect(), "nothing comes twice")
        return message

    def later(self) -> None:
        """Step 9: first an update that keeps the approval, then unapproved shared content."""
        again = documents.next_version(self.update_document, 3)
        answer = self.publish("psyk-nordstrand", "behandlingsplan", again, XML)
        check(answer.status == 200, "the sector's update is accepted")
        copy = self.acknowledge(2)
        versions = [c["version"] for c in self.world.to(self.plan, GP)]
        check(versions[-1] == 3 and UNAPPROVED not in plan_text(copy.body), "the update reaches it")
        changed = json.dumps(documents.changed_plan(self.bundle), ensure_ascii=False).encode()
        answer = self.publish("rus-havneby", "fhir", changed, JSON)
        check(answer.location.endswith("/4"), "the lead's change is the next version")
        third = documents.next_version(self.update_document, 4)
        self.publish("psyk-nordstrand", "behandlingsplan", third, XML)
        receive_all(self.world, self.plan, 5, READERS)
        gp = self.sector(GP)
        check(not gp.collect(), "unapproved shared content does not reach the GP")
        check(all(UNAPPROVED not in plan_text(r.body) for r in gp.received), "nor did it before")
        check(self.world.to(self.plan, GP)[-1]["state"] == "blocked", "it waits for approval")
        lead = self.sector("rus-havneby")
        task = until("the new copy's task", lambda: _first(lead.tasks("hand-over", self.plan)))
        lead.act(task["delivery"], "hand-over", person="Tovholderen")

    def again(self) -> None:
        """Step 10."""
        head = self.world.plan(self.plan)["head"]
        count = len(self.world.deliveries(self.plan))
        answer = self.sector("psyk-nordstrand").publish(
            "behandlingsplan", self.first_plan, XML, self.first_id
        )
        same = (answer.status, answer.outcome) == (
            self.first_answer.status, self.first_answer.outcome,
        )  # fmt: skip
        check(same, "the same answer")
        check(self.world.plan(self.plan)["head"] == head, "no new version")
        check(len(self.world.deliveries(self.plan)) == count, "no new delivery")
        self.world.duplicates.append(
            {"sender": "psyk-nordstrand", "message": self.first_id, "same_answer": True}
        )

    def losses(self) -> list[dict[str, Any]]:
        """Of this plan."""
        found: list[dict[str, Any]] = self.world.operator.call(
            "GET", "/operations/losses", params={"plan": self.plan}
        ).json()
        return found


class Bo(_Story):
    """Lead in the region; approves orally, wants to read first, and goes home."""

    def make(self) -> None:
        """The same way as Karla's, from the other side."""
        consent = documents.consent("consent-2.json", self.citizen, self.world.now())
        answer = self.sector("psyk-nordstrand").decide(consent)
        check(answer.status == 201, f"the consent was answered {answer}")
        self.region = documents.sample("behandlingsplan", "typical-2.xml", self.citizen)
        answer = self.publish("psyk-nordstrand", "behandlingsplan", self.region, XML)
        check(answer.status == 202, f"the behandlingsplan was answered {answer}")
        order = documents.sample("vum", "order-2.json", self.citizen)
        answer = self.publish("social-havneby", "vum", order, JSON)
        check(answer.status == 202, f"the order was answered {answer}")
        bundle = documents.shared_plan("plan-2.json", self.citizen)
        body = json.dumps(bundle, ensure_ascii=False).encode()
        self.take_plan(self.publish("psyk-nordstrand", "fhir", body, JSON))
        receive_all(self.world, self.plan, 1, ("psyk-nordstrand", "rus-havneby"))

    def condition(self) -> None:
        """The GP's copy waits for what Bo wants first, and nothing but a person ends that."""
        made = documents.approval("approval-2.json", self.citizen, self.plan, 1, self.world.now())
        answer = self.sector("psyk-nordstrand").decide(made)
        check(answer.status == 201, f"the approval was answered {answer}")
        copy = self.world.to(self.plan, GP)[-1]
        check(copy["state"] == "blocked" and "condition" in copy["reason"], "held back")
        receive_all(self.world, self.plan, 1, ("koord-nordstrand",))
        check(not self.sector(GP).collect(), "nothing reaches the GP")

    def not_sent(self) -> None:
        """Final: neither the approval nor a later sector update sends it."""
        copy = self.world.to(self.plan, GP)[-1]
        result = self.sector("psyk-nordstrand").act(
            copy["delivery"], "not-sent", person="Projektsygeplejersken, referent",
            postscript="Bo tog hjem dagen efter mødet og har ikke læst planen. "
            "Den sendes derfor ikke til egen læge.",
        )  # fmt: skip
        check(result.get("state") == "not_sent", "the decision is recorded")
        later = documents.next_version(self.region, 2)
        self.publish("psyk-nordstrand", "behandlingsplan", later, XML)
        own = self.sector("koord-nordstrand")
        receive_all(self.world, self.plan, 3, ("psyk-nordstrand", "rus-havneby", own.id))
        task = until("the task to forward", lambda: _first(own.tasks("forward", self.plan)))
        own.act(task["delivery"], "forward", person="Koordinatoren i Nordstrand")
        receive_all(self.world, self.plan, 3, ("koord-havneby",))
        states = {c["state"] for c in self.world.to(self.plan, GP)}
        check(states == {"not_sent"}, "nothing is sent to the GP after that")
        check(not self.sector(GP).collect(), "the GP has received nothing")

    def seen(self) -> None:
        """Step 11: the console's own pages, in the operator's browser."""
        later = documents.next_version(self.region, 3)
        self.publish("psyk-nordstrand", "behandlingsplan", later, XML)
        refuser = self.sector("koord-havneby")
        (copy,) = until("the copy to refuse", lambda: refuser.collect() or None)
        refuser.confirm(copy, "permanent")
        console = self.world.console
        overview, parties = console.page("/"), console.page("/console/parties")
        for row in self.world.operator.call("GET", "/operations/parties").json():
            check(row["name"] in parties, "every party is shown")
        for queue in self.world.operator.call("GET", "/operations/queues").json():
            check(queue["queue"] in overview, "every queue is shown")
        found = [d for plan in self.world.plans for d in self.world.deliveries(plan)]
        for state in ("blocked", "dead"):
            listed = console.page(f"/console/deliveries?state={state}")
            rows = [d for d in found if d["state"] == state]
            check(rows and all(d["reason"] in listed for d in rows), f"why one is {state}")
        for delivery in found:
            page = console.page(f"/console/deliveries/{delivery['delivery']}")
            told = all(e["reason"] in page for e in delivery["history"])
            check(told, "each delivery has its history")


def _first(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    return found[0] if found else None


def _when(delivery: dict[str, Any], state: str) -> str | None:
    return next((e["at"] for e in delivery["history"] if e["state"] == state), None)

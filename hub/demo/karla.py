"""Karla: lead in the municipal substance treatment centre; approves her plan in writing."""

from __future__ import annotations

import json
from typing import Any

from hub.demo import documents
from hub.demo.documents import UNAPPROVED
from hub.demo.gp import acknowledgement, plan_text
from hub.demo.sectors import Received, until
from hub.demo.stage import GP, JSON, READERS, XML, Story, check, first, newest, receive_all, when


class Karla(Story):
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
        task = until("the hand-over task", lambda: first(lead.tasks("hand-over", self.plan)))
        result = lead.act(task["delivery"], "hand-over", person="Tovholderen")
        check(result["status"] == 200, "the hand-over is recorded")
        receive_all(self.world, self.plan, 1, ("psyk-nordstrand", "social-havneby", "rus-havneby"))
        rows = self.world.deliveries(self.plan)
        made = {d["receiver"]: at for d in rows if (at := when(d, "sending")) is not None}
        check(made["citizen"] == min(made.values()), "the citizen's copy is made first")

    def forward(self) -> None:
        """Step 6b: two recorded hops."""
        own = self.sector("koord-havneby")
        blocked = self.world.to(self.plan, "koord-nordstrand")
        check(blocked and blocked[0]["state"] == "blocked", "the other coordinator waits")
        receive_all(self.world, self.plan, 1, ("koord-havneby",))
        task = until("the task to forward", lambda: first(own.tasks("forward", self.plan)))
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
        task = until("the new copy's task", lambda: first(lead.tasks("hand-over", self.plan)))
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

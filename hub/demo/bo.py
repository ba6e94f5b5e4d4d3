"""Bo: lead in the region; approves orally, wants to read first, and goes home."""

from __future__ import annotations

import json

from hub.demo import documents
from hub.demo.sectors import until
from hub.demo.stage import GP, JSON, XML, Story, check, first, receive_all


class Bo(Story):
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
        task = until("the task to forward", lambda: first(own.tasks("forward", self.plan)))
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

"""Whatever happens between versions, the rules of threads hold: checked on every message sent.

The oracle knows nothing of the hub's reasoning. It holds what the citizen has said and what the
receiver has answered, and looks in each whole message for what must not be in it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, event, example, given, note, settings
from hypothesis import strategies as st

from adapters.medcom.message import Message
from hub.fhir import names
from hub.model.party import SYSTEM
from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.medcom import FORMAT, Practice, activity, message_id, thread_of
from tests.api.world import CONSENT_1, GP, PLAN_1, RUS, approval, opened

Json = dict[str, Any]
FULL = os.environ.get("KI_HUB_TEST_FULL") == "1"
pytestmark = pytest.mark.timeout(1800 if FULL else 280)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["version", "version", "version", "ok", "ok", "ok"]),
        st.sampled_from(["fatal", "transient", "lost", "letter", "taken-back"]),
        st.sampled_from(["narrow:substance-use", "narrow:social", "narrow:crime", "widen"]),
    ),
    min_size=4,
    max_size=12,
)


def _labelled() -> dict[str, frozenset[str]]:
    """Every goal and intervention of the plan: its text, and what it is about."""
    resources = [e["resource"] for e in json.loads(PLAN_1)["entry"]]
    found = [(r["description"]["text"], r) for r in resources if r["resourceType"] == "Goal"]
    plan = next(r for r in resources if r["resourceType"] == "CarePlan")
    found += [(a["detail"]["description"], a) for a in plan["activity"]]
    return {text: frozenset(_labels(item)) for text, item in found}


def _labels(item: Json) -> Iterator[str]:
    for extension in item.get("extension", ()):
        if extension["url"] == names.SECTION:
            yield extension["valueCode"]


ITEMS = _labelled()


@dataclass
class Oracle:
    """What was said by people, and every message that left."""

    gp: Practice
    number: int = 1
    denied: set[str] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    """Versions whose approval the citizen took back."""
    envelopes: dict[str, str] = field(default_factory=dict)
    """Bundle.id to MessageHeader.id."""
    last: Json | None = None
    answers: dict[str, str] = field(default_factory=dict)
    """MessageHeader.id to the receiver's first answer that counts."""

    def step(self, step: str) -> None:
        act, _, about = step.partition(":")
        if act == "version":
            self.number += 1
            self.gp.write(f"Planen, {self.number}. udgave")
            self.gp.approve()
        elif act in {"ok", "fatal", "transient"}:
            self._answer(act)
        elif act == "lost":
            self.gp.world.clock.advance(minutes=31)
        elif act == "letter" and self.last is not None:
            self.gp.send(self.gp.reply(self.last, "Tak, det er læst."))
        elif act == "taken-back" and self.number > 1:
            self.refused.add(self.number - 1)
            self.gp.world.clock.advance(minutes=1)
            body = approval(self.gp.plan, self.number - 1, "no")
            answer = self.gp.world.post("/fhir/Consent", RUS, body)
            assert answer.status_code in {200, 201}, answer.text
        elif act in {"narrow", "widen"}:
            self._consent(about)
        self.gp.world.clock.advance(seconds=1)
        self.gp.world.work()
        self.look()

    def _answer(self, act: str) -> None:
        if self.last is None:
            return
        code = {"ok": "ok", "fatal": "fatal-error", "transient": "transient-error"}[act]
        self.gp.acknowledge(self.last, code)
        known = self.answers.get(message_id(self.last))
        if known not in {"ok", "fatal"}:
            self.answers[message_id(self.last)] = act

    def _consent(self, section: str) -> None:
        for one in [section] if section else sorted(self.denied):
            consent = json.loads(CONSENT_1) | {"id": f"nej-{one}"}
            consent["status"] = "active" if section else "inactive"
            # Said anew: the very form of before would be a late resend of it, and change nothing.
            consent["dateTime"] = self.gp.world.clock().isoformat(timespec="seconds")
            for rule in consent["provision"]["provision"]:
                rule["type"] = "deny"
                rule["securityLabel"] = [{"system": names.SECTION_CODE, "code": one}]
            body = json.dumps(consent).encode()
            assert self.gp.world.post("/fhir/Consent", RUS, body).status_code in {200, 201}
        self.denied = self.denied | {section} if section else set()

    def look(self) -> None:
        """Every message that is new since the last look."""
        with self.gp.world.hub.store.reading() as work:
            rows = [d for d in work.deliveries.of_plan(self.gp.plan, GP) if d.sequence is not None]
            assert {d.format for d in rows} <= {FORMAT}
            bodies = [work.deliveries.get(d.id, SYSTEM, body=True) for d in rows]
        made = [json.loads(d.body) for d in bodies if d is not None and d.body is not None]
        assert len({message_id(m) for m in made}) == len(made)
        for bundle in made:
            if bundle["id"] not in self.envelopes:
                self._judge(bundle)

    def _judge(self, bundle: Json) -> None:
        resent = message_id(bundle) in self.envelopes.values()
        assert bundle["id"] not in self.envelopes
        self.envelopes[bundle["id"]] = message_id(bundle)
        event("resent" if resent else activity(bundle))
        assert list(self.gp.world.hub.validator.check([bundle])) == []
        payloads = Message(bundle).communication["payload"]
        assert sum("contentAttachment" in p for p in payloads) < 10
        spoken = "\n".join(p.get("contentString", "") for p in payloads)
        self._nothing_withheld(spoken)
        if not resent:
            self._replies_to_what_was_acknowledged(bundle)
            self.last = bundle

    def _nothing_withheld(self, spoken: str) -> None:
        for text, labels in ITEMS.items():
            if self.denied & (labels or set(names.SECTIONS)):
                assert text not in spoken
        for number in self.refused:
            assert f"indsatsplan, version {number}, " not in spoken

    def _replies_to_what_was_acknowledged(self, bundle: Json) -> None:
        if activity(bundle) != "reply-message":
            assert len(Message(bundle).of_type("Provenance")) == 1
            return
        assert self.last is not None
        assert thread_of(bundle) == thread_of(self.last)
        assert self.answers[message_id(self.last)] == "ok"


@settings(
    max_examples=40 if FULL else 5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=STEPS)
@example(["ok", "version", "taken-back", "lost"])
@example(["narrow:social", "widen", "narrow:crime", "version", "narrow:social", "taken-back"])
@example(["ok", "version", "ok", "narrow:social", "version", "ok", "version", "letter", "version"])
def test_the_rules_of_threads_hold(plan_template: Template, steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        shutil.copytree(plan_template.folder, Path(folder) / "data")
        world = opened(Path(folder) / "data", plan_template.secrets)
        try:
            gp = Practice(world, plan_template.plan)
            assert world.approve(gp.plan).status_code == 201
            world.work()
            oracle = Oracle(gp)
            oracle.look()
            assert oracle.last is not None
            for number, step in enumerate(steps):
                note(f"{number}: {step}")
                oracle.step(step)
        finally:
            close(world.hub)

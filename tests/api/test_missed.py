"""A receiver that sees a gap asks for what it missed: the same bytes, decided anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.model.client import Quota
from hub.model.party import SYSTEM
from hub.ports import InboundMessage, answers_queue
from hub.runtime.bootstrap import close
from hub.services.had import known_version
from hub.services.state import plan_state
from hub.services.worker import receive
from tests.api.conftest import Template
from tests.api.fhir.test_access import denied
from tests.api.world import GP, OPERATOR, RUS, SOCIAL, World, changed_plan, problem

NOBODYS = "11111111-1111-4111-8111-111111111111"
"""A plan that is not there."""


def made(world: World, plan: str, who: str, **asked: Any) -> list[dict[str, Any]]:
    answer = world.request("GET", f"/plans/{plan}/deliveries", who, params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def ask(world: World, plan: str, who: str, **asked: Any) -> httpx.Response:
    return world.request("POST", f"/plans/{plan}/missed", who, json=asked)


def fetched(world: World, who: str) -> list[tuple[str, str, str, bytes]]:
    """Delivery, format, number and bytes of each message, receipted."""
    found = []
    for letter in world.get("/mailbox", who).json():
        got = world.get(letter["href"], who)
        assert got.headers["ki-plan"] == letter["plan"]
        found.append((letter["delivery"], letter["format"], got.headers["ki-sequence"],
                      got.content))  # fmt: skip
        assert world.receipt(letter["delivery"], who).status_code == 200
    return found


@pytest.fixture(scope="module")
def told_template(plan_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The lead has had three versions, and has receipted each."""
    folder = tmp_path_factory.mktemp("told") / "data"
    world = plan_template.copy(folder)
    assert [n for *_, n, _ in fetched(world, RUS)] == ["1"]
    for title in ("Anden", "Tredje"):
        world.publish_plan(changed_plan(title=title))
        world.work()
        assert len(fetched(world, RUS)) == 1
    assert [m["sequence"] for m in made(world, plan_template.plan, RUS)] == [1, 2, 3]
    close(world.hub)
    return replace(plan_template, folder=folder)


@pytest.fixture
def told(told_template: Template, tmp_path: Path) -> Iterator[World]:
    """A hub where that has happened."""
    found = told_template.copy(tmp_path / "data")
    yield found
    close(found.hub)


def kept(world: World, delivery: str) -> bytes:
    """The frozen bytes."""
    with world.hub.store.reading() as work:
        found = work.deliveries.get(delivery, SYSTEM, body=True)
    assert found is not None
    assert found.body
    return found.body


def test_what_was_missed_comes_again_as_it_was_one_after_the_other(told: World, plan: str) -> None:
    before = made(told, plan, RUS, after=1)
    answer = ask(told, plan, RUS, format="fhir", after=1)
    assert (answer.status_code, answer.json()) == (202, before)
    seen = []
    for _ in range(2):
        told.work()
        seen += fetched(told, RUS)
    assert seen == [
        (m["delivery"], m["format"], str(m["sequence"]), kept(told, m["delivery"])) for m in before
    ]
    told.work()
    assert fetched(told, RUS) == []
    assert {m["state"] for m in made(told, plan, RUS)} == {"delivered"}


def test_latest_is_the_current_document_alone(told: World, plan: str) -> None:
    newest = made(told, plan, RUS)[-1]
    assert ask(told, plan, RUS, latest=True).json() == [newest]
    told.work()
    assert [f[0] for f in fetched(told, RUS)] == [newest["delivery"]]
    # A newer one that is due is on its way: the older one is not sent before it.
    told.publish_plan(changed_plan(title="Fjerde"))
    assert ask(told, plan, RUS, latest=True).json() == []
    told.work()
    assert [f[2] for f in fetched(told, RUS)] == ["4"]


def test_what_waits_in_the_mailbox_is_left_there(planned: World, plan: str) -> None:
    waiting = planned.letters(RUS)
    assert [m["delivery"] for m in ask(planned, plan, RUS).json()] == waiting
    planned.work()
    assert planned.letters(RUS) == waiting
    assert planned.delivery(RUS)["attempts"] == 1


def test_asking_is_a_disclosure_in_the_trail(told: World, plan: str) -> None:
    newest = made(told, plan, RUS)[-1]
    ask(told, plan, RUS, after=2)
    with told.hub.store.reading() as work:
        rows = work.journal.audit_of(f"CarePlan/{plan}/")
    mine = [(r["action"], r["actor"], r["detail"], r["basis"] != "") for r in rows[-1:]]
    assert mine == [("disclose", RUS, f"delivery/{newest['delivery']}", True)]
    assert ("events", RUS) in [(r["action"], r["actor"]) for r in rows]


def test_what_may_not_be_had_now_is_not_there(planned: World, plan: str) -> None:
    had = fetched(planned, SOCIAL)
    assert had
    denied(planned, plan, SOCIAL)
    planned.work()
    nobodys = planned.request("POST", f"/plans/{NOBODYS}/missed", SOCIAL, json={})
    problem(nobodys, 404)
    # The notice that it lost the consent is there for it, and nothing else.
    (notice,) = made(planned, plan, SOCIAL)
    assert notice["delivery"] not in {d for d, *_ in had}
    assert [m["delivery"] for m in ask(planned, plan, SOCIAL).json()] == [notice["delivery"]]
    planned.work()
    assert [f[0] for f in fetched(planned, SOCIAL)] == [notice["delivery"]]
    hidden = ask(planned, plan, SOCIAL, format=had[0][1])
    assert (hidden.status_code, hidden.content) == (404, nobodys.content)


def test_who_never_had_it_cannot_tell_it_from_what_is_not_there(planned: World, plan: str) -> None:
    for ask_ in (
        lambda of: planned.get(f"/plans/{of}/deliveries", GP),
        lambda of: planned.request("POST", f"/plans/{of}/missed", GP, json={"latest": True}),
    ):
        there, not_there = ask_(plan), ask_(NOBODYS)
        problem(there, 404)
        assert there.content == not_there.content


def test_a_consent_that_changed_before_it_left_is_asked_again(told: World, plan: str) -> None:
    newest = made(told, plan, RUS)[-1]
    assert ask(told, plan, RUS, after=2).status_code == 202
    denied(told, plan, RUS)
    told.work()
    assert newest["delivery"] not in [f[0] for f in fetched(told, RUS)]
    assert told.delivery(RUS, version=newest["version"])["state"] == "cancelled"


def test_what_it_had_before_it_asked_once_more_may_have_left(told: World, plan: str) -> None:
    newest = made(told, plan, RUS)[-1]
    ask(told, plan, RUS, after=2)
    told.work()
    assert told.letters(RUS) == [newest["delivery"]]
    denied(told, plan, RUS)
    assert told.letters(RUS) != [newest["delivery"]], "taken back"
    (withdrawal,) = told.get(f"/operations/plans/{plan}", OPERATOR).json()["withdrawals"]
    left = {x["delivery"]: x["how"] for x in withdrawal["may_have_left"] if x["receiver"] == RUS}
    assert left[newest["delivery"]] == "delivered"


def test_what_it_had_is_still_what_it_wrote_on(told: World, plan: str) -> None:
    def base() -> int | None:
        with told.hub.store.reading() as work:
            found = work.plans.get(plan, SYSTEM, told.clock())
            party = work.parties.get(SOCIAL)
            assert found is not None
            assert party is not None
            state = plan_state(work, found, work.parties.directory(), told.clock())
            return known_version(told.hub, work, state, party.party, None)

    fetched(told, SOCIAL)
    before = base()
    assert before is not None
    assert ask(told, plan, SOCIAL).status_code == 202
    assert base() == before


def test_asking_counts_against_the_quota(told: World, plan: str) -> None:
    one = len(kept(told, made(told, plan, RUS)[0]["delivery"]))
    limits = replace(told.hub.limits, quota=Quota(None, one))
    small = World(replace(told.hub, limits=limits), told.secrets, told.clock)
    problem(ask(small, plan, RUS), 429)
    small.work()
    assert fetched(small, RUS) == []


def test_over_the_broker_the_receiver_is_answered(told: World, plan: str) -> None:
    def asked(content: object) -> tuple[str, str]:
        body = json.dumps({"missed": content}).encode()
        receive(told.hub, InboundMessage("receipt", RUS, "", "m-1", "application/json", body))
        with told.hub.store.reading() as work:
            answer = work.queues.waiting(answers_queue(RUS))[-1]
        assert answer.headers["ki-answers"] == "m-1"
        return answer.headers["ki-status"], answer.body.decode()

    status, text = asked({"plan": plan, "format": "fhir", "after": 2})
    assert status == "202"
    assert "Of what you missed, 1 are on their way" in text
    told.work()
    assert [f[2] for f in fetched(told, RUS)] == ["3"]
    assert asked({"plan": NOBODYS})[0] == "404"
    other = {"missed": {"plan": plan}}
    message = InboundMessage("receipt", GP, "", "m-2", "", json.dumps(other).encode())
    receive(told.hub, message)
    rows = told.get("/operations/audit?outcome=denied", OPERATOR).json()["rows"]
    assert [(r["actor"], r["plan_id"]) for r in rows if "missed" in r["object"]][:1] == [(GP, plan)]
    assert [asked(bad)[0] for bad in ("x", {}, {"plan": plan, "after": -1}, {"plan": 3})] == [
        "422"
    ] * 4

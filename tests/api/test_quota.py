"""Intake quotas: over HTTP 429 with when to come again, over AMQP an answer; nothing half kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.model.client import Quota
from hub.ports import InboundMessage, answers_queue
from hub.services.worker import receive
from tests.api.world import PSYK, RUS, TREATMENT, World, changed_plan, problem


@pytest.fixture
def limited(world: World) -> World:
    """Two documents in a minute; of psychiatry, so many bytes in a day."""
    with world.hub.store.writing() as work:
        found = work.parties.get(PSYK)
        assert found is not None
        own = Quota(0, int(len(TREATMENT) * 2.5))
        work.parties.save(replace(found, quota=own), world.clock())
        work.commit()
    limits = replace(world.hub.limits, quota=Quota(2, None))
    return World(replace(world.hub, limits=limits), world.secrets, world.clock)


def test_one_too_many_in_a_minute_is_told_when_to_come_again(limited: World) -> None:
    bodies = [changed_plan(title=f"Plan {n}") for n in range(3)]
    for body in bodies[:2]:
        assert limited.post("/documents/fhir", RUS, body).status_code == 403
    limited.clock.advance(seconds=20)
    answer = limited.post("/documents/fhir", RUS, bodies[2])
    (issue,) = problem(answer, 429)
    assert issue["code"] == "throttled"
    assert answer.headers["retry-after"] == "41"
    assert len(limited.kept()) == 2
    # What was kept before gets its answer again, and counts no more.
    assert limited.post("/documents/fhir", RUS, bodies[0]).status_code == 403
    limited.clock.advance(seconds=41)
    assert limited.post("/documents/fhir", RUS, bodies[2]).status_code == 403
    assert len(limited.kept()) == 3


def test_a_partys_own_limit_stands_in_place_of_the_usual(limited: World) -> None:
    assert limited.consent().status_code == 201
    for n in range(2):
        body = TREATMENT + b"\n" * n
        assert limited.post("/documents/behandlingsplan", PSYK, body).status_code == 202
    answer = limited.post("/documents/behandlingsplan", PSYK, TREATMENT + b"\n\n")
    problem(answer, 429)
    assert int(answer.headers["retry-after"]) == 24 * 3600 + 1
    limited.clock.advance(hours=25)
    assert limited.post("/documents/behandlingsplan", PSYK, TREATMENT + b"\n\n").status_code == 202


def test_each_party_has_a_quota_of_its_own_and_writes_over_rest_count(limited: World) -> None:
    for n in range(2):
        limited.post("/documents/fhir", RUS, changed_plan(title=f"Plan {n}"))
    problem(limited.consent(), 429)
    assert limited.post("/documents/behandlingsplan", PSYK, TREATMENT).status_code == 403


def test_over_amqp_the_sender_is_answered(limited: World) -> None:
    for n in range(3):
        body = changed_plan(title=f"Plan {n}")
        receive(limited.hub, InboundMessage("document", RUS, "fhir", f"m-{n}", "", body))
    assert len(limited.kept()) == 2
    with limited.hub.store.reading() as work:
        (answer,) = work.queues.waiting(answers_queue(RUS))
    assert (answer.headers["ki-answers"], answer.headers["ki-status"]) == ("m-2", "429")
    assert b"throttled" in answer.body

"""Alive, ready, described; and what the hub says when it fails itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from hub.contract import Resource
from hub.errors import Issue
from hub.fhir.parameters import SERVED
from hub.model.party import SYSTEM
from hub.services.accept import accept
from hub.services.process import process
from tests.api.world import (
    CPR_1,
    PLAN_1,
    RUS,
    World,
    changed_plan,
    problem,
)
from tests.views import errors_in

NOBODY_S = "00000000-0000-4000-8000-000000000000"


def test_a_healthy_hub_says_so_to_anyone(world: World) -> None:
    assert world.get("/health/live").json() == {"status": "live"}
    ready = world.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "broker": "ok"})


@pytest.mark.parametrize("damage", ["gone", "garbage", "folder"])
def test_a_hub_without_its_database_is_alive_and_not_ready(
    world: World, tmp_path: Path, damage: str
) -> None:
    assert world.get("/health/ready").status_code == 200
    world.hub.store.close()
    for file in (tmp_path / "data").glob("ki-hub.db*"):
        file.unlink()
    database = tmp_path / "data" / "ki-hub.db"
    if damage == "garbage":
        database.write_bytes(b"no database, but bytes " * 1000)
    elif damage == "folder":
        database.mkdir()
    ready = world.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["database"] != "ok"
    assert world.get("/health/live").status_code == 200
    problem(world.get("/mailbox", RUS), 503, move="nobody")


def test_a_file_deleted_under_an_open_hub_is_noticed(world: World, tmp_path: Path) -> None:
    assert world.get("/health/ready").status_code == 200
    (tmp_path / "data" / "ki-hub.db").unlink()
    assert world.get("/health/ready").status_code == 503


def test_metadata_is_a_legal_capability_statement(world: World) -> None:
    statement = world.get("/fhir/metadata").json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert errors_in(statement) == []
    types = {r["type"] for r in statement["rest"][0]["resource"]}
    assert types == {*SERVED, "ConceptMap", "Subscription", "Bundle"}


def test_an_address_that_is_none_is_an_outcome_too(world: World) -> None:
    problem(world.get("/fhir/Medication", RUS), 404)
    problem(world.request("DELETE", f"/fhir/CarePlan/{NOBODY_S}", RUS), 405)


def test_a_failure_of_the_hub_s_own_tells_no_value(
    world: World, nothing_personal_in_the_log: list[dict[str, object]]
) -> None:
    def broken() -> datetime:
        raise RuntimeError(CPR_1)

    failing = World(replace(world.hub, clock=broken), world.secrets, world.clock)
    (issue,) = problem(failing.consent(), 500, move="operator")
    assert issue["severity"] == "fatal"
    (line,) = [x for x in nothing_personal_in_the_log if x["event"] == "request.failed"]
    assert (line["error"], str(line["at"]).split(":")[0]) == ("RuntimeError", "broken")


class BrokenValidator:
    """A part of the hub that fails on every document, with a value in its message."""

    def check(self, resources: Iterable[Resource]) -> list[Issue]:
        raise RuntimeError(CPR_1)


def test_a_message_that_breaks_the_hub_is_set_aside_and_kept(
    world: World, nothing_personal_in_the_log: list[dict[str, object]]
) -> None:
    world.consent()
    failing = World(replace(world.hub, validator=BrokenValidator()), world.secrets, world.clock)
    answer = failing.post("/documents/fhir", RUS, PLAN_1)
    assert (answer.status_code, answer.content) == (202, b"")
    for _ in range(failing.hub.limits.process_attempts):
        failing.clock.advance(minutes=5)
        failing.work()
    issues = problem(failing.get(answer.headers["Location"], RUS), 500, move="operator")
    assert CPR_1 not in str(issues)
    item = failing.inbox(answer)
    assert (item.state, item.body, item.attempts) == ("set-aside", PLAN_1, 5)
    with failing.hub.store.reading() as work:
        assert [t.kind for t in work.journal.tasks(SYSTEM)] == ["set-aside"]
    failed = [x for x in nothing_personal_in_the_log if x["event"] == "message.failed"]
    assert [x["error"] for x in failed] == ["RuntimeError"] * 5
    assert world.post("/documents/fhir", RUS, changed_plan(title="Ny")).status_code == 200


def test_a_message_that_ends_the_process_every_time_is_set_aside(world: World) -> None:
    world.consent()
    # As if the process had died each time between taking the message up and answering.
    with world.hub.store.reading() as work:
        sender = work.parties.get(RUS)
    assert sender is not None
    item = accept(world.hub, sender.party, "fhir", PLAN_1, "application/fhir+json").item
    for _ in range(world.hub.limits.process_claims):
        with world.hub.store.writing() as work:
            lease = world.hub.limits.process_lease
            assert work.inbox.claim(item.id, world.clock.now, lease)
            work.commit()
        world.clock.advance(minutes=5)
    assert process(world.hub, item.id).state == "set-aside"

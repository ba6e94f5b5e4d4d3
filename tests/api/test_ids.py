"""Ids stand in addresses and logs: nobody may find a number by trying which one gives the id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.fhir.codec import parse_json
from hub.runtime.bootstrap import close
from hub.services.hub import IDS_KEY, repeatable
from tests.api.fhir.client import keys, search
from tests.api.world import CPR_1, PLAN_1, RUS, World, founded

TYPES = ("CarePlan", "Goal", "Condition", "CareTeam", "Observation", "Patient")


@pytest.fixture
def caseless() -> bytes:
    """The plan without the sender's case, so that the number takes its place."""
    bundle = parse_json(PLAN_1)
    del bundle["entry"][0]["resource"]["identifier"]
    return json.dumps(bundle).encode()


def ids(world: World, body: bytes) -> set[str]:
    assert world.consent().status_code == 201
    world.publish_plan(body)
    return {k.partition("/")[2] for kind in TYPES for k in keys(search(world, kind, RUS))}


def tried(body: bytes, number: str) -> set[str]:
    """What anybody can work out who has the hub's source, the document's form and a number."""
    entries = [(e["resource"]["resourceType"], e["fullUrl"]) for e in parse_json(body)["entry"]]
    return {repeatable(RUS, f"{number}/{kind}/{own}") for kind, own in entries}


def test_no_id_can_be_worked_out_from_a_number(tmp_path: Path, caseless: bytes) -> None:
    one = founded(tmp_path / "one", own_ids=True)
    found = ids(one, caseless)
    assert not found & tried(caseless, CPR_1)
    again = one.post("/documents/fhir", RUS, caseless, message_id="igen")
    assert "version 1 stands" in again.text
    assert {k.partition("/")[2] for k in keys(search(one, "Goal", RUS))} <= found
    close(one.hub)
    # Another hub has other ids for the same document.
    two = founded(tmp_path / "two", own_ids=True)
    assert not ids(two, caseless) & found
    close(two.hub)


def test_a_database_from_before_keeps_its_ids(world: World, caseless: bytes) -> None:
    with world.hub.store.writing() as work:
        work.journal.set_meta(IDS_KEY, "")
        work.commit()
    assert ids(world, caseless) & tried(caseless, CPR_1)

"""Two units that know nothing of each other each lead a plan of the same citizen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.runtime.bootstrap import close
from tests.api.conftest import Template
from tests.api.fhir.client import found, get, keys, search
from tests.api.fhir.writing import (
    plan_entries,
    post,
    put,
    read,
    responses,
    statuses,
    transaction,
    versions,
)
from tests.api.papers import SOR, consent_of, plan_with_team, sector_plan
from tests.api.world import GP, KOORD_OTHER, KOORD_OWN, PSYK, RUS, SOCIAL, World

NOT_PSYK = (SOCIAL, RUS, KOORD_OWN, KOORD_OTHER, GP)


def with_others(body: bytes) -> bytes:
    """The plan as psychiatry would lead it: the two units in each other's places."""
    swapped = body.replace(SOR[PSYK].encode(), b"@")
    return swapped.replace(SOR[RUS].encode(), SOR[PSYK].encode()).replace(b"@", SOR[RUS].encode())


OWN_PLAN = with_others(plan_with_team({SOR[PSYK]: ()}))
"""Psychiatry's, without the unit that leads the other."""


def told(world: World) -> list[Any]:
    """What psychiatry, with its own consent and its own plan, is told of all that it asks."""
    consent = consent_of("eget", (PSYK,), purposes=("make-plan", "exchange"))
    assert world.post("/fhir/Consent", PSYK, consent).status_code == 201
    assert world.post("/documents/fhir", PSYK, sector_plan(PSYK, case="x")).status_code == 202
    answer = post(world, transaction(*plan_entries(OWN_PLAN)), PSYK)
    (person,) = keys(search(world, "Patient", PSYK))
    entry = found(get(world, person, PSYK))
    joined = [
        "partOf" in e["resource"]
        for e in search(world, "CarePlan", PSYK)["entry"]
        if "sector" in json.dumps(e["resource"]["category"])
    ]
    return [
        statuses(responses(answer)), entry["meta"], len(versions(world, person, PSYK)), joined,
        search(world, "Consent", PSYK)["total"],
    ]  # fmt: skip


@pytest.fixture
def led(world: World) -> World:
    """The citizen's plan, in which psychiatry has no part."""
    assert world.consent(consent_of("andet", NOT_PSYK)).status_code == 201
    world.publish_plan(plan_with_team({SOR[PSYK]: ()}))
    world.clock.advance(minutes=1)
    return world


def test_neither_lead_can_tell_that_there_is_another_plan(
    led: World, empty_template: Template, tmp_path: Path
) -> None:
    """By no status, version, time or number: it is as where there is no other plan."""
    with_another = told(led)
    alone = empty_template.copy(tmp_path / "alone")
    alone.clock.now = led.clock.now
    assert with_another == told(alone)
    close(alone.hub)
    assert with_another[3:] == [[True], 1]


def test_a_lead_writes_on_what_it_knows_of_the_citizen(led: World) -> None:
    """Another lead has written of the same citizen since."""
    told(led)
    led.clock.advance(minutes=1)
    again = led.post("/documents/fhir", RUS, plan_with_team({SOR[PSYK]: ()}), message_id="igen")
    assert "version 1 stands" in again.text
    (person,) = keys(search(led, "Patient", RUS))
    resource, version = read(led, person)
    changed = put(led, resource | {"gender": "female"}, version)
    assert changed.status_code == 200, changed.text
    assert len(versions(led, person)) == 2
    assert "gender" not in read(led, person, PSYK)[0]

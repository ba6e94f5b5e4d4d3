"""The Consent inside an FFB order: leave to tell a relative, never a consent to share the plan."""

from __future__ import annotations

import json

from hub.contract import Identifier
from hub.fhir import names
from tests.api.papers import consent_of
from tests.api.world import CPR_1, ORDER, RUS, SOCIAL, World, problem


def dressed_up() -> bytes:
    """The sample order with a Consent that says all that a consent to the plan says."""
    bundle = json.loads(ORDER)
    (entry,) = [e for e in bundle["entry"] if e["resource"]["resourceType"] == "Consent"]
    said = json.loads(consent_of("pretended"))
    entry["resource"] |= {k: v for k, v in said.items() if k not in {"id", "patient"}}
    return json.dumps(bundle).encode()


def consents(world: World) -> list[str]:
    """Those that are registered for the order's citizen."""
    with world.hub.store.reading() as work:
        citizen = work.plans.citizen([Identifier(names.CPR, CPR_1)])
        return [] if citizen is None else [c.id for c in work.consents.of_citizen(citizen)]


def test_where_no_consent_is_registered_it_opens_nothing(world: World) -> None:
    problem(world.post("/documents/vum", SOCIAL, dressed_up()), 403)

    assert consents(world) == []


def test_it_adds_nothing_to_what_the_citizen_said(world: World) -> None:
    world.consent(consent_of("said", (SOCIAL, RUS)))
    before = consents(world)

    answer = world.post("/documents/vum", SOCIAL, dressed_up())
    assert answer.status_code == 202, answer.text
    assert consents(world) == before
    assert len(before) == 1

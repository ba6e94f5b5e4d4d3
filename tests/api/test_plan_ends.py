"""A plan ends, the citizen's case goes on: several plans over time are normal."""

from __future__ import annotations

from typing import Any

import httpx

from hub.services.received import received_one
from tests.api.papers import SOR, consent_of, plan_with_team, sector_plan
from tests.api.world import (
    OPERATOR,
    OPERATOR_VIEW,
    PSYK,
    RUS,
    SOCIAL,
    World,
    outcome_of,
)

CASE = "https://sag.example/plan"


def shared(case: str, status: str = "active", **changes: Any) -> bytes:
    return plan_with_team(
        {}, identifier=[{"system": CASE, "value": case}], status=status, **changes
    )


def publish(world: World, body: bytes, who: str = RUS) -> str:
    """The plan's id."""
    answer = world.post("/documents/fhir", who, body)
    assert answer.status_code == 200, answer.text
    world.clock.advance(minutes=1)
    return answer.headers["Location"].split("/")[3]


def sector(world: World, who: str, case: str, **more: Any) -> httpx.Response:
    answer = world.post("/documents/fhir", who, sector_plan(who, case=case, **more))
    world.clock.advance(minutes=1)
    return answer


def waiting(world: World) -> list[tuple[str, str | None]]:
    """The operator's open tasks that ask where a document belongs."""
    with world.hub.store.reading() as work:
        return [
            (t.kind, t.inbox_id) for t in work.journal.tasks(OPERATOR_VIEW) if t.kind == "attach"
        ]


def parts(world: World, plan: str) -> set[str]:
    found = world.get(f"/operations/plans/{plan}", OPERATOR).json()["parts"]
    return {p["owner"] for p in found}


def test_a_completed_plan_is_no_longer_open_and_its_cases_join_the_next(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    first = publish(world, shared("forløb-1"))
    assert sector(world, PSYK, "sag-1").status_code == 200
    publish(world, shared("forløb-1", "completed"))
    assert world.get(f"/operations/plans/{first}", OPERATOR).json()["status"] == "completed"

    new_case = sector(world, SOCIAL, "sag-2")
    assert new_case.status_code == 202
    second = publish(world, shared("forløb-2"))
    assert second != first
    assert parts(world, second) == {RUS, PSYK, SOCIAL}
    # The case goes on under its own number, in the plan that is open now.
    again = sector(world, PSYK, "sag-1", text="Nyt forløb")
    assert again.headers["Location"].startswith(f"/fhir/CarePlan/{second}/")


def test_an_ended_plan_s_versions_still_hold_what_they_held(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    first = publish(world, shared("forløb-1"))
    sector(world, PSYK, "sag-1")
    publish(world, shared("forløb-1", "completed"))
    before = world.get(f"/fhir/CarePlan/{first}/$everything", RUS).json()["total"]
    publish(world, shared("forløb-2"))
    assert world.get(f"/fhir/CarePlan/{first}/$everything", RUS).json()["total"] == before


def test_a_case_whose_plan_has_ended_waits_and_is_shown_to_nobody(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    first = publish(world, shared("forløb-1"))
    sector(world, PSYK, "sag-1")
    ended = publish(world, shared("forløb-1", "revoked"))
    assert ended == first
    deliveries = len(world.deliveries())
    answer = sector(world, PSYK, "sag-1", text="Efter at planen er slut")
    assert answer.status_code == 202
    world.work()
    assert len(world.deliveries()) == deliveries
    assert len(waiting(world)) == 1


def test_a_reopened_plan_is_open(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    first = publish(world, shared("forløb-1"))
    publish(world, shared("forløb-1", "completed"))
    publish(world, shared("forløb-1", "active", title="Åbnet igen"))
    assert sector(world, PSYK, "sag-1").headers["Location"].startswith(f"/fhir/CarePlan/{first}/")


def test_who_knows_one_of_two_open_plans_is_not_told_of_the_other(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    publish(world, shared("forløb-1"))
    without = plan_with_team({SOR[PSYK]: ()}, identifier=[{"system": CASE, "value": "forløb-2"}])
    publish(world, without)
    answer = sector(world, PSYK, "sag-1")
    assert answer.status_code == 200
    texts = str(outcome_of(answer))
    assert "several" not in texts
    # The lead knows both, and is asked.
    lead = sector(world, RUS, "sag-9")
    assert lead.status_code == 202
    assert "several" in str(outcome_of(lead))


def test_a_document_that_waits_has_a_task_until_it_has_joined(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    answer = sector(world, PSYK, "sag-1")
    item = answer.headers["Location"].rpartition("/")[2]
    assert waiting(world) == [("attach", item)]
    plan = publish(world, shared("forløb-1"))
    assert waiting(world) == []
    seen = received_one(world.hub, OPERATOR_VIEW, item)
    assert (seen.state, seen.plan_id, seen.plan_version) == ("applied", plan, 1)
    # Its sender gets the answer it got.
    told = world.get(answer.headers["Location"], PSYK)
    assert (told.status_code, told.content) == (answer.status_code, answer.content)
    assert told.headers["Location"] == answer.headers["Location"]


def test_a_document_from_outside_the_team_keeps_its_task(world: World) -> None:
    world.consent(consent_of("samtykke-1"))
    sector(world, SOCIAL, "sag-1")
    publish(world, plan_with_team({SOR[SOCIAL]: ()}))
    assert len(waiting(world)) == 1

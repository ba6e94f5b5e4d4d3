"""Who has seen a plan: for operators by row, for the citizen's own unit in words; and audited."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.fhir.client import get
from tests.api.world import GP, KOORD_OWN, OPERATOR, PSYK, RUS, SOCIAL, World
from tests.views import errors_in


def actions(world: World, by: str) -> list[str]:
    with world.hub.store.reading() as work:
        return [r["action"] for r in work.journal.audit_of("") if r["actor"] == by]


def record(world: World, plan: str, who: str, language: str = "da", more: str = "") -> Any:
    headers = {"Accept-Language": language}
    return world.request("GET", f"/plans/{plan}/access-record{more}", who, headers=headers)


def test_the_lead_gets_it_in_words_and_that_is_in_it_too(planned: World, plan: str) -> None:
    get(planned, f"CarePlan/{plan}", SOCIAL)
    get(planned, f"CarePlan/{plan}", GP)
    answer = record(planned, plan, RUS)
    assert answer.status_code == 200
    denied, seen = answer.json()[:2]
    assert (denied["organisation"], denied["permitted"]) == ("Lægerne i Havnegade", "Nej, afvist")
    assert (seen["what"], seen["why"]) == ("Læste i planen", "Borgerens samtykke")
    assert seen["unit"].startswith("urn:oid:1.2.208.176.1.1|")
    assert seen["sections"] != []
    assert {r["kind"] for r in answer.json()} == {"seen", "denied"}
    again = record(planned, plan, RUS, "en").json()
    assert again[0]["what"] == "Saw the list of look-ups"
    assert again[2]["what"] == "Read in the plan"


def test_with_everything_it_tells_who_wrote_too(planned: World, plan: str) -> None:
    kinds = {r["kind"] for r in record(planned, plan, RUS, more="?everything=true").json()}
    assert "changed" in kinds


@pytest.mark.parametrize("who", [PSYK, SOCIAL, GP])
def test_nobody_else_gets_it(planned: World, plan: str, who: str) -> None:
    assert record(planned, plan, who).status_code == 404


def test_a_coordinator_gets_it(planned: World, plan: str) -> None:
    assert record(planned, plan, KOORD_OWN).status_code == 200


def test_there_is_none_of_a_plan_that_is_not_there(planned: World) -> None:
    assert record(planned, "00000000-0000-4000-8000-000000000000", RUS).status_code == 404


def test_an_operator_pages_through_the_rows_and_is_seen(planned: World, plan: str) -> None:
    found: list[dict[str, Any]] = []
    url: str | None = f"/operations/audit?plan={plan}&count=7"
    while url:
        page = planned.get(url, OPERATOR).json()
        found += page["rows"]
        following = page["next"]
        url = f"/operations/audit?plan={plan}&count=7&before={following}" if following else None
    ids = [r["id"] for r in found]
    assert ids == sorted(set(ids), reverse=True)
    assert {r["plan_id"] for r in found} == {plan}
    assert all(len(r["row_hash"]) == 64 for r in found)
    assert "audit-read" in actions(planned, "Drift Demo")


@pytest.mark.parametrize(
    "query", ["action=disclose", "outcome=denied", f"party={SOCIAL}", "actor=hub"]
)
def test_rows_are_found_by_what_they_say(planned: World, plan: str, query: str) -> None:
    get(planned, f"CarePlan/{plan}", GP)
    name, _, value = query.partition("=")
    rows = planned.get(f"/operations/audit?{query}", OPERATOR).json()["rows"]
    assert rows
    assert {r[name] for r in rows} == {value}


def test_rows_are_found_by_time(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=1)
    now = planned.clock.now.isoformat().replace("+", "%2B")
    get(planned, f"CarePlan/{plan}", SOCIAL)
    since = planned.get(f"/operations/audit?since={now}", OPERATOR).json()["rows"]
    until = planned.get(f"/operations/audit?until={now}", OPERATOR).json()["rows"]
    assert [(r["action"], r["actor"]) for r in since] == [("read", SOCIAL)]
    assert len(until) > 5
    assert planned.get("/operations/audit?since=2026-09-20T10:00:00", OPERATOR).status_code == 422


def test_the_rows_are_audit_events_too(planned: World, plan: str) -> None:
    get(planned, f"CarePlan/{plan}", SOCIAL)
    get(planned, f"CarePlan/{plan}", GP)
    found = planned.get("/operations/audit?format=fhir&count=500", OPERATOR).json()
    assert len(found["entry"]) > 15
    assert errors_in(found) == []
    for entry in found["entry"]:
        assert errors_in(entry["resource"]) == []


def test_a_party_does_not_see_the_rows(planned: World) -> None:
    assert planned.get("/operations/audit", RUS).status_code == 401

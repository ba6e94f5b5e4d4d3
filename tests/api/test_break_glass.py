"""What could not be understood is kept for the operator, who sees it by name and for a reason."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hub.contract import RawMessage
from hub.errors import StoreUnavailable
from hub.model.party import SYSTEM
from hub.services.worker import maintain
from hub.store.journal import Journal
from tests.api.world import (
    CPR_1,
    OPERATOR,
    PLAN_1,
    PSYK,
    RUS,
    START,
    TREATMENT,
    World,
    problem,
)

BROKEN = b'{"resourceType": "Bundle", \xff'
WHY = "Leverandoeren spurgte, hvad der kom"


def look(world: World, message: str, reason: Any = WHY, who: str = OPERATOR) -> httpx.Response:
    url = f"/operations/messages/{message}/bytes"
    return world.request("POST", url, who, json={"reason": reason})


def refused(world: World) -> str:
    answer = world.post("/documents/fhir", RUS, BROKEN)
    assert answer.status_code == 400
    return answer.headers["Location"].rpartition("/")[2]


def looks(world: World, message: str) -> list[Any]:
    with world.hub.store.reading() as work:
        rows = work.journal.audit_of(f"inbox/{message}")
    return [r for r in rows if r["action"] == "break-glass"]


def test_refused_bytes_are_shown_as_they_came_and_as_a_file(world: World) -> None:
    message = refused(world)
    answer = look(world, message)
    assert (answer.status_code, answer.content) == (200, BROKEN)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    name = f'attachment; filename="message-{message[:8]}.bin"'
    assert answer.headers["content-disposition"] == name
    (row,) = looks(world, message)
    assert (row["actor"], row["party"], row["detail"]) == ("Drift Demo", RUS, WHY)


def test_unattached_bytes_are_shown(world: World) -> None:
    world.consent()
    answer = world.post("/documents/behandlingsplan", PSYK, TREATMENT)
    assert answer.status_code == 202
    message = answer.headers["Location"].rpartition("/")[2]
    assert look(world, message).content == TREATMENT


def test_set_aside_bytes_are_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: object, _message: RawMessage, _context: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(world.hub.adapters.adapter("fhir")), "parse", fails)
    message = world.post("/documents/fhir", RUS, PLAN_1).headers["Location"].rpartition("/")[2]
    for _ in range(world.hub.limits.process_attempts):
        world.clock.advance(hours=1)
        world.work()
    assert world.get(f"/operations/messages/{message}", OPERATOR).json()["state"] == "set-aside"
    assert look(world, message).content == PLAN_1
    assert tasks(world) == ["set-aside"]
    world.clock.advance(days=world.hub.limits.refused_days)
    maintain(world.hub)
    assert tasks(world) == []
    problem(look(world, message), 404)


def tasks(world: World) -> list[str]:
    """The kinds of what the operator is asked to do."""
    with world.hub.store.reading() as work:
        return [task.kind for task in work.journal.tasks(SYSTEM)]


def test_what_is_sealed_or_applied_is_not_there(world: World) -> None:
    assert world.post("/documents/fhir", RUS, PLAN_1).status_code == 403
    assert world.consent().status_code == 201
    states = {i.state: i.id for i in world.kept()}
    assert states.keys() == {"sealed", "applied"}
    for message in states.values():
        problem(look(world, message), 404)
        assert looks(world, message) == []
    problem(look(world, "00000000-0000-4000-8000-000000000000"), 404)


@pytest.mark.parametrize("reason", ["   ", "\n", "om " + CPR_1, "cpr 020160-9996", "x" * 501])
def test_a_reason_that_cannot_be_kept_shows_nothing(world: World, reason: str) -> None:
    message = refused(world)
    (issue,) = problem(look(world, message, reason), 422)
    assert issue["location"] == ["reason"]
    assert looks(world, message) == []


@pytest.mark.parametrize("reason", ["", None, 3])
def test_a_reason_is_required(world: World, reason: Any) -> None:
    message = refused(world)
    problem(look(world, message, reason), 400)
    assert looks(world, message) == []


def test_a_look_that_cannot_be_written_down_is_not_had(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refused(world)

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(Journal, "audit", full)
        answer = look(world, message)
    assert answer.status_code == 503
    assert BROKEN not in answer.content


def test_no_party_looks_not_even_at_its_own(world: World) -> None:
    problem(look(world, refused(world), who=RUS), 401)


def test_the_list_says_nothing_of_what_they_hold(world: World) -> None:
    message = refused(world)
    (row,) = world.get("/operations/messages?state=refused", OPERATOR).json()
    assert row == world.get(f"/operations/messages/{message}", OPERATOR).json()
    assert (row["message"], row["sender"], row["state"]) == (message, RUS, "refused")
    assert row["issues"][0]["severity"] == "error"
    assert world.get("/operations/messages?state=sealed", OPERATOR).json() == []
    problem(world.get("/operations/messages?state=nosuch", OPERATOR), 400)
    problem(world.get("/operations/messages/nosuch", OPERATOR), 404)


def test_they_are_deleted_after_a_set_number_of_days_and_the_answer_stays(world: World) -> None:
    message = refused(world)
    world.consent()
    unattached = world.post("/documents/behandlingsplan", PSYK, TREATMENT).headers["Location"]
    days = timedelta(days=world.hub.limits.refused_days)
    world.clock.now = START + days
    assert maintain(world.hub) == 0
    assert look(world, message).content == BROKEN
    world.clock.now = START + days + timedelta(seconds=1)
    assert maintain(world.hub) == 1
    problem(look(world, message), 404)
    assert world.get(f"/messages/{message}", RUS).status_code == 400
    assert look(world, unattached.rpartition("/")[2]).content == TREATMENT
    again = world.post("/documents/fhir", RUS, BROKEN)
    assert (again.status_code, again.headers["KI-Hub-Duplicate"]) == (400, "true")


def test_an_unknown_filter_of_deliveries_is_told(world: World) -> None:
    problem(world.get("/operations/deliveries?state=nosuch", OPERATOR), 400)
    problem(world.get("/operations/deliveries?plan=nosuch", OPERATOR), 404)
    problem(world.get("/operations/deliveries?receiver=nosuch", OPERATOR), 404)
    assert json.loads(world.get("/operations/deliveries?receiver=citizen", OPERATOR).content) == []

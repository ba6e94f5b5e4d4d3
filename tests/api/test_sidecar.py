"""A hub with HL7's validator beside it: both ways, and while it is away.

The server is the one of ``tests/contract/hl7_cases.py``, which gives recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import Misconfigured
from hub.model.party import SYSTEM
from hub.runtime.bootstrap import build, close
from hub.runtime.settings import Settings
from tests.api.world import KOORD_OWN, PLAN_1, RUS, SOCIAL, World, founded, problem
from tests.contract.hl7_cases import Stand, standing


@pytest.fixture
def stand() -> Iterator[Stand]:
    with standing() as server:
        server.otherwise = "valid"
        yield server


@pytest.fixture
def guarded(stand: Stand, tmp_path: Path) -> Iterator[World]:
    """A hub that asks the stand about everything, and hears no old news."""
    found = founded(tmp_path / "data", validator_url=stand.url, validator_seconds=5)
    yield found
    close(found.hub)


def kinds(stand: Stand) -> set[str]:
    """The types of what was sent to be judged."""
    return {asked["body"]["resourceType"] for asked in stand.asked}


def test_what_is_accepted_is_judged_and_then_applied(guarded: World, stand: Stand) -> None:
    guarded.consent()
    guarded.publish_plan()
    assert "Bundle" in kinds(stand)


def test_what_it_refuses_is_refused_without_a_word_of_the_document(
    guarded: World, stand: Stand
) -> None:
    guarded.consent()
    stand.otherwise = "quoting"
    answer = guarded.post("/documents/fhir", RUS, PLAN_1)
    issues = problem(answer, 422)
    assert any("HL7" in i["details"]["text"] for i in issues)
    assert "Karla" not in answer.text


def test_what_the_hub_itself_refuses_is_not_asked_about(guarded: World, stand: Stand) -> None:
    guarded.consent()
    stand.asked.clear()
    answer = guarded.post("/documents/fhir", RUS, PLAN_1.replace(b'"intent"', b'"intend"'))
    assert answer.status_code in {400, 422}
    assert stand.asked == []


def test_while_it_is_away_documents_are_kept_and_applied_later(
    guarded: World, stand: Stand
) -> None:
    guarded.consent()
    stand.status = 503
    answer = guarded.post("/documents/fhir", RUS, PLAN_1, message_id="m-1")
    assert answer.status_code == 202
    assert guarded.inbox(answer).state == "received"
    stand.status = None
    guarded.clock.advance(minutes=1)
    guarded.work()
    assert guarded.inbox(answer).state == "applied"
    again = guarded.post("/documents/fhir", RUS, PLAN_1, message_id="m-1")
    assert (again.status_code, again.headers["KI-Hub-Duplicate"]) == (200, "true")


def test_what_is_made_is_judged_before_it_leaves(guarded: World, stand: Stand) -> None:
    guarded.consent()
    guarded.publish_plan()
    stand.asked.clear()
    guarded.work()
    fhir = [d for d in guarded.deliveries() if d["format"] == "fhir"]
    assert {d["state"] for d in fhir} == {"sent"}
    assert len(stand.asked) == len(fhir) > 0


def test_what_is_made_wrong_does_not_leave_and_the_operator_is_told(
    guarded: World, stand: Stand
) -> None:
    guarded.consent()
    guarded.publish_plan()
    stand.otherwise = "quoting"
    guarded.work()
    dead = [d for d in guarded.deliveries() if "HL7" in d["history"][-1]["reason"]]
    assert {(d["format"], d["state"]) for d in dead} == {("fhir", "dead")}
    assert guarded.letters(RUS) == []
    with guarded.hub.store.reading() as work:
        told = {t.delivery_id for t in work.journal.tasks(SYSTEM) if t.kind == "dead"}
    assert {d["delivery"] for d in dead} <= told
    reasons = " ".join(e["reason"] for d in dead for e in d["history"])
    assert "Bundle.title" in reasons
    assert "Karla" not in reasons
    # What is no FHIR is no matter of FHIR's validator.
    assert guarded.states()[KOORD_OWN] == "sent"


def test_while_it_is_away_deliveries_wait_and_are_made_later(guarded: World, stand: Stand) -> None:
    guarded.consent()
    guarded.publish_plan()
    stand.status = 503
    guarded.work()
    waiting = {d["delivery"] for d in guarded.deliveries() if d["state"] == "due"}
    assert waiting != set()
    stand.status = None
    guarded.work()
    assert waiting <= {d["delivery"] for d in guarded.deliveries() if d["state"] == "due"}
    guarded.clock.advance(minutes=1)
    guarded.work()
    assert {d["state"] for d in guarded.deliveries() if d["delivery"] in waiting} == {"sent"}


def test_readiness_names_it(guarded: World, stand: Stand) -> None:
    ready = guarded.get("/health/ready")
    assert (ready.status_code, ready.json()["validator"]) == (200, "ok")


def test_a_hub_whose_validator_is_away_is_not_ready(stand: Stand, tmp_path: Path) -> None:
    stand.status = 502
    world = founded(tmp_path / "data", validator_url=stand.url)
    ready = world.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["database"] == "ok"
    assert "502" in ready.json()["validator"]
    close(world.hub)


def test_an_address_that_is_none_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="KI_HUB_VALIDATOR_URL"):
        build(Settings(data=tmp_path, validator_url="validator:8080"))


def test_without_the_setting_nobody_is_asked(world: World) -> None:
    assert "validator" not in world.get("/health/ready").json()
    assert world.get("/mailbox", SOCIAL).json() == []

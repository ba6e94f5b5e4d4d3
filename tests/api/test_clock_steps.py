"""The clock is hours ahead, or is set back by hours: nothing is stranded, and a no stays a no."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.model.breaker import Breaker, Circuit
from hub.model.delivery import State
from hub.model.party import SYSTEM
from hub.model.withdrawal import LOOKS
from hub.runtime.bootstrap import close
from hub.runtime.loops import work as work_loop
from hub.services.accept import accept
from hub.services.lapse import FOLLOWED
from hub.services.seal import seal
from hub.services.trail import check
from hub.services.worker import maintain, work_once
from hub.store.tables import DELIVERY, INBOX, PLAN_VERSION
from hub.store.timers import SLACK
from tests.api.conftest import OnServer, Template
from tests.api.fhir.client import get, keys, pages, publish, search
from tests.api.in_hand import claimed
from tests.api.papers import approval_of, consent_of
from tests.api.test_decisions import decide
from tests.api.test_silence import lost
from tests.api.world import GP, KOORD_OWN, PSYK, RUS, World, changed_plan, founded

HOURS = timedelta(hours=5)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[World, str]]:
    """A hub in the middle of the scenario, and its plan, on each kind of database."""
    if request.param == "sqlite":
        template: Template = request.getfixturevalue("plan_template")
        found, plan = template.copy(tmp_path / "data"), template.plan
    else:
        server: OnServer = request.getfixturevalue("plan_on_server")
        found, plan = server.opened(tmp_path / "data"), server.plan
    yield found, plan
    close(found.hub)


@pytest.fixture
def planned(where: tuple[World, str]) -> World:
    return where[0]


@pytest.fixture
def plan(where: tuple[World, str]) -> str:
    return where[1]


def set_in_motion(world: World) -> None:
    """The worker's loop comes by."""
    maintain(world.hub)
    world.work()


@pytest.mark.parametrize("step", [HOURS, -HOURS])
def test_what_a_dead_worker_had_is_taken_up(planned: World, plan: str, step: timedelta) -> None:
    decide(planned, approval_of(plan))
    taken = claimed(planned, "of-the-dead")
    assert taken
    assert work_once(planned.hub) == 0
    planned.clock.now += step
    set_in_motion(planned)
    with planned.hub.store.reading() as work:
        found = [work.deliveries.get(i, SYSTEM) for i in taken]
    assert all(d is not None and d.state is not State.DUE for d in found)


@pytest.mark.parametrize("step", [HOURS, -HOURS])
def test_a_message_of_a_dead_worker_is_taken_up(planned: World, step: timedelta) -> None:
    with planned.hub.store.database.writing() as connection:
        again = {
            "state": "received",
            "answer": None,
            "lease_until": planned.clock() + timedelta(seconds=60),
        }
        connection.execute(update(INBOX).where(INBOX.c.format == "fhir").values(**again))
        connection.commit()
    planned.clock.now += step
    set_in_motion(planned)
    with planned.hub.store.database.reading() as connection:
        states = set(connection.execute(select(INBOX.c.state)).scalars())
    assert "received" not in states


def test_a_running_worker_sees_the_step_itself(planned: World) -> None:
    """It does not wait for its next maintenance."""
    stop = Event()
    loop = Thread(target=work_loop, args=(planned.hub, stop, 0.01))
    loop.start()
    try:
        _until(lambda: _followed(planned))
        with planned.hub.store.database.writing() as connection:
            held = planned.clock() + timedelta(seconds=60)
            connection.execute(update(INBOX).values(lease_until=held))
            connection.commit()
        planned.clock.now -= HOURS
        _until(lambda: _leases(planned) == {None})
    finally:
        stop.set()
        planned.hub.wake.set()
        loop.join()


def _followed(world: World) -> str | None:
    with world.hub.store.reading() as work:
        return work.journal.meta(FOLLOWED)


def _leases(world: World) -> set[datetime | None]:
    with world.hub.store.database.reading() as connection:
        return set(connection.execute(select(INBOX.c.lease_until)).scalars())


def _until(look: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_wait_for_the_next_attempt_is_as_long_as_it_was(planned: World) -> None:
    later = timedelta(minutes=20)
    with planned.hub.store.database.writing() as connection:
        now = planned.clock()
        waits = {"state": "retry_at", "retry_at": now + later, "updated_at": now}
        connection.execute(update(DELIVERY).where(DELIVERY.c.receiver == RUS).values(**waits))
        connection.commit()
    planned.clock.now -= HOURS
    maintain(planned.hub)
    row = planned.delivery(RUS)
    assert datetime.fromisoformat(row["retry_at"]) == planned.clock() + later
    maintain(planned.hub)
    assert planned.delivery(RUS)["retry_at"] == row["retry_at"]


def test_a_pause_and_the_next_look_are_as_long_as_they_were(planned: World) -> None:
    """An endpoint that is left alone; a queue that is looked through again."""
    now, pause = planned.clock(), timedelta(minutes=3)
    with planned.hub.store.writing() as work:
        work.breakers.lock("https://away.example")
        shut = Breaker("https://away.example", Circuit.OPEN, 5, since=now, until=now + pause)
        work.breakers.save(shut)
        work.withdrawals.recall(RUS, now)
        work.withdrawals.write_recalls()
        (open_one,) = work.withdrawals.claim_recalls(now, pause)
        work.withdrawals.close_recall(open_one, open_one.look_again_at(now))
        work.commit()
    planned.clock.now -= HOURS
    maintain(planned.hub)
    maintain(planned.hub)
    with planned.hub.store.writing() as work:
        assert work.breakers.get("https://away.example").until == planned.clock() + pause
        assert work.withdrawals.claim_recalls(planned.clock(), pause) == []
        assert work.withdrawals.claim_recalls(planned.clock() + LOOKS[0], pause) != []


def test_a_step_within_what_clocks_differ_by_changes_nothing(planned: World) -> None:
    planned.work()
    before = planned.delivery(RUS)
    planned.clock.now -= SLACK
    maintain(planned.hub)
    assert planned.delivery(RUS) == before


@pytest.mark.parametrize("step", [HOURS, -HOURS])
def test_a_receipt_is_missed_after_as_long_as_ever(planned: World, step: timedelta) -> None:
    lost(planned, planned.delivery(RUS)["delivery"])
    planned.clock.now += step
    maintain(planned.hub)
    planned.clock.now += planned.hub.limits.receipt_wait + timedelta(minutes=1)
    planned.work()
    planned.clock.advance(minutes=1)
    planned.work()
    assert planned.delivery(RUS)["attempts"] == 2


def test_versions_are_in_the_order_they_were_made(planned: World, plan: str) -> None:
    planned.clock.now += HOURS
    publish(planned, RUS, title="Planen efter mødet")
    planned.clock.now -= HOURS
    publish(planned, RUS, title="Planen efter det næste møde")
    with planned.hub.store.database.reading() as connection:
        found = select(PLAN_VERSION.c.created_at).where(PLAN_VERSION.c.plan_id == plan)
        stamps = list(connection.execute(found.order_by(PLAN_VERSION.c.number)).scalars())
    assert len(stamps) == 3
    assert stamps == sorted(stamps)


def test_a_version_by_a_clock_that_was_ahead_is_there_at_once(planned: World, plan: str) -> None:
    planned.clock.now += HOURS
    publish(planned, RUS, title="Planen efter mødet")
    planned.clock.now -= HOURS
    read = get(planned, f"CarePlan/{plan}", RUS)
    assert read.json()["title"] == "Planen efter mødet"
    copy = (
        {"If_None_Match": read.headers["ETag"]},
        {"If_Modified_Since": read.headers["Last-Modified"]},
    )
    assert [get(planned, f"CarePlan/{plan}", RUS, **c).status_code for c in copy] == [200, 200]
    versions = pages(planned, f"CarePlan/{plan}/_history?_count=1", RUS, "history")
    assert [p["entry"][0]["resource"]["meta"]["versionId"] for p in versions] == ["2", "1"]
    whole = keys(search(planned, "Goal?_count=200", RUS))
    assert [k for p in pages(planned, "Goal?_count=1", RUS) for k in keys(p)] == whole
    again = get(planned, f"CarePlan/{plan}/$everything?_count=1", RUS).json()
    assert "next" in [x["relation"] for x in again["link"]]
    parts = pages(planned, f"CarePlan/{plan}/$everything?_count=1", RUS)
    assert sum(len(p["entry"]) for p in parts) == again["total"]


@pytest.mark.parametrize("step", [HOURS, -HOURS])
def test_what_came_by_a_wrong_clock_has_its_place(
    planned: World, plan: str, step: timedelta
) -> None:
    """Received by one process, and done by another whose clock is right."""
    with planned.hub.store.reading() as work:
        sender = work.parties.directory().get(RUS)
    assert sender is not None
    for title, off in (("Det første", step), ("Det næste", timedelta())):
        planned.clock.now += off
        body = changed_plan(title=title)
        accept(planned.hub, sender, "fhir", body, "application/fhir+json", message_id=title)
        planned.clock.now -= off
        planned.work()
        assert get(planned, f"CarePlan/{plan}", RUS).json()["title"] == title


def test_a_yes_is_heard_though_the_one_before_is_from_later(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    world.clock.now -= timedelta(hours=1)
    narrower = (RUS, KOORD_OWN)
    decide(world, consent_of("samtykke-1", narrower))
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404
    decide(world, consent_of("samtykke-1", (*narrower, PSYK)))
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 200


def test_a_withdrawal_is_heard_though_the_consent_is_from_later(world: World) -> None:
    decide(world, consent_of("samtykke-1"))
    plan = world.publish_plan()
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 200
    world.clock.now -= timedelta(hours=1)
    decide(world, consent_of("samtykke-1", status="inactive"))
    decide(world, consent_of("samtykke-1"), message_id="late")
    world.clock.now += timedelta(hours=1)
    assert world.get(f"/fhir/CarePlan/{plan}", PSYK).status_code == 404


def test_a_no_is_heard_though_the_yes_is_from_later(planned: World, plan: str) -> None:
    decide(planned, approval_of(plan, dateTime=planned.clock().isoformat(timespec="seconds")))
    assert planned.delivery(GP)["state"] == "due"
    planned.clock.now -= timedelta(hours=1)
    now = planned.clock().isoformat(timespec="seconds")
    decide(planned, approval_of(plan, decision="no", dateTime=now))
    assert planned.delivery(GP)["state"] == "blocked"


def test_the_audit_chain_holds(planned: World) -> None:
    for step in (HOURS, -2 * HOURS, HOURS):
        planned.clock.now += step
        decide(planned, consent_of(f"samtykke-{planned.clock.now.hour}"))
        seal(planned.hub)
    checked = check(planned.hub, None)
    assert (checked.found, checked.unsealed) == (None, 0)


def test_a_quota_s_day_does_not_last_longer(tmp_path: Any) -> None:
    world = founded(tmp_path / "data", documents_a_minute=1)
    assert world.post("/documents/fhir", RUS, b"{}").status_code == 400
    assert world.post("/documents/fhir", RUS, b"[]").status_code == 429
    world.clock.now -= HOURS
    assert world.post("/documents/fhir", RUS, b"{ }").status_code == 400

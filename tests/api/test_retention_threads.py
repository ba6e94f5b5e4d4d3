"""Threads with a receiver hold what was said, and messages' own ids lead to their documents: they
go when their time is up, and the citizen's copy has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.services import retention
from hub.services.worker import maintain
from hub.store.conversation_tables import ENVELOPE, THREAD, THREAD_KEY
from hub.store.tables import METADATA, PLAN
from tests.api.medcom import Practice
from tests.api.test_retention import DRIFT, YEARS, copy_of
from tests.api.world import GP, World

NOBODYS = frozenset({
    # The hub's own facts, parties and their clients, how they receive, what comes in and fails.
    "meta", "party", "operator", "client", "used_assertion", "intake", "subscription", "breaker",
    "heard", "recall", "console_session", "console_login", "action",
    # The trail names citizens by a pseudonym, and is in the copy as itself.
    "audit", "audit_tail", "audit_seal", "audit_segment", "pseudonym",
})  # fmt: skip


@pytest.fixture
def told(planned: World, plan: str) -> Practice:
    """The practice has had a version, has acknowledged it, and has written."""
    practice = Practice(planned, plan)
    sent = practice.first()
    assert practice.acknowledge(sent).status_code == 200
    assert practice.send(practice.reply(sent)).status_code == 200
    return practice


def there(world: World) -> dict[str, int]:
    with world.hub.store.database.engine.connect() as db:
        return {t.name: len(db.execute(select(t)).all()) for t in (THREAD, THREAD_KEY, ENVELOPE)}


def end(world: World) -> None:
    with world.hub.store.database.engine.begin() as db:
        db.execute(update(PLAN).values(status="completed"))


def test_every_table_is_in_the_citizen_s_copy_or_names_no_citizen(world: World) -> None:
    with world.hub.store.reading() as work:
        in_it = set(work.subject.tables("anyone"))
    assert in_it | NOBODYS == set(METADATA.tables)
    assert not in_it & NOBODYS


def test_they_are_in_the_citizen_s_copy(told: Practice) -> None:
    files = {f.name: f.body for f in copy_of(told.world, told.plan)}

    def rows(table: str) -> list[dict[str, Any]]:
        return list(json.loads(files[f"records/{table}.json"]))

    assert [r["party"] for r in rows("thread")] == [GP]
    assert {r["plan_id"] for r in rows("thread_key")} == {told.plan}
    # An acknowledgement is about a message and names no citizen.
    assert len(rows("envelope")) == there(told.world)["envelope"] - 1 == 1
    assert "body" not in rows("queue_message")[0]
    assert rows("loss")


def test_they_go_when_their_time_is_up(told: Practice) -> None:
    world = told.world
    retention.hold(world.hub, DRIFT, told.plan, reason="A complaint")
    before = there(world)
    assert all(before.values())
    world.clock.advance(days=YEARS)
    maintain(world.hub)
    assert there(world) == before, "held"
    retention.release(world.hub, DRIFT, told.plan, reason="It is over")
    maintain(world.hub)
    assert there(world) == before | {"envelope": 0}, "the plan goes on, and so may its threads"
    end(world)
    maintain(world.hub)
    assert there(world) == before | {"envelope": 0, "thread": 0}, "its plan is still known"


def test_what_was_said_is_forgotten_with_the_citizen(told: Practice) -> None:
    end(told.world)
    retention.forget(told.world.hub, DRIFT, told.plan, reason="The time is up")
    assert there(told.world)["thread"] == 0

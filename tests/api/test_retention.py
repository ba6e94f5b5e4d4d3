"""What a hub with a plan deletes by itself, holds back, forgets, and hands to the citizen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.errors import Invalid, NotFound
from hub.fhir.codec import parse_json
from hub.model.party import Viewer
from hub.services import access_record, retention, trail
from hub.services.seal import seal
from hub.services.subject import HeldFile, everything_held
from hub.services.worker import maintain
from hub.store.tables import DELIVERY, INBOX, PLAN
from hub.store.trail import Wanted
from tests.api.conftest import SECRET
from tests.api.test_koordinationsplan import MARKED, publish
from tests.api.test_koordinationsplan_sent import SENDING, changed, subscribe
from tests.api.world import CPR_1, RUS, SOCIAL, World, changed_plan
from tests.views import errors_in

DRIFT = Viewer("operator", "Drift Demo")
YEARS = 365 * 6


def rows(world: World, action: str) -> list[dict[str, Any]]:
    with world.hub.store.reading() as work:
        return [dict(r) for r in work.journal.audit_of("") if r["action"] == action]


def kept(world: World) -> tuple[int, int]:
    """Received and sent documents whose bytes are there."""
    with world.hub.store.database.engine.connect() as db:
        there = [db.execute(select(t).where(t.c.body.is_not(None))) for t in (INBOX, DELIVERY)]
        return len(there[0].all()), len(there[1].all())


def grow_old(world: World) -> None:
    seal(world.hub)
    world.clock.advance(days=YEARS)
    # A later day has begun a segment of its own.
    access_record.page(world.hub, DRIFT, Wanted())
    seal(world.hub)


def test_after_years_the_old_rows_are_gone_and_the_chain_is_whole(planned: World) -> None:
    before = trail.check(planned.hub)
    grow_old(planned)
    assert maintain(planned.hub) > 0
    found = trail.check(planned.hub)
    assert found.found is None
    assert found.expired > 10
    assert before.head == found.head or found.rows >= 1
    assert rows(planned, "read") == rows(planned, "disclose") == []
    said = [r["object"] for r in rows(planned, "expire")]
    assert "audit-segment/1" in said
    seal(planned.hub)
    assert trail.check(planned.hub).found is None


def test_nothing_is_deleted_before_its_time(planned: World) -> None:
    seal(planned.hub)
    before = kept(planned)
    planned.clock.advance(days=300)
    maintain(planned.hub)
    assert kept(planned) == before
    assert rows(planned, "expire") == []


def test_a_hold_keeps_it_all(planned: World, plan: str) -> None:
    retention.hold(planned.hub, DRIFT, plan, reason="A complaint is being looked into")
    with pytest.raises(Invalid):
        retention.hold(planned.hub, DRIFT, plan, reason="Once more")
    (said,) = rows(planned, "legal-hold")
    assert (said["reason"], said["role"]) == ("A complaint is being looked into", "operator")
    before = kept(planned)
    grow_old(planned)
    maintain(planned.hub)
    assert rows(planned, "disclose") != []
    assert kept(planned) == before
    assert [h.plan_id for h in retention.holds(planned.hub, DRIFT)] == [plan]
    retention.release(planned.hub, DRIFT, plan, reason="It is over")
    maintain(planned.hub)
    assert rows(planned, "disclose") == []
    with pytest.raises(Invalid):
        retention.release(planned.hub, DRIFT, plan, reason="Once more")


def test_a_hold_on_the_citizen_keeps_what_is_of_no_plan_too(planned: World, plan: str) -> None:
    """Of a koordinationsplan the bytes of what was replaced would go, held plan or not."""
    hub = planned.hub
    for wish in (RUS, SOCIAL):
        subscribe(planned, wish, replace(SENDING, receipt=False))
    for number in (2, 3, 4):
        planned.clock.advance(minutes=1)
        body = MARKED.replace(b"mandag og", b"dag, uge %d," % number)
        assert publish(planned, changed(body, number)).status_code == 200
        planned.work()
    planned.publish_plan(changed_plan(title="En nyere plan"))
    planned.work()
    retention.hold(hub, DRIFT, plan, reason="A complaint")
    retention.hold(hub, DRIFT, plan, reason="A complaint", citizen=True)
    with pytest.raises(Invalid):
        retention.hold(hub, DRIFT, plan, reason="Once more", citizen=True)
    assert [bool(h.plan_id) for h in retention.holds(hub, DRIFT)] in ([True, False], [False, True])
    before = kept(planned)
    retention.release(hub, DRIFT, plan, reason="The other one holds")
    grow_old(planned)
    maintain(hub)
    assert kept(planned) == before
    assert rows(planned, "disclose") != []
    with pytest.raises(Invalid, match="legal hold"):
        retention.forget(hub, DRIFT, plan, reason="The time is up")
    retention.hold(hub, DRIFT, plan, reason="The plan alone")
    retention.release(hub, DRIFT, plan, reason="It is over", citizen=True)
    maintain(hub)
    assert kept(planned) == (before[0], before[1] - 4), "two of three, for each of two parties"
    with pytest.raises(Invalid):
        retention.release(hub, DRIFT, plan, reason="Once more", citizen=True)


@pytest.mark.parametrize("reason", ["", "  ", f"Asked by {CPR_1}"])
def test_a_reason_is_needed_and_names_no_citizen(planned: World, plan: str, reason: str) -> None:
    for act in (retention.hold, retention.release, retention.forget, everything_held):
        with pytest.raises(Invalid):
            act(planned.hub, DRIFT, plan, reason=reason)


def test_no_party_may_do_any_of_it(planned: World, plan: str) -> None:
    for act in (retention.hold, retention.release, retention.forget, everything_held):
        with pytest.raises(NotFound):
            act(planned.hub, Viewer("party", RUS), plan, reason="why")
    with pytest.raises(NotFound):
        access_record.export(planned.hub, Viewer("party", RUS), Wanted())


def test_the_link_to_a_citizen_is_erased_when_no_plan_is_open(planned: World, plan: str) -> None:
    hub = planned.hub
    assert access_record.export(hub, DRIFT, Wanted(), citizen_of=plan)
    with pytest.raises(Invalid, match="is open"):
        retention.forget(hub, DRIFT, plan, reason="The time is up")
    with hub.store.database.engine.begin() as db:
        db.execute(update(PLAN).values(status="completed"))
    retention.hold(hub, DRIFT, plan, reason="A complaint")
    with pytest.raises(Invalid, match="legal hold"):
        retention.forget(hub, DRIFT, plan, reason="The time is up")
    retention.release(hub, DRIFT, plan, reason="It is over")
    retention.forget(hub, DRIFT, plan, reason="The time is up")
    with pytest.raises(NotFound):
        access_record.export(hub, DRIFT, Wanted(), citizen_of=plan)
    seal(hub)
    assert trail.check(hub).found is None
    assert rows(planned, "disclose") != []


def copy_of(world: World, plan: str) -> list[HeldFile]:
    return everything_held(world.hub, DRIFT, plan, reason="The citizen asks what is held")


def test_the_citizen_gets_everything_and_no_name_names_anybody(planned: World, plan: str) -> None:
    files = copy_of(planned, plan)
    names = [f.name for f in files]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+(/[a-z0-9_-]+)?\.(json|xml|pdf|bin|html)", n) for n in names)
    index, *_ = files
    assert not any(word in index.body.decode() for word in SECRET)
    whole = b"".join(f.body for f in files).decode("utf-8", "replace")
    assert "Karla" in whole
    assert CPR_1 in whole
    held = {n.partition("/")[0] for n in names}
    assert held == {"index.json", "plans", "records", "documents", "deliveries", "audit"}
    assert [x["file"] for x in json.loads(index.body)] == names[1:]
    (row,) = rows(planned, "subject-export")
    assert (row["plan_id"], row["reason"]) == (plan, "The citizen asks what is held")


def test_plans_and_events_in_it_are_legal_fhir(planned: World, plan: str) -> None:
    for file in copy_of(planned, plan):
        if file.name.startswith("plans/") or file.name == "audit/events.json":
            found = parse_json(file.body)
            assert found["entry"]
            assert errors_in(found) == [], file.name


def test_there_is_no_copy_of_a_plan_that_is_not_there(planned: World) -> None:
    with pytest.raises(NotFound):
        copy_of(planned, "00000000-0000-4000-8000-000000000000")

"""What the ordinary course does not see of a document that stands alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from hub.fhir.language import said
from hub.model.delivery import State
from hub.services.strays import compare_all, rows_of
from hub.store.retention import Hold
from hub.store.tables import TASK
from tests.api.operating import done
from tests.api.test_koordinationsplan import MARKED, PLAN, publish
from tests.api.test_koordinationsplan_sent import (
    HIDDEN,
    SENDING,
    SHOWN,
    changed,
    sent,
    states,
    subscribe,
)
from tests.api.test_silence import lost
from tests.api.test_strays import compared, receipted, set_row, told
from tests.api.world import PARTIES, RUS, SOCIAL, World


@pytest.fixture
def alone(world: World) -> World:
    """Two parties have been sent a koordinationsplan."""
    for who in (SOCIAL, RUS):
        subscribe(world, who)
    assert publish(world, MARKED).status_code == 200
    world.work()
    return world


def newest(world: World, who: str) -> str:
    return str(sent(world, who)[-1]["delivery"])


def test_one_that_is_well_has_no_strays_at_any_time(alone: World) -> None:
    assert compared(alone) == ([], [])
    receipted(alone, SOCIAL, RUS)
    assert compared(alone) == ([], [])
    publish(alone, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    assert compared(alone) == ([], [])
    alone.work()
    alone.clock.advance(hours=30)
    alone.work()
    assert compared(alone) == ([], [])
    publish(alone, changed(PLAN, 4))
    assert compared(alone) == ([], []), "nothing is marked, and nothing is to be had"


def test_a_version_that_was_forgotten_is_routed_anew_to_its_own_parties_alone(
    alone: World,
) -> None:
    receipted(alone, SOCIAL, RUS)
    publish(alone, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    set_row(alone, newest(alone, SOCIAL), state=State.CANCELLED.value)
    assert compared(alone) == ([], [f"{SOCIAL} behind"])
    assert told(alone) == []
    alone.work()
    assert sorted(states(alone, SOCIAL)) == ["cancelled", "delivered", "sent"]
    assert {d["receiver"] for d in sent(alone)} == {SOCIAL, RUS}
    assert compared(alone) == ([], [])


def test_a_party_that_was_forgotten_altogether_is_found(world: World) -> None:
    """Nothing was ever made for it: as after an upgrade, or a change that nobody followed."""
    subscribe(world, RUS)
    publish(world, MARKED)
    world.work()
    assert len(told(world, "subscription")) == 1
    with world.hub.store.writing() as work:
        known = work.parties.get(SOCIAL)
        assert known is not None
        more = replace(known, subscriptions=(*known.subscriptions, SENDING))
        work.parties.save(more, world.clock())
        work.commit()
    assert compared(world) == ([], [f"{SOCIAL} behind"])
    assert told(world, "subscription") == []
    world.work()
    assert states(world, SOCIAL) == states(world, RUS) == ["sent"]


def test_what_lies_nowhere_is_a_task_that_tells_of_no_content(alone: World) -> None:
    lost(alone, newest(alone, SOCIAL))
    alone.clock.advance(hours=3)
    assert compared(alone) == ([f"{SOCIAL} gone"], [])
    assert compared(alone) == ([f"{SOCIAL} gone"], [])
    (text,) = told(alone)
    assert text == f"{SOCIAL}: version 1 was sent, lies nowhere, and nobody looks for it"
    assert said("da", text)
    (row,) = [r for one in compare_all(alone.hub) for r in rows_of(one)]
    own = sent(alone, SOCIAL)[0]["document"]
    assert (row["plan"], row["document"], row["delivery"]) == (None, own, newest(alone, SOCIAL))
    assert not [w for w in (SHOWN, HIDDEN, "oordinationsplan") if w in str(row)]
    assert [who for who in PARTIES for kind, _ in alone.tasks(who) if kind == "stray"] == []
    alone.work()
    assert compared(alone) == ([], [])
    assert told(alone) == [], "it was sent again"


def test_a_sent_row_without_a_time_is_looked_for(alone: World) -> None:
    set_row(alone, newest(alone, RUS), retry_at=None)
    lost(alone, newest(alone, RUS))
    assert compared(alone) == ([], [f"{RUS} gone"])
    alone.clock.advance(seconds=1)
    alone.work()
    alone.clock.advance(minutes=1)
    alone.work()
    assert alone.letters(RUS) == [newest(alone, RUS)]


def test_one_that_is_not_answered_while_others_are(alone: World) -> None:
    alone.clock.advance(minutes=2)
    with alone.hub.store.writing() as work:
        work.standing.hear(RUS, alone.clock())
        work.commit()
    alone.clock.advance(hours=1)
    alone.work()
    assert compared(alone) == ([f"{RUS} unanswered"], [])
    receipted(alone, RUS)
    assert told(alone) == [], "its receipt closes the task"


def test_what_waits_for_its_owner_and_nobody_is_asked(alone: World) -> None:
    set_row(alone, newest(alone, RUS), state=State.HELD.value)
    assert compared(alone) == ([f"{RUS} nobody"], [])
    (text,) = told(alone)
    assert text == f"{RUS}: version 1 waits for a person, and nobody is asked"
    set_row(alone, newest(alone, RUS), state=State.SENT.value)
    assert compared(alone) == ([], [])
    assert told(alone) == []


def test_a_task_about_a_party_that_is_none_any_more_is_closed(alone: World) -> None:
    set_row(alone, newest(alone, SOCIAL), state=State.RETRY_AT.value, retry_at=None)
    assert compared(alone) == ([f"{SOCIAL} nobody"], [])
    left = changed(MARKED, 3).replace(b"<UnitSORIdentifier>999000000202</UnitSORIdentifier>", b"")
    assert publish(alone, left).status_code == 200
    assert compared(alone) == ([], []), "it had it lawfully, and is told of nothing"
    assert told(alone) == []


def test_what_an_operator_stopped_is_no_stray(alone: World) -> None:
    receipted(alone, SOCIAL, RUS)
    publish(alone, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    assert done(alone, "cancel", deliveries=[newest(alone, SOCIAL)])["done"] == 1
    assert states(alone, SOCIAL) == ["delivered", "cancelled"]
    assert compared(alone) == ([], [])


def test_without_a_subscription_its_party_is_the_operator_s_once(alone: World) -> None:
    with alone.hub.store.writing() as work:
        known = work.parties.get(RUS)
        assert known is not None
        kept = tuple(s for s in known.subscriptions if s.content != SENDING.content)
        work.parties.save(replace(known, subscriptions=kept), alone.clock())
        work.commit()
    publish(alone, changed(MARKED, 3).replace("Bostøtte hver".encode(), "Støtte hver".encode()))
    alone.clock.advance(minutes=1)
    assert compared(alone) == ([], [])
    assert len(told(alone, "subscription")) == 1


def test_a_hold_on_the_citizen_keeps_the_tasks_about_it(alone: World) -> None:
    set_row(alone, newest(alone, RUS), state=State.RETRY_AT.value, retry_at=None)
    compared(alone)
    set_row(alone, newest(alone, RUS), state=State.SENT.value)
    compared(alone)
    # Of who was forgotten there is no delivery either; the document alone leads to the citizen.
    with alone.hub.store.database.writing() as connection:
        connection.execute(update(TASK).values(delivery_id=None))
        connection.commit()
    with alone.hub.store.writing() as work:
        found = work.documents.get(sent(alone)[0]["document"])
        assert found is not None
        assert work.subject.tables(found.citizen_id)["task"] != []
        before = alone.clock() + timedelta(days=1)
        work.retention.hold(Hold("", found.citizen_id, "a complaint", "op", alone.clock()))
        assert work.retention.delete_tasks(before) == 0
        work.retention.release(citizen_id=found.citizen_id)
        assert work.retention.delete_tasks(before) == 1

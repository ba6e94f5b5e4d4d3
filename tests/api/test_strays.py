"""What the ordinary course does not see: strays and silent receivers, on the embedded hub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from hub.model.delivery import State
from hub.runtime.loops import Loops
from hub.services.silence import watch_silence
from hub.services.strays import compare_all, compare_due
from hub.store.tables import DELIVERY, TASK
from tests.api.operating import done
from tests.api.test_silence import lost
from tests.api.world import CONSENT_1, OPERATOR, PSYK, RUS, SOCIAL, World, changed_plan

WAIT = timedelta(hours=1)


def told(world: World, kind: str = "stray") -> list[str]:
    """The operator's open tasks of that kind."""
    with world.hub.store.reading() as work:
        return [t.text for t in work.journal.open_of(kind=kind)]


def compared(world: World) -> tuple[list[str], list[str]]:
    """What is left and what was mended, as ``receiver kind``."""
    found = list(compare_all(world.hub))
    left = [f"{s.receiver} {s.kind}" for one in found for s in one.left]
    return left, [f"{s.receiver} {s.kind}" for one in found for s in one.mended]


def set_row(world: World, delivery: str, **values: object) -> None:
    """What no code of today writes: a row from before an upgrade, or by a mistake."""
    with world.hub.store.database.writing() as connection:
        connection.execute(update(DELIVERY).where(DELIVERY.c.id == delivery).values(**values))
        connection.commit()


def receipted(world: World, *who: str) -> None:
    for party in who:
        for letter in world.letters(party):
            assert world.receipt(letter, party).status_code == 200


def test_a_plan_that_is_well_has_no_strays_at_any_time(planned: World) -> None:
    assert compared(planned) == ([], [])
    receipted(planned, RUS, PSYK)
    planned.publish_plan(changed_plan(title="Anden"))
    assert compared(planned) == ([], [])
    planned.work()
    planned.clock.advance(hours=30)
    planned.work()
    assert compared(planned) == ([], []), "what lies in a mailbox waits for its receiver"


def test_what_is_permitted_and_was_forgotten_is_routed_anew(planned: World, plan: str) -> None:
    receipted(planned, RUS)
    planned.publish_plan(changed_plan(title="Anden"))
    due = planned.delivery(RUS, version=2)["delivery"]
    set_row(planned, due, state=State.CANCELLED.value)
    assert compared(planned) == ([], [f"{RUS} behind"])
    assert told(planned) == []
    planned.work()
    rows = [d for d in planned.deliveries() if d["receiver"] == RUS and d["version"] == 2]
    assert sorted(d["state"] for d in rows) == ["cancelled", "sent"]
    assert compared(planned) == ([], [])


def test_a_copy_with_less_in_it_than_is_permitted_is_followed_by_another(planned: World) -> None:
    receipted(planned, RUS)
    set_row(planned, planned.delivery(RUS)["delivery"], sections=[])
    assert compared(planned) == ([], [f"{RUS} behind"])
    assert compared(planned) == ([], [])
    planned.work()
    (letter,) = planned.letters(RUS)
    assert planned.receipt(letter, RUS).status_code == 200
    assert compared(planned) == ([], [])


def test_what_an_operator_stopped_is_nobody_s_to_route_anew(planned: World, plan: str) -> None:
    receipted(planned, RUS)
    planned.publish_plan(changed_plan(title="Anden"))
    due = planned.delivery(RUS, version=2)["delivery"]
    assert done(planned, "cancel", deliveries=[due])["done"] == 1
    assert compared(planned) == ([], [])


def test_a_sent_row_from_before_an_upgrade_is_looked_for(planned: World) -> None:
    old = planned.delivery(RUS)["delivery"]
    set_row(planned, old, retry_at=None)
    lost(planned, old)
    assert compared(planned) == ([], [f"{RUS} gone"])
    planned.clock.advance(seconds=1)
    planned.work()
    planned.clock.advance(minutes=1)
    planned.work()
    assert planned.letters(RUS) == [old], "the same, under its own id"


def test_a_message_that_nobody_looks_for_is_a_task_until_it_is_well(planned: World) -> None:
    old = planned.delivery(RUS)["delivery"]
    lost(planned, old)
    planned.clock.advance(hours=3)
    assert compared(planned) == ([f"{RUS} gone"], [])
    assert compared(planned) == ([f"{RUS} gone"], [])
    assert told(planned) == [f"{RUS}: version 1 was sent, lies nowhere, and nobody looks for it"]
    planned.work()
    assert compared(planned) == ([], [])
    assert told(planned) == []


def test_one_that_is_not_answered_while_others_are(planned: World, plan: str) -> None:
    planned.clock.advance(minutes=2)
    with planned.hub.store.writing() as work:
        work.standing.hear(RUS, planned.clock())
        work.commit()
    planned.clock.advance(hours=1)
    planned.work()
    assert compared(planned) == ([f"{RUS} unanswered"], [])
    said = f"{RUS}: version 1 has no receipt in time, although others came since"
    assert told(planned) == [said]
    receipted(planned, RUS)
    assert told(planned) == [], "its receipt closes the task"
    assert compared(planned) == ([], [])


def test_what_waits_for_a_person_and_nobody_is_asked(planned: World) -> None:
    blocked = next(d for d in planned.deliveries() if d["state"] == "blocked")
    with planned.hub.store.database.writing() as connection:
        asked = TASK.c.delivery_id == blocked["delivery"]
        connection.execute(update(TASK).where(asked).values(done_at=planned.clock(), done_by="x"))
        connection.commit()
    assert compared(planned) == ([f"{blocked['receiver']} nobody"], [])
    (text,) = told(planned)
    assert text == f"{blocked['receiver']}: version 1 waits for a person, and nobody is asked"


def test_what_was_got_before_a_consent_ran_out_is_rightly_kept(planned: World, plan: str) -> None:
    receipted(planned, SOCIAL)
    planned.clock.advance(days=2000)
    left, mended = compared(planned)
    assert not [x for x in left if "keeps" in x]
    assert mended == []
    assert planned.letters(SOCIAL) == [], "nothing is sent for it"


def test_a_withdrawal_of_which_a_holder_was_not_told(planned: World, plan: str) -> None:
    receipted(planned, SOCIAL)
    planned.clock.advance(minutes=1)
    withdrawn = json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()
    assert planned.consent(withdrawn).status_code == 200
    with planned.hub.store.database.writing() as connection:
        notices = DELIVERY.c.about.startswith("notice/")
        connection.execute(update(DELIVERY).where(notices).values(state="cancelled"))
        connection.commit()
    left, _ = compared(planned)
    assert f"{SOCIAL} keeps" in left
    assert f"{SOCIAL}: has had version 1, may not have it, was not told" in told(planned)


def test_who_was_told_was_told_though_what_it_had_is_dated_later(planned: World) -> None:
    """The clock was ahead when the version was made, and right when the citizen said no."""
    ahead = timedelta(hours=5)
    receipted(planned, SOCIAL)
    planned.clock.now += ahead
    planned.publish_plan(changed_plan(title="Planen efter mødet"))
    planned.work()
    receipted(planned, SOCIAL)
    assert planned.delivery(SOCIAL, version=2)["state"] == "delivered"
    planned.clock.now -= ahead
    withdrawn = json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()
    assert planned.consent(withdrawn).status_code == 200
    planned.work()
    left, _ = compared(planned)
    assert not [x for x in left if "keeps" in x]


def test_it_is_done_once_in_its_time(planned: World) -> None:
    assert compare_due(planned.hub, lambda: False)
    assert not compare_due(planned.hub, lambda: False)
    planned.clock.advance(minutes=61)
    assert not compare_due(planned.hub, lambda: True), "it was stopped"
    never = replace(planned.hub, limits=replace(planned.hub.limits, compare_every=timedelta()))
    planned.clock.advance(minutes=61)
    assert not compare_due(never, lambda: False)


def silent(world: World) -> list[str]:
    """As the list of parties has it."""
    rows = world.get("/operations/parties", OPERATOR).json()
    return [p["party"] for p in rows if p["silent"]]


def only(world: World, hours: int, **own: int) -> World:
    """The same hub with other limits of silence; ``own``: a party's, with _ for -."""
    with world.hub.store.writing() as work:
        for registered in work.parties.all():
            mine = own.get(registered.party.id.replace("-", "_"))
            work.parties.save(replace(registered, silent_hours=mine), world.clock())
        work.commit()
    limits = replace(world.hub.limits, silent_hours=hours)
    return World(replace(world.hub, limits=limits), world.secrets, world.clock)


def test_a_silent_receiver_is_one_task_until_it_fetches(planned: World) -> None:
    world = only(planned, 0, rus_havneby=48)
    world.publish_plan(changed_plan(title="Anden"))
    world.work()
    world.clock.advance(hours=47)
    assert watch_silence(world.hub) == 0
    world.clock.advance(hours=1)
    assert [watch_silence(world.hub) for _ in range(2)] == [1, 1]
    said = f"{RUS}: something waits for it, and it fetches and answers nothing; call it"
    assert (told(world, "silent"), silent(world)) == ([said], [RUS])
    assert "ki_hub_silent_receivers 1.0" in world.get("/metrics", OPERATOR).text
    assert len(world.letters(RUS)) == 1, "its list is no fetching"
    assert silent(world) == [RUS]
    (letter,) = world.letters(RUS)
    assert world.get(f"/mailbox/{letter}", RUS).status_code == 200
    assert (told(world, "silent"), silent(world)) == ([], [])
    world.clock.advance(hours=47)
    assert watch_silence(world.hub) == 0, "it was heard of"
    world.clock.advance(hours=1)
    assert watch_silence(world.hub) == 1, "and has not receipted it since"
    assert world.receipt(letter, RUS).status_code == 200
    assert (told(world, "silent"), watch_silence(world.hub)) == ([], 0)


def test_a_paused_party_is_never_silent(planned: World) -> None:
    world = only(planned, 48)
    world.clock.advance(hours=48)
    assert watch_silence(world.hub) == len(silent(world)) > 1
    everybody = silent(world)
    world.request("POST", f"/operations/parties/{RUS}/pause", OPERATOR, json={"reason": "Ferie"})
    watch_silence(world.hub)
    assert silent(world) == [p for p in everybody if p != RUS]


def test_the_watch_goes_on_beside_the_worker(planned: World) -> None:
    old = planned.delivery(RUS)["delivery"]
    set_row(planned, old, state=State.RETRY_AT.value, retry_at=None)
    running = Loops(planned.hub, poll=0.05, watch_every=0.01)
    running.start()
    try:
        assert until(lambda: told(planned) != [])
        assert running.alive
    finally:
        running.finish()
    assert told(planned) == [f"{RUS}: version 1 is to be sent again, and no time is set"]


def until(so: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:
        time.sleep(0.02)
    return so()

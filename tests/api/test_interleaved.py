"""What two do at the same moment on PostgreSQL comes out as if one had come after the other.

Each test fails without the lock, or the order of locks, that it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Final

import httpx
import pytest

from hub.contract import Identifier
from hub.errors import HubError
from hub.fhir import names
from hub.model.party import CITIZEN, SYSTEM, Viewer
from hub.runtime.bootstrap import close
from hub.services import rejection, retention
from hub.services.document_route import follow_documents
from hub.services.rejection import WITHDRAW
from hub.store.consents import Consents
from hub.store.documents import Documents
from hub.store.inbox import Inbox
from hub.store.journal import Journal
from hub.store.retention import Retention
from hub.store.work import UnitOfWork
from tests.api.conftest import OnServer
from tests.api.copies import copy_for, send
from tests.api.fhir.client import post_search
from tests.api.fhir.test_races import at_once, said
from tests.api.fhir.writing import one_of, put, read
from tests.api.interleaved import PATIENCE, First, Gate, Second, meanwhile, waits
from tests.api.papers import approval_of, consent_of, sector_plan
from tests.api.test_citizens import link
from tests.api.test_koordinationsplan import MARKED, publish
from tests.api.test_merging import decide, saying, waiting
from tests.api.world import (
    CONSENT_1,
    CPR_1,
    CPR_2,
    OPERATOR_VIEW,
    PLAN_1,
    PSYK,
    RUS,
    SOCIAL,
    START,
    World,
)

ONE, OTHER = Identifier(names.CPR, CPR_1), Identifier(names.CPR, CPR_2)
LEASE: Final = timedelta(minutes=1)
CPR_3: Final = "0101809995"
WHY: Final = "En klagesag"


@pytest.fixture
def world(plan_on_server: OnServer, tmp_path: Path) -> Iterator[World]:
    """In the middle of the scenario; a second citizen is registered, of whom nothing stands."""
    found = plan_on_server.opened(tmp_path / "data")
    found.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2))
    found.consent(consent_of("andet-nummer", (PSYK,), cpr=CPR_2, status="inactive"))
    yield found
    close(found.hub)


def before_commit(
    world: World,
    patch: pytest.MonkeyPatch,
    first: Callable[[], First],
    second: Callable[[], Second],
) -> tuple[First, Second, bool]:
    """``first``, a document or a consent, has written all that it comes to; see meanwhile."""
    return meanwhile(world, Gate(patch, Inbox, "settle"), first, second)


def citizen_of(world: World, number: Identifier) -> str | None:
    with world.hub.store.reading() as work:
        return work.plans.citizen([number])


def held(world: World) -> list[str]:
    return [h.citizen_id for h in retention.holds(world.hub, OPERATOR_VIEW)]


def linking(world: World) -> int:
    return link(world, RUS, CPR_1, CPR_2)


Step = Callable[[UnitOfWork], object]


# Whose a number is


def hold(world: World, number: Identifier = OTHER) -> str:
    retention.hold(world.hub, OPERATOR_VIEW, number, reason=WHY)
    return "held"


def release(world: World) -> str:
    retention.release(world.hub, OPERATOR_VIEW, OTHER, reason=WHY)
    return "released"


def forget(world: World) -> str:
    try:
        retention.forget(world.hub, OPERATOR_VIEW, OTHER, reason=WHY)
    except HubError as e:
        return e.text
    return "forgotten"


@pytest.mark.parametrize(
    ("act", "before", "told", "after"),
    [
        (hold, False, "held", True),
        (release, True, "released", False),
        (forget, False, "A plan of this citizen is open", False),
    ],
)
def test_an_operator_s_act_on_a_number_is_about_whose_it_is_by_then(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[World], str],
    before: bool,
    told: str,
    after: bool,
) -> None:
    """The number has just been made another citizen's, and that is not committed yet."""
    if before:
        hold(world, ONE)
    gate = Gate(monkeypatch, Journal, "audit")
    linked, said, waited = meanwhile(world, gate, lambda: linking(world), lambda: act(world))
    assert (linked, waited) == (204, True)
    assert said.startswith(told)
    assert held(world) == ([citizen_of(world, ONE)] if after else [])


def test_an_operator_s_act_on_a_plan_waits_for_who_writes_about_its_citizen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.deliveries()[0]["plan"]
    consent, _, waited = before_commit(
        world,
        monkeypatch,
        lambda: world.consent(consent_of("et-til")),
        lambda: retention.hold(world.hub, OPERATOR_VIEW, plan, reason=WHY),
    )
    assert (consent.status_code, waited) == (201, True)


def test_a_number_is_not_moved_from_under_a_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, Retention, "hold")
    _, linked, waited = meanwhile(world, gate, lambda: hold(world), lambda: linking(world))
    assert (linked, waited) == (404, True)
    assert held(world) == [citizen_of(world, OTHER)] != [citizen_of(world, ONE)]


# A consent, and what is made of it at the same moment


def of_other(body: bytes, case: str) -> bytes:
    """The second citizen's, in a case of its own."""
    found = json.loads(body.replace(CPR_1.encode(), CPR_2.encode()))
    found["entry"][0]["resource"]["identifier"] = [{"system": "urn:example:sag", "value": case}]
    return json.dumps(found).encode()


def consents(world: World, status: str = "active") -> int:
    """To a plan of the second citizen."""
    return world.consent(consent_of("til-planen", cpr=CPR_2, status=status)).status_code


def publishes(world: World, case: str = "K-2", **named: str) -> httpx.Response:
    return world.post("/documents/fhir", RUS, of_other(PLAN_1, case), **named)


def plans_of_other(world: World, who: str) -> list[str]:
    number = {"patient.identifier": f"{names.CPR}|{CPR_2}"}
    found = post_search(world, "CarePlan", number, who).json()
    return [e["resource"]["id"] for e in found.get("entry", ())]


def test_a_plan_that_is_being_made_is_closed_by_a_withdrawal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The withdrawal cannot see the plan yet, and the plan was decided on before it."""
    consents(world)
    made, _, waited = before_commit(
        world, monkeypatch, lambda: publishes(world), lambda: consents(world, "inactive")
    )
    plan = made.headers["Location"].split("/")[3]
    with world.hub.store.reading() as work:
        assert work.plans.get(plan, SYSTEM, world.clock()) is not None
        assert work.plans.get(plan, Viewer("party", PSYK), world.clock()) is None
        due = work.deliveries.listing(SYSTEM, plan_id=plan, state="due")
    assert {d.receiver for d in due} == {CITIZEN}
    assert (plans_of_other(world, PSYK), waited) == ([], True)


def test_no_plan_is_made_on_a_consent_that_is_being_withdrawn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents(world)
    _, made, waited = before_commit(
        world, monkeypatch, lambda: consents(world, "inactive"), lambda: publishes(world)
    )
    assert (made.status_code, waited) == (403, True)
    assert plans_of_other(world, RUS) == []


def test_of_two_first_documents_of_a_case_the_second_changes_the_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under ids of their own; the second waits inside and is answered as if it had come later."""
    consents(world)
    first, second, waited = before_commit(
        world,
        monkeypatch,
        lambda: publishes(world, message_id="one"),
        lambda: publishes(world, message_id="other"),
    )
    assert [(a.status_code, waited) for a in (first, second)] == [(200, True)] * 2
    assert "Nothing new; version 1 stands" in second.text
    assert len(plans_of_other(world, RUS)) == 1


# A citizen who is registered at this moment


def koordinationsplan(number: str, case: str) -> bytes:
    body = MARKED.replace(CPR_1.encode(), number.encode()).replace(b"2026-000064", case.encode())
    assert number.encode() in body
    return body


@pytest.mark.parametrize("kind", ["document", "consent"])
def test_of_two_who_register_a_citizen_the_second_finds_the_first_s(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def registers(case: str) -> httpx.Response:
        if kind == "document":
            return publish(world, koordinationsplan(CPR_3, case))
        return world.consent(consent_of(f"ny-{case}", cpr=CPR_3))

    first, second, waited = before_commit(
        world, monkeypatch, lambda: registers("2026-1"), lambda: registers("2026-2")
    )
    assert waited
    assert [a.is_success and a.status_code != 202 for a in (first, second)] == [True, True]
    citizen = citizen_of(world, Identifier(names.CPR, CPR_3))
    assert citizen is not None
    with world.hub.store.reading() as work:
        found = work.consents.of_citizen(citizen) or work.plans.loose_parts(citizen)
    assert len(found) == 2


# A sector's document, and the plan that it is for


def sector(world: World, text: str = "Et forløb") -> httpx.Response:
    body = sector_plan(SOCIAL, case="P-2", numbers=(CPR_2,), text=text)
    return world.post("/documents/fhir", SOCIAL, body)


@pytest.mark.parametrize("plan_first", [True, False])
def test_a_document_and_the_plan_that_it_waits_for_find_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch, plan_first: bool
) -> None:
    consents(world)
    both = [lambda: publishes(world), lambda: sector(world)]
    one, other, waited = before_commit(world, monkeypatch, *(both if plan_first else both[::-1]))
    made = one if plan_first else other
    with world.hub.store.reading() as work:
        parts = work.plans.parts(made.headers["Location"].split("/")[3])
    assert {p.owner for p in parts} == {RUS, SOCIAL}
    assert waited


def test_a_newer_document_is_not_taken_back_with_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents(world)
    before = world.inbox(sector(world, "Skrevet ved en fejl")).id
    _, taken_back, waited = before_commit(
        world,
        monkeypatch,
        lambda: sector(world, "Det rigtige"),
        lambda: world.request(
            "POST",
            f"/messages/{before}/entered-in-error",
            SOCIAL,
            json={"person": "Signe Prøve", "reason": "En fejl"},
        ),
    )
    citizen = citizen_of(world, OTHER)
    assert citizen is not None
    with world.hub.store.reading() as work:
        (part,) = work.plans.loose_parts(citizen)
        (plan, *_) = work.plans.resources(part.members).values()
    assert (plan["status"], plan["description"]) == ("active", "Det rigtige")
    assert (taken_back.status_code, waited) == (422, True)


# Nobody waits in a circle


def test_who_writes_over_rest_waits_for_who_changes_a_consent_before_it_holds_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = one_of(world, "CarePlan?identifier=RUS-2026-0001")
    before, version = read(world, shared["goal"][0]["reference"])
    gate = Gate(monkeypatch, Consents, "save")
    consent, written, waited = meanwhile(
        world,
        gate,
        lambda: world.consent(consent_of("et-til")),
        lambda: put(world, said(before, "Skrevet om"), version),
    )
    assert (consent.status_code, written.status_code, waited) == (201, 200, True)


def test_a_person_s_decision_on_a_proposal_waits_before_it_holds_anything(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = world.deliveries()[0]["plan"]
    copy = copy_for(world.hub, plan, PSYK)
    assert send(world, PSYK, saying(copy, "Foreslået af psykiatrien")).status_code == 200
    (asked,) = waiting(world, RUS)
    gate = Gate(monkeypatch, Consents, "save")
    consent, decided, waited = meanwhile(
        world,
        gate,
        lambda: world.consent(consent_of("et-til")),
        lambda: decide(world, asked["proposal"], "accept"),
    )
    assert (consent.status_code, decided.status_code, waited) == (201, 200, True)


def test_documents_of_a_citizen_are_held_in_one_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By who sends one of them and by who lets all follow a change of the parties."""
    for case in ("2026-1", "2026-2"):
        assert publish(world, koordinationsplan(CPR_1, case)).status_code == 200
    with world.hub.store.reading() as work:
        last = work.documents.of_kinds(["koordinationsplan"])[-1]
    again = koordinationsplan(CPR_1, last.case_id.removeprefix("KOO-"))

    def all_follow() -> bool:
        with world.hub.store.writing() as work:
            follow_documents(world.hub, work, work.parties.directory(), actor="test")
            work.commit()
        return True

    gate = Gate(monkeypatch, Documents, "of_kinds")
    changed = again.replace(b"Depotmedicin", b"Depotmedicinen")
    sent, followed, _ = meanwhile(world, gate, lambda: publish(world, changed), all_follow)
    assert (sent.status_code, followed) == (200, True)


def test_numbers_are_held_in_one_order(world: World) -> None:
    """Who waits for the first of them holds no other one yet, in whatever order it names them."""
    store = world.hub.store

    def about_both() -> int:
        with store.writing() as work:
            return len(work.plans.hold_citizens([OTHER, ONE]))

    def moves_other() -> bool:
        with store.writing() as work:
            work.plans.hold_numbers([OTHER])
        return True

    with ThreadPoolExecutor(2) as pool:
        with store.writing() as work:
            work.plans.hold_numbers([ONE])
            both = pool.submit(about_both)
            assert waits(world, both)
            assert not waits(world, pool.submit(moves_other), 2)
        assert both.result(PATIENCE) == 2


def recalls(party: str) -> Step:
    return lambda work: work.withdrawals.recall(party, START)


def locks_the_plan(work: UnitOfWork) -> object:
    (found, *_) = work.plans.listing(SYSTEM, START)
    return work.plans.lock(found.id)


@pytest.mark.parametrize(
    ("first", "second"),
    [(recalls(RUS), recalls(SOCIAL)), (recalls(RUS), locks_the_plan)],
    ids=["another queue", "a plan"],
)
def test_queues_are_taken_back_in_whatever_order_that_is_asked_for(
    world: World, first: Step, second: Step
) -> None:
    """By a withdrawal of one citizen's consent and by that of another, or by who has its plan."""
    begun = Barrier(2)

    def withdraws(one: Step, other: Step) -> bool:
        with world.hub.store.writing() as work:
            one(work)
            begun.wait(PATIENCE)
            other(work)
            asked = work.withdrawals.is_recalled(RUS)
            work.commit()
        return asked

    both = (partial(withdraws, first, second), partial(withdraws, second, first))
    assert at_once(*both) == [True, True]
    with world.hub.store.reading() as work:
        found = work.withdrawals.recalled(RUS)
    assert found is not None
    assert (found.open, found.round) == (True, 2)


def test_who_takes_queues_in_hand_waits_for_no_withdrawal(world: World) -> None:
    """It would hold some of them meanwhile. What it leaves out is to be done once more anyway."""
    writing = world.hub.store.writing
    with writing() as work:
        for party in (SOCIAL, RUS):
            work.withdrawals.recall(party, START)
        work.commit()
    with writing() as work:
        for mine in work.withdrawals.claim_recalls(START, LEASE):
            work.withdrawals.close_recall(mine, START + LEASE)
        work.commit()

    def claims() -> list[str]:
        with writing() as work:
            return [r.party for r in work.withdrawals.claim_recalls(START + LEASE, LEASE)]

    with ThreadPoolExecutor(1) as pool, writing() as work:
        work.withdrawals.recall(RUS, START)
        work.withdrawals.write_recalls()
        claimed = pool.submit(claims)
        assert not waits(world, claimed)
        work.commit()
    assert claimed.result() == [SOCIAL]
    assert sorted(claims()) == [RUS, SOCIAL]


def test_a_consent_is_withdrawn_while_a_person_says_that_it_does_not_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are about the plan and about the task that asks for the withdrawal."""
    with world.hub.store.reading() as work:
        rus = work.parties.directory().get(RUS)
    assert rus is not None

    def says() -> bool:
        rejection.answer(world.hub, rus, plan, "Mette", consent_holds=False, new_meeting=False)
        return True

    plan = world.deliveries()[0]["plan"]
    no_more = json.dumps(json.loads(CONSENT_1) | {"status": "inactive"}).encode()
    for name, answered in (("nej", True), ("nej-igen", False)):
        world.clock.advance(minutes=1)
        assert world.consent(approval_of(plan, decision="no", id=name)).status_code == 201
        assert not answered or says()
    gate = Gate(monkeypatch, Journal, "audit")
    said_so, withdrawn, waited = meanwhile(world, gate, says, lambda: world.consent(no_more))
    assert (said_so, withdrawn.status_code, waited) == (True, 200, True)
    assert (WITHDRAW, None) not in world.tasks(RUS)


# What is deleted, and what is held


def test_a_hold_waits_for_what_is_being_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is in force, nothing goes any more."""
    world.clock.advance(days=2 * world.hub.limits.delivery_days)
    gate = Gate(monkeypatch, Journal, "audit")
    gone, said_so, waited = meanwhile(
        world, gate, lambda: retention.expire(world.hub), lambda: hold(world, ONE)
    )
    assert gone > 0
    assert (said_so, waited) == ("held", True)
